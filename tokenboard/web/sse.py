"""Server-sent events, written in one place: the framing, the heartbeat, the headers a stream needs.

Laws: the first line goes out at once (Heroku's router waits 30 s for the first byte, then 55 s for each next one); a
heartbeat is a comment, so that no reader of events sees it; text is cut at every kind of line end that ends a line of
an event stream, so that no data can begin a field of its own.
Source: html.spec.whatwg.org, "Server-sent events", read 2026-11-20.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from flask import Response, request

RECONNECT_AFTER_MILLISECONDS = 1_000
OPENING = f"retry: {RECONNECT_AFTER_MILLISECONDS}\n\n".encode()
HEARTBEAT = b": still here\n\n"
LARGEST_OFFSET = 2**31 - 1

_LINE_END = re.compile(r"\r\n|\r|\n")


def event(data: str, *, name: str = "", event_id: int | str | None = None) -> bytes:
    """One event. Without a name it is a `message`, which htmx swaps in; with one it is for a program."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    if name:
        head += f"event: {name}\n"
    if "\n" in data or "\r" in data:
        data = "\ndata: ".join(_LINE_END.split(data))
    return f"{head}data: {data}\n\n".encode("utf-8", "replace")


def response(events: Iterable[bytes], *, comes_back: bool = True) -> Response:
    """An answer that streams. `events` is closed when the reader goes away.

    `comes_back`: the reader reconnects by itself and is told when. Programs of `/v1` do not, and OpenAI's own client
    takes a lone `retry` for an event without data; they hear a comment first.
    """
    opened = _opened(events, OPENING if comes_back else HEARTBEAT)
    answer = Response(opened, mimetype="text/event-stream", direct_passthrough=True)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"  # nginx and its like would gather events into pages
    return answer


def _opened(events: Iterable[bytes], first: bytes) -> Iterator[bytes]:
    iterator: Any = iter(events)
    if not hasattr(iterator, "close"):
        yield first
        yield from iterator
        return
    with closing(iterator):
        yield first
        yield from iterator


def last_event_id() -> int:
    """From which character on the reader wants the answer: what it was given last, 0 when it says nothing readable."""
    given = request.headers.get("Last-Event-ID", "") or request.args.get("lastEventId", "")
    if not (given.isascii() and given.isdigit() and len(given) <= 10):
        return 0
    return min(int(given), LARGEST_OFFSET)
