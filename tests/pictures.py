"""Pictures of a database and a Redis, so that the cast of the tests is made once a process and put back for each test.

Making six people by the services takes a tenth of a second; putting their rows back takes a few milliseconds.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis
import sqlalchemy as sa
from flask import Flask

from tokenboard.core.db import db
from tokenboard.metering.generations import generations

PutBack = Callable[[], None]
SETTLE_SECONDS = 30


def wait_for_answers(app: Flask) -> None:
    """An answer that a test has begun and not read to its end still writes into the database."""
    with app.app_context():
        running = generations()
    until = time.monotonic() + SETTLE_SECONDS
    while running.running:
        assert time.monotonic() < until, "an answer of the test before still runs"
        time.sleep(0.01)


def of_sqlite(app: Flask, live: Path, kept: Path) -> PutBack:
    """The whole file."""
    with app.app_context():
        write_out(db.engine)
    shutil.copyfile(live, kept)
    return lambda: put_file(app, kept, live)


def write_out(engine: sa.Engine) -> None:
    """Bring everything from the log into the file, and close it."""
    with engine.connect() as connection:
        connection.commit()
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def put_file(app: Flask, kept: Path, live: Path) -> None:
    """A database file in the place of the one that is used."""
    with app.app_context():
        db.engine.dispose()
    for leftover in live.parent.glob(f"{live.name}-*"):
        leftover.unlink()
    shutil.copyfile(kept, live)


def of_postgresql(engine: sa.Engine, tables: Sequence[str]) -> PutBack:
    """The rows of every table, as COPY writes them."""
    with engine.connect() as connection:
        cursor: Any = connection.connection.cursor()
        rows = {name: _written(cursor, name) for name in tables}
    kept = {name: data for name, data in rows.items() if data}

    def put_back() -> None:
        with engine.begin() as connection:
            cursor: Any = connection.connection.cursor()
            cursor.execute(WITHOUT_TRIGGERS)
            for name, data in kept.items():
                with cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
                    copy.write(data)

    return put_back


def _written(cursor: Any, table: str) -> bytes:
    with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(copy)


# For the transaction alone: append-only tables are emptied and filled here too.
WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"


def of_redis(url: str) -> PutBack:
    """Every key: what the cast's sign-up has rung for."""
    connection = redis.Redis.from_url(url)
    kept = {key: connection.dump(key) for key in connection.scan_iter()}

    def put_back() -> None:
        for key, data in kept.items():
            connection.restore(key, 0, data, replace=True)

    return put_back
