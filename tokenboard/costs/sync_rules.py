"""When which days are read, how long a lease lasts, and when to try again. Pure.

Laws: the last seven days are read every hour, the current and the previous month once a day, 180 days at the beginning;
whatever was missed is made up for at the next hour. A failed reading waits longer each time and ends after six tries
without progress. Sources: reference/openai-admin.md A3 (revisions), reference/reliability.md 2.3 (back-off).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from tokenboard.core.clock import Month
from tokenboard.costs.period_rules import Period, last_days

BACKFILL_DAYS = 180
RECENT_DAYS = 7
HOURLY_MINUTE = 7  # schedule.py rings then
FULL_READING_AGE = timedelta(hours=26)  # a day, and two hours for a worker that was away at 02:00

LEASE = timedelta(seconds=60)
RENEW_SECONDS = 20  # three renewals may fail before the lease is over
ATTEMPTS_MAX = 6  # in a row, without a day of progress
_BACKOFF_SECONDS = (10, 60, 300, 1_800, 7_200)
_LONGEST_WAIT_SECONDS = 6 * 3_600

# Written in one transaction: short enough that pages wait for SQLite's one writer for well under a second.
BATCH_DAYS = 7
BATCH_ROWS = 5_000

CURRENCY = "usd"
PROVIDER_NAMES = {"openai": "OpenAI", "anthropic": "Anthropic"}


class Reason(StrEnum):
    """Why a run was queued."""

    BACKFILL = "backfill"
    HOURLY = "hourly"
    DAILY = "daily"
    MANUAL = "manual"
    CRON = "cron"


class State(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


# What the API calls them (api.md: jobs).
JOB_STATUS = {State.WAITING: "queued", State.RUNNING: "running", State.DONE: "done", State.FAILED: "failed"}
FULL_READINGS = (Reason.BACKFILL, Reason.DAILY)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to read, and why."""

    reason: Reason
    period: Period


def backfill(today: date) -> Plan:
    return Plan(Reason.BACKFILL, last_days(BACKFILL_DAYS, today))


def recent(today: date, reason: Reason = Reason.HOURLY) -> Plan:
    return Plan(reason, last_days(RECENT_DAYS, today))


def months(today: date) -> Plan:
    """The current month up to today and all of the one before: what a provider may still revise."""
    return Plan(Reason.DAILY, Period(Month.of(today).shift(-1).first_day, today))


def balance(today: date, reason: Reason) -> Plan:
    """A personal key tells its balance of now and nothing of other days."""
    return Plan(reason, Period(today, today))


def due(now: datetime, last_full_sync_at: datetime | None, reason: Reason = Reason.HOURLY) -> Plan:
    """What is to be read next, missed readings first."""
    today = now.date()
    if last_full_sync_at is None:
        return backfill(today)
    if now - last_full_sync_at > FULL_READING_AGE:
        return months(today)
    return recent(today, reason)


def next_slot(now: datetime) -> datetime:
    """The next hourly reading."""
    slot = now.replace(minute=HOURLY_MINUTE, second=0, microsecond=0)
    return slot if slot > now else slot + timedelta(hours=1)


def wait_after(attempts: int, asked_seconds: int | None, jitter_percent: int) -> timedelta:
    """How long to wait after so many failed attempts; never shorter than the provider asked for."""
    step = _BACKOFF_SECONDS[min(max(attempts, 1), len(_BACKOFF_SECONDS)) - 1]
    ours = step + step * jitter_percent // 100
    return timedelta(seconds=min(max(ours, asked_seconds or 0), _LONGEST_WAIT_SECONDS))


def slug_of(error_name: str) -> str:
    """`KeyLacksScope` as `key_lacks_scope`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", error_name).lower()


def is_in_order(days: list[date], after: date | None) -> bool:
    """Whether days follow each other upwards, gaps allowed, all of them after `after`."""
    before = [after, *days[:-1]]
    return all(earlier is None or earlier < later for earlier, later in zip(before, days, strict=True))
