"""What a request of the sandbox can reach: the store, the clock, the end of the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast

from flask import current_app, request

from tokenboard.sandbox.openai_world import HISTORY_DAYS
from tokenboard.sandbox.store import Store

EXTENSION = "tokenboard-sandbox"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One running sandbox."""

    store: Store
    clock: Callable[[], datetime]
    chat_pace_seconds: float = 0.02  # between two chunks, unless the control API says otherwise
    stopping: threading.Event = field(default_factory=threading.Event)

    def now(self) -> datetime:
        """The sandbox's own time: set through the control API, else the real one."""
        as_of = self.store.setting("now")
        return datetime.fromisoformat(as_of) if as_of else self.clock()

    def origin(self) -> date:
        """The first day of the world; settled at the first request, so that the past stays as it was."""
        first = self.now().date() - timedelta(days=HISTORY_DAYS)
        return date.fromisoformat(self.store.settle("origin", first.isoformat()))


def sandbox() -> Sandbox:
    """The sandbox this request belongs to."""
    return cast(Sandbox, current_app.extensions[EXTENSION])


def bearer() -> str:
    """The key of a bearer header, or nothing."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def many(name: str) -> list[str]:
    """An array parameter: repeated, with or without brackets. Both forms are in live use."""
    return [*request.args.getlist(name), *request.args.getlist(f"{name}[]")]
