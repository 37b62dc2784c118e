"""Where a real process ends, to order, as by kill -9: at a barrier that lies around a commit, a statement or an answer.

Only the tests' own starters (web.py, work.py) install these; the product knows nothing of them. A test writes a
point's name into a file; the first process that gets there takes the file away, so that it ends once, and ends itself
and nobody else: no handler runs, no buffer is written, no connection is closed in good order.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import has_request_context, request
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

WEB = ("web: before the commit", "web: after the commit, before the bell", "web: before the answer")
WORKER = (
    "worker: the event is taken",
    "worker: the ledger row is written",
    "worker: before the commit",
    "worker: after the commit",
)
_HOOKS = "/api/webhooks/"


class Barrier:
    """The file by which a test orders an end, and the end."""

    def __init__(self, order: Path, end: Callable[[], None]) -> None:
        self._order, self._end = order, end

    def reach(self, point: str) -> None:
        """End here, if that was ordered."""
        try:
            is_ordered = self._order.read_text(encoding="utf-8") == point
            if is_ordered:
                self._order.unlink()
        except FileNotFoundError:
            return
        if is_ordered:
            self._end()


def end_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ends_of_worker() -> Callable[[], None]:
    """Ends the worker, its clock and the process of its job at once; to be asked for in the worker's own process."""
    group = os.getpgid(0)

    def end() -> None:
        os.killpg(group, signal.SIGKILL)
        end_process()  # RQ gives the process of a job a group of its own

    return end


def watch_web(barrier: Barrier, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application, with barriers around what a webhook does."""

    def reach(point: str) -> None:
        if has_request_context() and request.path.startswith(_HOOKS):
            barrier.reach(point)

    event.listen(Session, "before_commit", lambda _session: reach(WEB[0]))
    event.listen(Session, "after_commit", lambda _session: reach(WEB[1]), insert=True)  # before the bells ring

    def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = app(environ, start_response)
        if environ["PATH_INFO"].startswith(_HOOKS):
            barrier.reach(WEB[2])
        return answer

    return watched


def watch_worker(barrier: Barrier) -> None:
    """Barriers around the handling of an event that grants."""
    here = threading.local()

    def after_statement(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM inbox_event" in statement and "inbox_event.state IN" in statement and "inbox_event.id =" in statement:
            barrier.reach(WORKER[0])
        if statement.startswith("INSERT INTO payment_grant"):
            here.has_granted = True
            barrier.reach(WORKER[1])

    def before_commit(session: Session) -> None:
        if getattr(here, "has_granted", False) and not session.in_nested_transaction():
            barrier.reach(WORKER[2])

    def after_commit(session: Session) -> None:
        if getattr(here, "has_granted", False) and not session.in_nested_transaction():
            here.has_granted = False
            barrier.reach(WORKER[3])

    event.listen(Engine, "after_cursor_execute", after_statement)
    event.listen(Session, "before_commit", before_commit)
    event.listen(Session, "after_commit", after_commit, insert=True)
