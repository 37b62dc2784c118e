"""Waiting for PostgreSQL under gevent: one watcher a connection, not a poll object and its set a wait.

psycopg's own waiting under gevent works, and costs more than a small statement itself (docs/metering.md, "Figures").
Law: only the greenlet that waits sleeps; nothing here is used unpatched.
"""

from __future__ import annotations

import sys
from typing import Any

from psycopg.waiting import Ready, Wait
from sqlalchemy import Engine, event

from tokenboard.core.prepared import LastingConnection

_EVENTS = {Wait.R: (1, Ready.R), Wait.W: (2, Ready.W), Wait.RW: (3, Ready.RW)}  # libev's numbers for them


def is_green() -> bool:
    """Whether threads are greenlets here: gunicorn's gevent worker has patched them before anything was imported."""
    patched = sys.modules.get("gevent.monkey")
    return patched is not None and bool(patched.is_module_patched("threading"))


class GreenConnection(LastingConnection):
    """Sleeps in the hub until its socket has something for it."""

    def wait(self, gen: Any, *args: Any, **more: Any) -> Any:
        if args or more:  # with a time limit of its own: psycopg's way
            return super().wait(gen, *args, **more)
        from gevent import get_hub

        hub: Any = get_hub()  # type: ignore[no-untyped-call]
        try:
            wanted = next(gen)
            while True:
                events, ready = _EVENTS[wanted]
                hub.wait(self._watcher(hub.loop, events))
                wanted = gen.send(ready)
        except StopIteration as ended:
            return ended.value

    def _watcher(self, loop: Any, events: int) -> Any:
        """Not started. One for each thread's loop that the connection has ever been used in: the last one is kept."""
        known = self.__dict__.setdefault("_watchers", {})
        watcher = known.get(events)
        if watcher is None or watcher.loop is not loop:
            watcher = known[events] = loop.io(self.pgconn.socket, events)
        return watcher

    def close(self) -> None:
        for watcher in self.__dict__.pop("_watchers", {}).values():
            watcher.close()
        super().close()


def connect_our_way(engine: Engine) -> None:
    """From now on its connections keep what is prepared (`prepared.py`), and wait in the hub if there is one."""
    if engine.dialect.name == "postgresql":
        event.listen(engine, "do_connect", _connect)


def _connect(_dialect: object, _record: object, arguments: Any, options: Any) -> LastingConnection:
    kind = GreenConnection if is_green() else LastingConnection
    return kind.connect(*arguments, **options)
