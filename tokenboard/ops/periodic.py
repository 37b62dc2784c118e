"""When a periodic job is due: pure reckoning over cron lines, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from croniter import croniter


@dataclass(frozen=True, slots=True)
class Periodic:
    """`task` fires at every slot of `cron` (UTC; a sixth field counts seconds)."""

    name: str
    task: str
    cron: str
    # Sweepers: the clockwork runs them itself while the queue is away, and a bell that waited too long is dropped.
    runs_without_queue: bool = False


def latest_slot(cron: str, instant: datetime) -> datetime:
    """The newest slot that is not after `instant`. However many were missed, only this one counts."""
    after = instant.replace(microsecond=0) + timedelta(seconds=1)  # croniter answers what lies strictly before
    slot: datetime = croniter(cron, after).get_prev(datetime)
    return slot


def job_id(name: str, slot: datetime) -> str:
    """The queue's name for this firing: the same for every worker, so that Redis refuses a second one."""
    return f"periodic-{name}-{slot:%Y%m%dT%H%M%SZ}"
