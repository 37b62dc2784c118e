"""Monitoring in finished texts: every part now, what waits, and the log of the last days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tokenboard.core.clock import now
from tokenboard.ops import books_queries, health, jobs_queue, monitoring_queries, waiting_queries
from tokenboard.ops.books_queries import Verdict
from tokenboard.ops.health import Finding
from tokenboard.ops.monitoring_queries import Span, Syncs
from tokenboard.ops.payments_page import Choice
from tokenboard.web.filters import ago, day, milliseconds, number, plural

PATH = "/admin/monitoring"
MOST_SPANS = 100
PERIODS = (("1", "24 hours"), ("7", "7 days"), ("30", "30 days"))
PART_WORDS = {
    "database": "Database",
    "queue": "Queue",
    "migrations": "Migrations",
    "worker": "Worker",
    "syncs": "Syncs",
    "clock": "Clock",
}


@dataclass(frozen=True, slots=True)
class SpanLine:
    """One line of the log."""

    words: str
    tone: str
    icon: str
    span: str
    length: str
    most: str


@dataclass(frozen=True, slots=True)
class MonitoringPage:
    """Everything on the page."""

    is_ok: bool
    parts: tuple[tuple[str, Finding], ...]
    figures: tuple[tuple[str, str, str, str], ...]
    log: tuple[SpanLine, ...]
    periods: tuple[Choice, ...]
    sampled_at: datetime | None


def build(given: Mapping[str, str]) -> MonitoringPage:
    """Every part is looked at, at most every two seconds (health.py); the log is one read."""
    days = given.get("days", "")
    days = days if days in dict(PERIODS) else "1"
    found = health.readiness()
    spans = monitoring_queries.spans(timedelta(days=int(days)), limit=MOST_SPANS)
    return MonitoringPage(
        is_ok=found.is_ok,
        parts=tuple((PART_WORDS.get(one.part, one.part.capitalize()), one) for one in found.findings),
        figures=_figures(),
        log=tuple(_line(one) for one in spans),
        periods=tuple(Choice(label, f"{PATH}?days={key}", key == days) for key, label in PERIODS),
        sampled_at=monitoring_queries.last_sample_at(),
    )


def _figures() -> tuple[tuple[str, str, str, str], ...]:
    """Label, value, note, and where it is dealt with."""
    rows = {one.name: one for one in waiting_queries.waiting()}
    depths, syncs = jobs_queue.depths(), monitoring_queries.syncs()
    books = books_queries.verdict(books_queries.lamps())
    webhooks = rows["webhooks"]
    lag = milliseconds(webhooks.seconds(now()) * 1000) if webhooks.oldest_at else "none"
    queue = ("no answer", "Redis is away") if depths is None else (number(depths["waiting"]), _failed(depths))
    return (
        ("Queue", *queue, "/admin/jobs"),
        ("Webhook lag", lag, f"{number(webhooks.waiting)} wait, {number(webhooks.late)} dead", "/admin/webhooks"),
        ("Last sync", *_sync_words(syncs), ""),
        ("Books", *_books_words(books), "/admin/books"),
    )


def _books_words(books: Verdict) -> tuple[str, str]:
    """The sentence stands on the books' own page."""
    return {
        "ok": ("in balance", "every law holds"),
        "broken": ("broken", ", ".join(books.broken)),
        "late": ("late", "the last check is a day old"),
        "unchecked": ("unchecked", "nobody has looked yet"),
    }[books.status]


def _failed(depths: Mapping[str, int]) -> str:
    return f"{number(depths['running'])} running, {number(depths['failed'])} failed"


def _sync_words(syncs: Syncs) -> tuple[str, str]:
    note = f"{number(syncs.failed_today)} failed in a day, {plural(syncs.rejected, 'key')} refused"
    return (ago(syncs.last_done_at) if syncs.last_done_at else "never", note)


def _line(one: Span) -> SpanLine:
    if one.is_silent:
        words, tone, icon = "Nobody looked: no worker ran", "warn", "circle-help"
    elif one.down:
        named = ", ".join(PART_WORDS.get(part, part).lower() for part in one.down)
        words, tone, icon = f"Down: {named}", "bad", "circle-alert"
    else:
        words, tone, icon = "Everything worked", "ok", "check"
    return SpanLine(
        words=words,
        tone=tone,
        icon=icon,
        span=f"{_clock(one.from_at)} – {_clock(one.to_at, after=one.from_at)}",
        length=_length(one.to_at - one.from_at),
        most="" if one.is_silent else number(one.most_waiting),
    )


def _clock(at: datetime, *, after: datetime | None = None) -> str:
    """28 Nov, 04:41; the time alone on the same day as `after`."""
    is_same_day = after is not None and after.date() == at.date()
    return f"{at:%H:%M}" if is_same_day else f"{day(at.date())}, {at:%H:%M}"


def _length(time: timedelta) -> str:
    """25 min, 3 h 24 min, 2 days."""
    minutes = max(1, round(time.total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return plural(hours // 24, "day")
    return f"{hours} h {rest} min" if hours else f"{rest} min"
