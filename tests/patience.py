"""How long redis-py waited between its tries: what a page must not pay for, told without a clock.

Seconds on a wall clock grow with a crowded machine; what the library asks to sleep does not.
"""

from __future__ import annotations

import pytest
import redis.retry


class Patience:
    """Seconds redis-py asked to sleep since the test began; it is not let sleep."""

    def __init__(self) -> None:
        self.slept_seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept_seconds += seconds


@pytest.fixture
def redis_patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    """Redis-py's own patience is 3.8 s a call; ours is none."""
    patience = Patience()
    monkeypatch.setattr(redis.retry, "sleep", patience.sleep)
    return patience
