"""Both databases keep the same things in the same way."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError, StatementError

from tests.conftest import House
from tokenboard.audit.models import Alert
from tokenboard.core import db as database
from tokenboard.core.config import ROOT
from tokenboard.core.db import db, new_id
from tokenboard.core.upsert import insert_once
from tokenboard.ops.models import PeriodicRun

INSTANT = datetime(2026, 11, 20, 12, 30, 15, 250_000, tzinfo=UTC)


def test_an_instant_comes_back_aware_and_equal(app: Flask):
    with app.app_context():
        db.session.add(PeriodicRun(name="a", slot_at=INSTANT.astimezone(timezone(timedelta(hours=3)))))
        db.session.commit()
        db.session.expire_all()

        kept = db.session.get_one(PeriodicRun, "a").slot_at

    assert kept == INSTANT
    assert kept.utcoffset() == timedelta(0)


def test_an_instant_without_a_zone_is_refused(app: Flask):
    with app.app_context():
        db.session.add(PeriodicRun(name="a", slot_at=datetime(2026, 1, 1)))
        with pytest.raises(StatementError, match="time zone"):
            db.session.flush()


def test_inserting_once_tells_whether_it_was_the_first(app: Flask):
    values = {"kind": "a", "open_key": "a:b", "severity": "info", "message": "m"}
    with app.app_context():
        told = [insert_once(Alert, unique="open_key", id=new_id(), **values) for _ in range(3)]
        db.session.commit()

        assert told == [True, False, False]
        assert len(db.session.scalars(select(Alert)).all()) == 1


def test_a_reader_never_waits_for_a_writer(sqlite_app: Flask):
    with sqlite_app.app_context():
        db.session.add(PeriodicRun(name="a", slot_at=INSTANT))
        db.session.flush()  # the write lock is held
        seen: list[int] = []

        def read() -> None:
            with sqlite_app.app_context(), database.read_only():
                seen.append(len(db.session.scalars(select(PeriodicRun)).all()))

        reader = threading.Thread(target=read)
        reader.start()
        reader.join(2)
        db.session.rollback()

    assert seen == [0]


_TWO_GREENLETS = """
from gevent import monkey; monkey.patch_all()
import sys, gevent, sqlalchemy as sa
from tokenboard.core.db import prepare_sqlite
engine = sa.create_engine(f"sqlite:///{sys.argv[1]}", connect_args={"check_same_thread": False})
prepare_sqlite(engine)
def write(seconds):
    with engine.begin() as connection:
        gevent.sleep(seconds)  # as when Redis is asked in mid-transaction
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS written (number INTEGER)")
        connection.exec_driver_sql("INSERT INTO written VALUES (1)")
gevent.joinall([gevent.spawn(write, 0.05) for _ in range(5)], timeout=8, raise_error=True)
print(engine.connect().exec_driver_sql("SELECT count(*) FROM written").scalar())
"""


def test_a_writer_that_waits_does_not_stop_the_writer_it_waits_for(tmp_path: Path):
    told = [sys.executable, "-c", _TWO_GREENLETS, str(tmp_path / "one.sqlite3")]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, timeout=30)

    assert (done.stdout.strip(), done.returncode) == ("5", 0), done.stderr


def test_a_request_that_only_reads_cannot_block_writers_but_can_switch_to_writing(sqlite_app: Flask):
    with sqlite_app.app_context(), database.read_only():
        db.session.execute(text("SELECT 1"))
        with database.writing():
            db.session.add(PeriodicRun(name="a", slot_at=INSTANT))
            db.session.commit()
        assert db.session.get(PeriodicRun, "a") is not None


def test_what_is_read_at_one_moment_does_not_move_while_others_commit(postgresql_house: House):
    app = postgresql_house.app
    postgresql_house.empty()

    def count() -> int:
        return db.session.scalar(select(func.count()).select_from(PeriodicRun))

    def add(name: str) -> None:
        with app.app_context():
            db.session.add(PeriodicRun(name=name, slot_at=INSTANT))
            db.session.commit()

    with app.app_context():
        database.at_one_moment()
        before = count()
        add("beside")
        seen = count()
        db.session.commit()
        assert (before, seen, count()) == (0, 0, 1)
        add("later")
        assert count() == 2, "the next transaction is as usual"


def test_foreign_keys_hold_on_sqlite_too(sqlite_app: Flask):
    with sqlite_app.app_context():
        assert db.session.scalar(text("PRAGMA foreign_keys")) == 1
        assert db.session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_a_statement_that_runs_too_long_is_ended_on_postgresql(postgresql_house: House):
    with postgresql_house.app.app_context():
        db.session.execute(text("SET LOCAL statement_timeout = 50"))
        with pytest.raises(OperationalError):
            db.session.execute(text("SELECT pg_sleep(5)"))
        db.session.rollback()
        assert db.session.scalar(text("SHOW statement_timeout")) == "30s"
