"""A database in memory that can be renewed, looked at from below, and made to die at any statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from tests.conftest import House
from tokenboard.core import db as database
from tokenboard.core.db import db
from tokenboard.ledger import invariants
from tokenboard.ledger.driver import id_out
from tokenboard.ledger.laws import SIGNED

# All laws in one statement: a history asks after each of its steps. I14 speaks of the sweeper, which may be late here.
LAWS_AT_ONCE = " UNION ALL ".join(
    f"SELECT '{law.number}', broken.* FROM ({law.query.replace('SIGNED', SIGNED)}) AS broken"
    for law in invariants.LAWS
    if law.number != "I14"
)
LOTS = "SELECT category, expires_at, remaining_micros, held_micros FROM ledger_grant ORDER BY number"


class Crash(Exception):
    """The process dies here."""


class Crashing:
    """Cuts an act off at one of its statements."""

    def __init__(self, engine: sa.Engine) -> None:
        self.before = self.after = -1
        event.listen(engine, "before_cursor_execute", self._count_before)
        event.listen(engine, "after_cursor_execute", self._count_after)

    def arm(self, point: int | None) -> None:
        self.before = self.after = -1
        if point is not None:
            self.before, self.after = (point // 2, -1) if point % 2 == 0 else (-1, point // 2)

    def _count_before(self, *_: object) -> None:
        self.before = self._down(self.before)

    def _count_after(self, *_: object) -> None:
        self.after = self._down(self.after)

    def _down(self, left: int) -> int:
        if left == 0:
            self.arm(None)
            raise Crash
        return left - 1


class Bench:
    """One database in memory for all histories; each begins with a fresh copy. Looked at past SQLAlchemy, for speed."""

    def __init__(self, pristine: str) -> None:
        self.app = Flask("ledger-histories")
        self.app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"  # one connection for all
        db.init_app(self.app)
        self.pristine = sqlite3.connect(pristine)
        with self.app.app_context():
            database.prepare_sqlite(db.engine)
            self.crashing = Crashing(db.engine)
            live = db.engine.raw_connection().driver_connection
        assert isinstance(live, sqlite3.Connection)
        self.live = live
        self.tables = [name for name in db.metadata.tables if name.startswith("ledger_")]

    def renew(self) -> None:
        db.session.rollback()
        self.pristine.backup(self.live)

    def dump(self) -> list[list[object]]:
        """Every row of the ledger."""
        return [self.live.execute(f"SELECT * FROM {name}").fetchall() for name in self.tables]

    def broken_laws(self) -> list[object]:
        return self.live.execute(LAWS_AT_ONCE).fetchall()

    def lots(self, at: datetime) -> list[tuple[str, datetime | None, int, int]]:
        """Category, expiry, remaining and held of every grant; what is free in an expired one counts as gone."""
        seen = []
        for category, text, remaining, held in self.live.execute(LOTS):
            expires_at = datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
            is_over = expires_at is not None and expires_at <= at
            seen.append((category, expires_at, held if is_over else remaining, held))
        return seen

    def grant_id(self, number: int) -> str:
        [found] = self.live.execute("SELECT id FROM ledger_grant WHERE number = ?", [number])
        return id_out(found[0])

    def key_of(self, transaction_id: str) -> str:
        statement = "SELECT idempotency_key FROM ledger_transaction WHERE id = ?"
        [found] = self.live.execute(statement, [transaction_id.replace("-", "")])
        return str(found[0])


@contextmanager
def standing_bench(house: House) -> Iterator[Bench]:
    """A bench over a migrated, empty database, inside its application's context."""
    house.empty()
    with house.app.app_context():
        bench = Bench(str(db.engine.url.database))
    with bench.app.app_context():
        yield bench
        db.session.remove()
        db.engine.dispose()
    bench.pristine.close()
