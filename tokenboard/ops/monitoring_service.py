"""The monitoring log: how the house stood, every five minutes. A periodic job writes, the monitoring page reads."""

from __future__ import annotations

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ops import health, jobs_queue, waiting_queries
from tokenboard.ops.models import MonitoringSample


def sample() -> MonitoringSample:
    """Look at every part and write down what was found."""
    found = health.examine()
    down = [one.part for one in found.findings if not one.is_ok]
    row = MonitoringSample(taken_at=now(), is_ok=found.is_ok, down=down, figures=figures())
    db.session.add(row)
    return row


def figures() -> dict[str, int]:
    """How much waits where, and how much of it is in trouble; the queue's own are missing while Redis is away."""
    depths = jobs_queue.depths() or {}
    told = {f"queue_{name}": count for name, count in depths.items()}
    for one in waiting_queries.waiting():
        told |= {one.name: one.waiting, f"{one.name}_late": one.late}
    return told
