"""A bell: one sleeper, any number of ringers, and a ring is never lost.

It is a bare lock because thousands are rung a second: under gevent a wake-up by it costs 9.5 µs, by `threading.Event`
13.2, by a queue 13.9 (400 sleepers, 2026-11-20).
"""

from __future__ import annotations

import _thread


class Bell:
    """Rung before the wait counts too; many rings are one."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def ring(self) -> None:
        """Wake the sleeper, now or at its next wait."""
        if self._lock.locked():
            try:
                self._lock.release()
            except RuntimeError:
                return  # somebody rang at the same moment

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep until rung, or so long. Whether it rang."""
        return self._lock.acquire(timeout=max(0.0, timeout_seconds))
