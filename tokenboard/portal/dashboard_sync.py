"""How fresh the bill is, in words: being read, refused, late, fine. Pure.

Law: trouble names its cause and its cure; a bill that is late is shown all the same, and said to be late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tokenboard.costs.queries import BillConnection, LiveRun
from tokenboard.portal.dashboard_view import PROVIDERS
from tokenboard.web.filters import ago

POLL_SECONDS = 2
STALE_AFTER = timedelta(hours=26)  # the daily reading at 02:00 UTC, and two hours for a worker that was away


@dataclass(frozen=True, slots=True)
class Running:
    """A bill being read."""

    label: str
    text: str
    days_done: int
    days_total: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with a connection, and what cures it."""

    kind: str
    title: str
    text: str
    cure: str
    href: str


@dataclass(frozen=True, slots=True)
class SyncState:
    """What the dashboard says of its connections."""

    running: Sequence[Running]
    troubles: Sequence[Trouble]
    can_sync: bool

    @property
    def is_polling(self) -> bool:
        return bool(self.running)


def sync_state(live: Sequence[BillConnection], now: datetime, *, may_sync: bool) -> SyncState:
    """Every live connection's state."""
    running = [_running(one) for one in live if one.run is not None and not _backs_off(one.run, now)]
    troubles = [trouble for one in live if (trouble := _trouble(one, now)) is not None]
    can_sync = may_sync and not running and any(one.status == "active" for one in live)
    return SyncState(running, troubles, can_sync)


def _backs_off(run: LiveRun, now: datetime) -> bool:
    """Whether a run waits for its next attempt: for minutes or hours, so nobody should watch it."""
    return run.state == "waiting" and run.next_attempt_at > now


def _running(one: BillConnection) -> Running:
    assert one.run is not None  # asked for by the caller
    name, run = PROVIDERS[one.provider], one.run
    if run.state == "waiting" and not run.days_done:
        return Running(f"{name}: waiting for a worker", f"{run.days_total} days to read", 0, run.days_total)
    text = f"{run.days_done} of {run.days_total} days"
    return Running(f"Reading the {name} bill", text, run.days_done, run.days_total)


def _trouble(one: BillConnection, now: datetime) -> Trouble | None:
    name = PROVIDERS[one.provider]
    if one.status == "rejected":
        text = one.last_error or f"{name} refuses this key."
        title = f"{name} refuses the key ending in {one.last4}"
        return Trouble("bad", title, text, "Replace the key", "/settings/connections")
    since = one.last_synced_at or one.created_at
    if one.last_error and one.last_error_code != "partly_read":
        title = f"The {name} bill could not be read" + (f"; it stands as of {ago(since, now)}" if one.first_on else "")
        return Trouble(
            "warn", title, f"{one.last_error} {_next_try(one, now)}".strip(), "See the connection", _SETTINGS
        )
    if one.run is None and now - since > STALE_AFTER:
        title = f"The {name} bill was last read {ago(since, now)}"
        return Trouble(
            "warn", title, "It should be read every hour: is the worker running?", "See the connection", _SETTINGS
        )
    return None


def _next_try(one: BillConnection, now: datetime) -> str:
    if one.last_error_code == "cannot_unseal":
        return ""  # no trying again helps: the key is asked for
    if one.run is not None and _backs_off(one.run, now):
        return f"It is tried again by itself {ago(one.run.next_attempt_at, now)}."
    return "It is tried again by itself."


_SETTINGS = "/settings/connections"
