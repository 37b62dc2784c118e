"""What the database says must still happen, by kind: the queue is only a bell, these rows are the truth.

One query, however many kinds. `late` is what waits longer than it should, or was given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all

from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Refund
from tokenboard.billing.reconcile_models import ReconcileRun
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs.connection_models import SyncRun
from tokenboard.keys.models import MirrorTarget
from tokenboard.keys.spend_models import DEAD, NEW, SpendBatch
from tokenboard.metering.models import MeteredCall
from tokenboard.notices.models import Notice


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of row: how many wait, how many were given up or lost, and since when the oldest waits."""

    name: str
    waiting: int
    late: int
    oldest_at: datetime | None

    def seconds(self, instant: datetime) -> int:
        """How long the oldest has waited."""
        return max(0, int((instant - self.oldest_at).total_seconds())) if self.oldest_at else 0


def waiting() -> list[Waiting]:
    """Every kind, in one order."""
    rows = {name: (count, late, oldest) for name, count, late, oldest in db.session.execute(union_all(*_parts(now())))}
    return [Waiting(name, int(rows[name][0]), int(rows[name][1]), _aware(rows[name][2])) for name in NAMES]


NAMES = ("messages", "webhooks", "syncs", "mirror", "spend", "calls", "refunds", "comparisons")


def _parts(instant: datetime) -> list[Select[Any]]:
    is_lost_run = (SyncRun.state == "running") & (SyncRun.lease_expires_at < instant)
    is_lost_call = (MeteredCall.state == "open") & (MeteredCall.lease_until < instant)
    is_failing = (MirrorTarget.state == "due") & (MirrorTarget.attempts > 0)
    return [
        _count("messages", Notice.state == "waiting", Notice.state == "dead", Notice.created_at),
        _count("webhooks", InboxEvent.state.in_(("new", "retry")), InboxEvent.state == "dead", InboxEvent.received_at),
        _count("syncs", SyncRun.state.in_(("waiting", "running")), is_lost_run, SyncRun.queued_at),
        _count("mirror", MirrorTarget.state == "due", is_failing, MirrorTarget.next_attempt_at),
        _count("spend", SpendBatch.state == NEW, SpendBatch.state == DEAD, SpendBatch.received_at),
        _count("calls", MeteredCall.state == "open", is_lost_call, MeteredCall.started_at),
        _count("refunds", Refund.next_ask_at.is_not(None), Refund.next_ask_at < instant, Refund.created_at),
        _count(
            "comparisons", ReconcileRun.state != "done", ReconcileRun.lease_ends_at < instant, ReconcileRun.asked_at
        ),
    ]


def _count(name: str, waits: ColumnElement[bool], is_late: ColumnElement[bool], since: Any) -> Select[Any]:
    """Both conditions are asked of few rows: each has an index of its own, or a table that stays small."""
    late = select(func.count()).where(is_late).scalar_subquery()
    return select(literal(name), func.count(), late, func.min(since)).where(waits)


def _aware(found: datetime | str | None) -> datetime | None:
    """SQLite gives a minimum back as text, and keeps no zone."""
    if found is None:
        return None
    at = datetime.fromisoformat(found) if isinstance(found, str) else found
    return at if at.tzinfo else at.replace(tzinfo=UTC)
