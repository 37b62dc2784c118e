"""What the monitoring page and call tell: parts, syncs, webhooks, books; and the log, as spans of one state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs.connection_models import Connection, SyncRun
from tokenboard.ops.models import Heartbeat, MonitoringSample

# One is taken every five minutes; longer without means that nobody was there to take it.
_GAP = timedelta(minutes=12)
MOST_SAMPLES = 8_640 + 10  # 30 days of them
_ALIVE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which the same parts were down; none: all was well. `is_silent`: nobody looked."""

    from_at: datetime
    to_at: datetime
    down: tuple[str, ...]
    most_waiting: int
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Syncs:
    """How provider syncs stand."""

    last_done_at: datetime | None
    failed_today: int
    rejected: int


def spans(since: timedelta, *, limit: int) -> list[Span]:
    """The log since then, the newest span first."""
    newest = select(MonitoringSample).where(MonitoringSample.taken_at >= now() - since)
    rows = list(db.session.scalars(newest.order_by(MonitoringSample.taken_at.desc()).limit(MOST_SAMPLES)))
    return _spans(rows[::-1])[::-1][:limit]


def _spans(rows: list[MonitoringSample]) -> list[Span]:
    """Rows are the oldest first."""
    found: list[Span] = []
    for row in rows:
        last = found[-1] if found else None
        if last is not None and row.taken_at - last.to_at > _GAP:
            found.append(Span(last.to_at, row.taken_at, (), 0, is_silent=True))
            last = None
        down, waits = tuple(row.down), _waits(row)
        if last is not None and not last.is_silent and last.down == down:
            found[-1] = Span(last.from_at, row.taken_at, down, max(last.most_waiting, waits), is_silent=False)
        else:
            began = last.to_at if last is not None else row.taken_at
            found.append(Span(began, row.taken_at, down, waits, is_silent=False))
    return found


def _waits(row: MonitoringSample) -> int:
    """All rows that waited, their troubles not counted again."""
    return sum(
        count for name, count in row.figures.items() if not name.endswith("_late") and not name.startswith("queue_")
    )


def last_sample_at() -> datetime | None:
    return db.session.scalar(select(func.max(MonitoringSample.taken_at)))


def syncs() -> Syncs:
    """Two queries."""
    last = db.session.scalar(select(func.max(Connection.last_synced_at)))
    rejected = select(func.count()).select_from(Connection).where(Connection.status == "rejected").scalar_subquery()
    is_recent = SyncRun.next_attempt_at > now() - timedelta(days=1)
    failed = select(func.count()).select_from(SyncRun).where(SyncRun.state == "failed", is_recent).scalar_subquery()
    counts = db.session.execute(select(failed, rejected)).one()
    return Syncs(last, int(counts[0]), int(counts[1]))


def workers_alive() -> int:
    """How many workers have said within a minute that they live."""
    alive = select(func.count()).select_from(Heartbeat).where(Heartbeat.beat_at >= now() - _ALIVE)
    return db.session.scalar(alive) or 0
