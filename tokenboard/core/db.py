"""The database: one `db`, its column types, and how a transaction begins on SQLite and on PostgreSQL.

Laws: ids are random UUIDs, handled as text; instants are UTC and aware on both databases; a transaction that may write
begins IMMEDIATE on SQLite (a deferred one that reads first and then writes fails at once when another writes between:
194 of 200 in reference/reliability.md, F5); one that only reads begins DEFERRED: pages never queue behind a sync.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Annotated, Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Result,
    String,
    Text,
    TypeDecorator,
    Uuid,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tokenboard.core import clock
from tokenboard.core.config import Settings
from tokenboard.core.green import connect_our_way

# Pools stay small: a hot row gets slower with more clients (reference/performance.md, 3).
POOL_SIZE = 8
# In a crowd whoever waits for a connection waits in turn; less than a router's thirty seconds to the first byte.
POOL_TIMEOUT_SECONDS = 20
BUSY_TIMEOUT_SECONDS = 10
BUSY_PAUSE_SECONDS, BUSY_LONGEST_PAUSE_SECONDS = 0.001, 0.02
STATEMENT_TIMEOUT_MILLISECONDS = 30_000

_is_read_only: ContextVar[bool] = ContextVar("is_read_only", default=False)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant. SQLite keeps no zone, so it goes in as UTC and comes back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


Id = Annotated[str, mapped_column(Uuid(as_uuid=False))]
BigInt = Annotated[int, mapped_column(BigInteger)]
Instant = Annotated[datetime, mapped_column(UtcDateTime)]
LongText = Annotated[str, mapped_column(Text)]


def new_id() -> str:
    """A fresh random id."""
    return str(uuid.uuid4())


class Base(DeclarativeBase):
    """What every row is: constraint names are the same on both databases, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Identified:
    """A row with a random id."""

    id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True, default=new_id)


def short_text(length: int) -> Any:
    """A column for bounded text."""
    return mapped_column(String(length))


# expire_on_commit off: a door commits and then answers; reloading every row it shows would cost a query each.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False}, disable_autonaming=True)


def engine_options(settings: Settings) -> dict[str, Any]:
    """Pool and connection settings for the database that is configured."""
    if settings.is_sqlite:
        return {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}, "pool_size": 64}
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS} -c timezone=UTC"
    connect: dict[str, Any] = {"options": options, "connect_timeout": 5}
    if settings.is_on_heroku:
        connect["sslmode"] = "require"  # Heroku Postgres refuses plain connections
    pool = {"pool_size": POOL_SIZE, "max_overflow": 0, "pool_timeout": POOL_TIMEOUT_SECONDS, "pool_recycle": 300}
    return pool | {"connect_args": connect}


def init_app(app: Flask, settings: Settings) -> None:
    """Connect `db` to the application."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings)
    db.init_app(app)
    with app.app_context():
        if settings.is_sqlite:
            prepare_sqlite(db.engine)
        else:
            connect_our_way(db.engine)


def prepare_sqlite(engine: Engine) -> None:
    """How its connections open, and how its transactions begin."""
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _open_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred; ours below is chosen
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if _is_read_only.get():
        connection.exec_driver_sql("BEGIN")
        return
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.execute("PRAGMA busy_timeout=0")
    try:
        if not _is_let_in(raw):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the last try raises what every caller knows
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")


def _is_let_in(raw: sqlite3.Connection) -> bool:
    """Begin to write as soon as the one writer is done; False after `BUSY_TIMEOUT_SECONDS`.

    Asks again and again, asleep between. SQLite's own waiting soon looks every 100 ms only, so that in a crowd of 200
    some looked in vain for ten seconds; and under gevent it would stop every greenlet, also the writer it waits for.
    """
    give_up_at, pause = clock.monotonic() + BUSY_TIMEOUT_SECONDS, BUSY_PAUSE_SECONDS
    while clock.monotonic() < give_up_at:
        try:
            raw.execute("BEGIN IMMEDIATE")
            return True
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads those who wait; guards nothing
        pause = min(pause * 1.5, BUSY_LONGEST_PAUSE_SECONDS)
    return False


@contextlib.contextmanager
def read_only() -> Iterator[None]:
    """Transactions begun inside are only for reading: they never wait for a writer."""
    token = _is_read_only.set(True)
    try:
        yield
    finally:
        _is_read_only.reset(token)


def set_read_only(is_read_only: bool) -> None:
    """For the web's door, which knows the method of the request; jobs and commands may always write."""
    _is_read_only.set(is_read_only)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Write from a request that reads: ends the reading transaction first, so that the next one begins IMMEDIATE."""
    db.session.rollback()
    token = _is_read_only.set(False)
    try:
        yield
    finally:
        _is_read_only.reset(token)


def at_one_moment() -> None:
    """From here to the transaction's end every statement sees the same rows, whatever others commit meanwhile.

    Ends the transaction before, so it is asked first of all. SQLite's transactions are like that anyway.
    """
    db.session.rollback()
    if is_postgresql():
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def rows_changed(result: Result[Any]) -> int:
    """How many rows an UPDATE or DELETE changed. Not for INSERT: there PostgreSQL says -1, done or not."""
    assert isinstance(result, CursorResult)  # a writing statement always answers with one
    return result.rowcount


def is_postgresql() -> bool:
    """Which of the two databases the current application uses."""
    return db.engine.dialect.name == "postgresql"
