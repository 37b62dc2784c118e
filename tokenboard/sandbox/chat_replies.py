"""One answer of the sandbox, made event by event, at its pace; and what it is billed as."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tokenboard.core import clock
from tokenboard.sandbox.chat_asked import Asked
from tokenboard.sandbox.chat_scripts import answer_to, thought_about
from tokenboard.sandbox.chat_tokens import tokens
from tokenboard.sandbox.litellm_shapes import chunk, event, usage_object
from tokenboard.sandbox.spend_log import LEFT, SpendLog, row

_LOOK_SECONDS = 0.02  # how often somebody who waits looks whether the client is still there


class Reply:
    """An answer under way. Counts what it sent: a client that leaves is billed for that."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        thought = tokens(thought_about(asked.messages)) if asked.model.is_thinking else []
        self.thought = thought[: asked.limit]
        whole = tokens(answer_to(asked.messages))
        self.pieces = whole[: asked.limit - len(self.thought)]
        self.reason = "stop" if len(self.pieces) == len(whole) else "length"
        self.sent_tokens = 0
        self.has_ended = False
        self.error: Mapping[str, Any] | None = None
        self.pace_seconds = asked.pace_seconds
        self._started = asked.here.now()
        self._created = int(self._started.timestamp())
        self._first_at: datetime | None = None

    # Events

    def delta(self, reason: str | None = None, **inner: Any) -> bytes:
        return event(chunk(self.asked.request_id, self._created, self.asked.model.name, inner, reason))

    def begin(self) -> Iterator[bytes]:
        self._first_at = self.asked.here.now()
        yield self.delta(content="", role="assistant")

    def thoughts(self) -> Iterator[bytes]:
        for piece in self.thought:
            yield self._counted(self.delta(reasoning_content=piece))

    def texts(self, most: int | None = None) -> Iterator[bytes]:
        for piece in self.pieces[:most]:
            yield self._counted(self.delta(content=piece))

    def _counted(self, told: bytes) -> bytes:
        self.sent_tokens += 1
        if self.pace_seconds:
            self.asked.here.stopping.wait(self.pace_seconds)
        return told

    def usage_event(self, told: object) -> bytes:
        more = chunk(self.asked.request_id, self._created, self.asked.model.name, {}, usage=told)
        return event(more)

    def ending(self, usage: object = ..., *, reason: str | None = None) -> Iterator[bytes]:
        """finish_reason, usage where it was asked for, [DONE]."""
        self.has_ended = True
        yield self.delta(reason or self.reason)
        if self.asked.wants_usage:
            yield self.usage_event(self.usage() | {"cost": float(self.cost())} if usage is ... else usage)
        yield event("[DONE]")

    def whole(self) -> Iterator[bytes]:
        yield from self.begin()
        yield from self.thoughts()
        yield from self.texts()
        yield from self.ending()

    # What it costs

    def usage(self) -> dict[str, Any]:
        asked = self.asked
        reasoning = min(self.sent_tokens, len(self.thought))
        return usage_object(asked.prompt_tokens, self.sent_tokens, asked.cached_tokens, reasoning)

    def cost(self) -> Decimal:
        asked = self.asked
        return asked.model.cost(asked.prompt_tokens, asked.cached_tokens, self.sent_tokens)

    def record(self) -> None:
        """The row in the spend log."""
        asked, has_failed = self.asked, self.error is not None
        is_known = not has_failed and self._first_at is not None
        usage = self.usage() if self._first_at else {}
        told = row(
            request_id=asked.request_id if is_known else asked.call_id,
            call_id=asked.call_id,
            key=asked.key,
            model=asked.model,
            end_user=asked.end_user,
            started=self._started,
            ended=asked.here.now(),
            first_at=self._first_at,
            cost=self.cost() * bool(usage),
            usage=usage,
            status="failure" if has_failed else "success",
            error=self.error or (None if self.has_ended else LEFT),
            spend_logs_metadata=asked.metadata,
        )
        SpendLog(asked.here.store).write(told)

    # The wire

    def hang_up(self) -> None:
        self.asked.connection.shutdown(socket.SHUT_RDWR)

    def keep_silent(self, seconds: float) -> None:
        """Until the time is over, the sandbox ends, or the client has left."""
        until = clock.monotonic() + seconds
        while clock.monotonic() < until and not self.has_left():
            if self.asked.here.stopping.wait(_LOOK_SECONDS):
                return

    def has_left(self) -> bool:
        try:
            readable, _, _ = select.select([self.asked.connection], [], [], 0)
            return bool(readable) and not self.asked.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True


def streamed(reply: Reply, events: Iterator[bytes]) -> Iterator[bytes]:
    """The events, and the row in the spend log however they end."""
    try:
        yield from events
    finally:
        reply.record()


def completion(reply: Reply) -> dict[str, Any]:
    """The whole answer at once."""
    reply.sent_tokens = len(reply.thought) + len(reply.pieces)
    reply.has_ended = True
    list(reply.begin())
    message: dict[str, Any] = {"content": "".join(reply.pieces), "role": "assistant"}
    if reply.thought:
        message["reasoning_content"] = "".join(reply.thought)
    return {
        "id": reply.asked.request_id,
        "created": int(reply.asked.here.now().timestamp()),
        "model": reply.asked.model.name,
        "object": "chat.completion",
        "choices": [{"finish_reason": reply.reason, "index": 0, "message": message}],
        "usage": reply.usage(),
    }
