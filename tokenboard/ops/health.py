"""Whether every part works, in words. Cheap, and remembered for two seconds, so that asking often costs nothing.

Laws: no secret, address or name of a person in any sentence; a check that cannot be made is a part that is down.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import column, exists, func, select, table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased

from tokenboard.core import clock
from tokenboard.core.config import ROOT
from tokenboard.core.db import db, is_postgresql
from tokenboard.core.jobs import job_queue
from tokenboard.costs.models import SyncRun
from tokenboard.ops.models import Heartbeat

REMEMBERED_SECONDS = 2.0
WAITS_SECONDS = 3.0  # for somebody else's look; longer, and whoever asks would fill the house while a part hangs
HEARTBEAT_LATE = timedelta(seconds=60)  # six missed beats
LEAST_FREE_BYTES = 32 * 2**20  # a day of a small team's rows
SYNC_LATE = timedelta(minutes=10)  # a run starts within seconds, and is found again after a kill within two minutes
_VERSION = table("alembic_version", column("version_num")).c.version_num
CLOCK_SKEW = timedelta(seconds=120)  # past it providers refuse signatures (reference/security.md, 8.26)


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: whether it works, and a sentence."""

    part: str
    is_ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """All parts at one moment."""

    findings: tuple[Finding, ...]

    @property
    def is_ok(self) -> bool:
        return all(finding.is_ok for finding in self.findings)


def readiness() -> Readiness:
    """Every part, looked at now or within the last two seconds."""
    memory: _Memory = current_app.extensions.setdefault("readiness", _Memory())
    return memory.recall()


class _Memory:
    """The last answer. One request looks; the others take what it found, or that it is still looking."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Readiness | None = None
        self._seen_at = 0.0

    def recall(self) -> Readiness:
        if not self._lock.acquire(timeout=WAITS_SECONDS):
            return Readiness((Finding("database", False, "Somebody has been waiting for its answer for seconds."),))
        try:
            if self._seen is None or clock.monotonic() - self._seen_at > REMEMBERED_SECONDS:
                self._seen, self._seen_at = examine(), clock.monotonic()
            return self._seen
        finally:
            self._lock.release()


def examine() -> Readiness:
    """Look at every part now."""
    database = database_answers()
    if not database.is_ok:
        return Readiness((database, queue_answers()))
    asked: tuple[Callable[[], Finding], ...] = (migrations_are_current, worker_lives, syncs_are_on_time, clocks_agree)
    return Readiness((database, queue_answers(), *(_guarded(one) for one in asked)))


def _guarded(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except SQLAlchemyError:
        db.session.rollback()
        return Finding(
            check.__name__.partition("_")[0], False, "Could not be asked: the database refused the question."
        )


def database_answers() -> Finding:
    try:
        db.session.execute(select(1))
    except SQLAlchemyError:
        db.session.rollback()
        return Finding("database", False, "The database does not answer.")
    free = _free_bytes()
    if free is not None and free < LEAST_FREE_BYTES:
        return Finding("database", False, f"Its disk is nearly full: {free // 2**20} MB are free.")
    return Finding("database", True, "Answers.")


def _free_bytes() -> int | None:
    """What is left on the disk of SQLite's file; a PostgreSQL server watches its own."""
    file = db.engine.url.database
    return None if is_postgresql() or not file or file == ":memory:" else shutil.disk_usage(Path(file).parent).free


def queue_answers() -> Finding:
    try:
        job_queue().connection.ping()
    except redis.exceptions.RedisError:
        sentence = "Redis does not answer: pages and sweepers work on, syncs wait until it is back."
        return Finding("queue", False, sentence)
    return Finding("queue", True, "Answers.")


def migrations_are_current() -> Finding:
    current = set(db.session.scalars(select(_VERSION)))
    if current == newest_migrations():
        return Finding("migrations", True, "At the newest.")
    return Finding("migrations", False, "The database is at another version: run flask --app wsgi db upgrade.")


def newest_migrations() -> set[str]:
    """The heads in the migrations folder; read once an application, since a deploy restarts it."""
    known: set[str] | None = current_app.extensions.get("newest_migrations")
    if known is None:
        options = Config()
        options.set_main_option("script_location", str(ROOT / "migrations"))
        known = set(ScriptDirectory.from_config(options).get_heads())
        current_app.extensions["newest_migrations"] = known
    return known


def worker_lives() -> Finding:
    beat_at = db.session.scalar(select(func.max(Heartbeat.beat_at)))
    if beat_at is None:
        return Finding("worker", False, "No worker has ever said it was alive: start one with python worker.py.")
    age = int((clock.now() - beat_at).total_seconds())
    return Finding("worker", age < HEARTBEAT_LATE.total_seconds(), f"Last sign of life {age} s ago.")


def syncs_are_on_time() -> Finding:
    instant = clock.now()
    lost = db.session.scalar(
        select(func.count())
        .select_from(SyncRun)
        .where(SyncRun.state == "running", SyncRun.lease_expires_at < instant - SYNC_LATE)
    )
    # A run behind another of the same connection waits rightly.
    ahead = aliased(SyncRun)
    has_one_ahead = exists().where(ahead.connection_id == SyncRun.connection_id, ahead.state == "running")
    waiting = select(func.min(SyncRun.next_attempt_at)).where(SyncRun.state == "waiting", ~has_one_ahead)
    oldest = db.session.scalar(waiting)
    late_minutes = int((instant - oldest).total_seconds() // 60) if oldest else 0
    if lost or late_minutes >= SYNC_LATE.total_seconds() // 60:
        return Finding("syncs", False, f"Syncs are late: {lost} lost in mid-run, the oldest waits {late_minutes} min.")
    return Finding("syncs", True, "On time.")


def clocks_agree() -> Finding:
    if not is_postgresql():
        return Finding("clock", True, "One clock: the database is a file here.")
    there = db.session.scalar(select(func.clock_timestamp()))
    assert isinstance(there, datetime)  # PostgreSQL answers with an instant
    skew = abs(clock.now() - there.astimezone(UTC))
    return Finding("clock", skew < CLOCK_SKEW, f"The database's clock is {skew.total_seconds():.1f} s away from ours.")
