"""One log line a call of the chat upstream. It names no person, holds no key and nothing of what was said."""

from __future__ import annotations

import logging

from tokenboard.core import clock
from tokenboard.providers.chat_errors import ChatError

log = logging.getLogger(__name__)


class CallRecord:
    """What the log will say about a call."""

    def __init__(self, host: str, path: str, call_id: str = "", model: str = "") -> None:
        self._facts = {"provider": "chat", "host": host, "path": path, "call_id": call_id, "model": model}
        self._begun = clock.monotonic()
        self._first_piece_ms: int | None = None
        self._is_written = False
        self.status: int | None = None
        self.failure: ChatError | None = None

    def note_piece(self, begun: float) -> None:
        if self._first_piece_ms is None:
            self._first_piece_ms = round((clock.monotonic() - begun) * 1000)

    def write(self, *, is_stopped: bool = False, size_bytes: int = 0) -> None:
        """Once, whoever comes first."""
        if self._is_written:
            return
        self._is_written = True
        facts = self._facts | {
            "status": self.status,
            "size_bytes": size_bytes,
            "first_piece_ms": self._first_piece_ms,
            "duration_ms": round((clock.monotonic() - self._begun) * 1000),
            "is_stopped": is_stopped,
            "failure": type(self.failure).__name__ if self.failure else None,
            "detail": self.failure.detail if self.failure else None,
        }
        log.log(logging.WARNING if self.failure else logging.INFO, "chat call", extra=facts)
