"""The jobs in finished texts: the queue, the rows that wait, the workers, when each periodic job last fired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.jobs import task_names
from tokenboard.ops import jobs_queue, waiting_queries
from tokenboard.ops.health import HEARTBEAT_LATE
from tokenboard.ops.jobs_queue import JobFacts, QueueFacts
from tokenboard.ops.models import Heartbeat, PeriodicRun
from tokenboard.ops.waiting_queries import Waiting
from tokenboard.web.filters import number

PATH = "/admin/jobs"
STATE_WORDS = {
    "running": ("running", "accent", "play"),
    "failed": ("failed", "bad", "circle-alert"),
    "scheduled": ("will be tried again", "warn", "clock"),
    "waiting": ("waits", "", "clock"),
}
# What waits, what it means when it is late, and where it is dealt with.
WAITING_WORDS = {
    "messages": ("Messages", "given up", ""),
    "webhooks": ("Webhooks", "dead", "/admin/webhooks?state=dead"),
    "syncs": ("Syncs", "lost their worker", ""),
    "mirror": ("LiteLLM to be told", "refused so far", ""),
    "spend": ("Spend deliveries", "given up", ""),
    "calls": ("Calls under way", "lost their process", ""),
    "refunds": ("Refunds to ask about", "due", "/admin/payments?trouble=refund"),
    "comparisons": ("Comparisons", "lost their worker", "/admin/reconcile"),
}


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job."""

    id: str
    task: str
    ids: tuple[str, ...]
    state: str
    words: str
    tone: str
    icon: str
    at: datetime | None
    error: str
    trace: str
    can_retry: bool
    cancel_words: str


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One kind of row that waits."""

    label: str
    waiting: str
    late: str
    href: str
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """One worker's clock."""

    name: str
    beat_at: datetime
    is_late: bool


@dataclass(frozen=True, slots=True)
class JobsPage:
    """Everything on the page. Without Redis there is no queue to show."""

    has_queue: bool
    counts: tuple[tuple[str, str, str], ...]
    lines: tuple[JobLine, ...]
    failed: int
    waiting: tuple[WaitingLine, ...]
    workers: tuple[WorkerLine, ...]
    slots: list[PeriodicRun]


def build() -> JobsPage:
    """Three reads of the database, a handful of Redis."""
    queue = jobs_queue.facts()
    beats = db.session.scalars(select(Heartbeat).order_by(Heartbeat.beat_at.desc(), Heartbeat.name).limit(50)).all()
    slots = db.session.scalars(select(PeriodicRun).order_by(PeriodicRun.name)).all()
    late_before = now() - HEARTBEAT_LATE
    return JobsPage(
        has_queue=queue is not None,
        counts=_counts(queue) if queue else (),
        lines=tuple(_job(one) for one in queue.jobs) if queue else (),
        failed=queue.failed if queue else 0,
        waiting=tuple(_waiting(one) for one in waiting_queries.waiting()),
        workers=tuple(WorkerLine(one.name, one.beat_at, one.beat_at < late_before) for one in beats),
        slots=list(slots),
    )


def _counts(queue: QueueFacts) -> tuple[tuple[str, str, str], ...]:
    return (
        ("Waiting", number(queue.waiting), "bells nobody has heard yet"),
        ("Running", number(queue.running), "at this moment"),
        ("To be tried again", number(queue.scheduled), "after 10 s, 1 min and 5 min"),
        ("Failed", number(queue.failed), "kept for two weeks"),
    )


def _job(one: JobFacts) -> JobLine:
    words, tone, icon = STATE_WORDS[one.state]
    cancel = {"running": "Stop it", "failed": "Forget it"}.get(one.state, "Cancel it")
    return JobLine(
        id=one.id,
        task=one.task,
        ids=one.ids,
        state=one.state,
        words=words,
        tone=tone,
        icon=icon,
        at=one.at,
        error=one.error,
        trace=one.trace,
        can_retry=one.state == "failed",
        cancel_words=cancel,
    )


def _waiting(one: Waiting) -> WaitingLine:
    label, late, href = WAITING_WORDS[one.name]
    late_words = f"{number(one.late)} {late}" if one.late else ""
    return WaitingLine(label, number(one.waiting), late_words, href, one.oldest_at)


def sweepers() -> list[str]:
    """The tasks that find again what a lost bell left behind."""
    return [name for name in task_names() if name.endswith(".sweep")]
