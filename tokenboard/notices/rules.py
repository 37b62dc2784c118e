"""When a message that could not be sent is tried again, and when we stop."""

from __future__ import annotations

from datetime import timedelta

# 10 s, 1 min, 5 min, 30 min, 2 h, 6 h (reference/reliability.md 2.3): a morning's outage is survived.
BACK_OFF_SECONDS = (10, 60, 300, 1_800, 7_200, 21_600)
ATTEMPTS_MAX = len(BACK_OFF_SECONDS) + 1
# Longer than the slowest sending (webhooks are cut at 30 s, mail at ten answers of 10 s): a longer holder is dead.
LEASE = timedelta(minutes=5)
JITTER = 0.2  # up to a fifth more, so that what failed together does not come back together


def wait_after(attempts: int, *, jitter: float) -> timedelta | None:
    """How long to wait after so many attempts; None when that was the last one. `jitter` is 0 to 1."""
    if attempts >= ATTEMPTS_MAX:
        return None
    return timedelta(seconds=BACK_OFF_SECONDS[attempts - 1] * (1 + JITTER * jitter))
