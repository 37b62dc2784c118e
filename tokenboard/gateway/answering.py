"""An answer of `/v1` on its way out: event by event, or whole.

Laws: nothing is sent that was not recorded first; a break in mid-stream is an error event in OpenAI's shape, after
which nothing follows but the end; the stream ends with `[DONE]`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from flask import json

from tokenboard.gateway import refusing
from tokenboard.gateway.assembling import Assembled, is_only_usage, read_event
from tokenboard.gateway.errors import failure_body
from tokenboard.gateway.refusing import DONE
from tokenboard.metering.relaying import Generation
from tokenboard.metering.stream_events import ChatFailure, Delta, Ended, Heartbeat
from tokenboard.web import sse


def streamed(generation: Generation, *, wants_usage: bool, reader_of: str = "") -> Iterator[bytes]:
    """The provider's events, each once; closing this ends the answer.

    `reader_of`: the model, where a person reads this in Open WebUI and is told in words why the answer broke off.
    """
    with closing(generation.listen()) as heard:
        for event in heard:
            if isinstance(event, Delta):
                yield _passed_on(event.events, wants_usage=wants_usage)
            elif isinstance(event, Heartbeat):
                yield sse.HEARTBEAT
            else:
                yield from _end(event, reader_of)
                return


def _passed_on(events: tuple[bytes, ...], *, wants_usage: bool) -> bytes:
    kept = events if wants_usage else tuple(one for one in events if not _is_only_usage(one))
    return b"".join(b"data: " + one + b"\n\n" for one in kept)


def _is_only_usage(raw: bytes) -> bool:
    if b'"usage"' not in raw:  # nearly every chunk: not worth reading
        return False
    found = read_event(raw)
    return found is not None and is_only_usage(found)


def _end(ended: Ended, reader_of: str) -> Iterator[bytes]:
    if ended.error is not None and reader_of:
        yield refusing.broken_off(ended.error, reader_of)
    elif ended.error is not None:
        yield sse.event(json.dumps(failure_body(ended.error)))
    yield DONE


class BrokenOff(Exception):
    """No whole answer came. What had come is charged as docs/metering.md says."""

    def __init__(self, failure: ChatFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def whole(generation: Generation, *, call_id: str, model: str) -> dict[str, Any]:
    """The whole answer at once. Raises: BrokenOff."""
    assembled = Assembled()
    heard: Generator[Any, None, None] = generation.listen()
    with closing(heard):
        for event in heard:
            if isinstance(event, Delta):
                assembled.add(event.events)
            elif isinstance(event, Ended):
                if event.error is not None:
                    raise BrokenOff(event.error)
                return assembled.completion(call_id=call_id, model=model, reason=event.reason)
    raise AssertionError("a generation ends with Ended")
