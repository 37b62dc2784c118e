"""Blocks of a streamed answer in, pieces out. Pure: no sockets, no time.

One block gives at most one Piece, with everything it completed. What goes wrong after good events in the same block is
kept in `failure` until the piece before it was given out. Every `data:` line is one event, as all providers send them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from tokenboard.providers.chat_errors import AnswerTooLong, ChatBadAnswer, ChatError
from tokenboard.providers.chat_lines import LineSplitter, LineTooLong
from tokenboard.providers.chat_refusals import error_within
from tokenboard.providers.chat_shapes import ChatLimits, Piece, TokenUsage
from tokenboard.providers.chat_text import Prose
from tokenboard.providers.chat_usage import usage_of

# No token is this long on average, not even of white space: past it the upstream ignores what it was told.
_BYTES_A_TOKEN_MAX = 64
_BYTES_TO_SPARE = 16_384
_REASON_LENGTH_MAX = 64


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


# One for all: json.loads makes a new decoder whenever it is told how to read numbers.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


class PieceReader:
    """Reads one streamed answer."""

    def __init__(self, limits: ChatLimits, max_output_tokens: int, secret: str = "") -> None:
        self._limits = limits
        self._secret = secret
        self._lines = LineSplitter(limits.line_bytes_max)
        self._text, self._reasoning = Prose(), Prose()
        self._answer_bytes = 0
        self._answer_bytes_max = min(limits.answer_bytes_max, max_output_tokens * _BYTES_A_TOKEN_MAX + _BYTES_TO_SPARE)
        self._garbage_lines = 0
        self._begin_piece()
        self.failure: ChatError | None = None
        self.lines_seen = 0  # whole ones, comments too: each is a sign of life
        self.has_events = False
        self.has_finished = False  # a finish_reason was told
        self.is_done = False  # [DONE] was told

    def _begin_piece(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._events: list[bytes] = []
        self._reason: str | None = None
        self._usage: TokenUsage | None = None

    def feed(self, block: bytes) -> Piece | None:
        """What this block completes; None when it completes no event."""
        try:
            lines = self._lines.feed(block)
        except LineTooLong as error:
            self.failure = ChatBadAnswer(str(error))
            return None
        return self._read(lines)

    def end(self) -> Piece | None:
        """What stood on a last line without an end, once nothing more comes."""
        last = self._lines.last()
        return self._read([last] if last else [], is_last=True)

    def _read(self, lines: list[bytes], *, is_last: bool = False) -> Piece | None:
        was_done = self.is_done
        for line in lines:
            if self.is_done or self.failure:
                break
            if line:
                self.lines_seen += 1
                if line.startswith(b"data:"):
                    self._take(line[5:].strip())
        piece = self._piece(is_done=self.is_done and not was_done, is_last=is_last)
        self._begin_piece()
        return piece

    def _piece(self, *, is_done: bool, is_last: bool) -> Piece | None:
        is_last = is_last or is_done
        text = self._text.join(self._texts, is_last=is_last)
        reasoning = self._reasoning.join(self._thoughts, is_last=is_last)
        if not (self._events or is_done or text or reasoning):
            return None
        self._answer_bytes += len(text.encode()) + len(reasoning.encode())
        if self._answer_bytes > self._answer_bytes_max:
            self.failure = AnswerTooLong(f"{self._answer_bytes} bytes of answer")
        return Piece(text, reasoning, self._reason, self._usage, tuple(self._events), is_done)

    def _take(self, payload: bytes) -> None:
        if payload == b"[DONE]":
            self.is_done = True
        elif payload:
            event = _decoded(payload)
            if event is None:
                self._count_garbage()
            elif (failure := error_within(event, self._secret)) is not None:
                self.failure = failure
            else:
                self._events.append(payload)
                self.has_events = True
                self._merge(event)

    def _count_garbage(self) -> None:
        self._garbage_lines += 1
        if self._garbage_lines >= self._limits.garbage_lines_max:
            self.failure = ChatBadAnswer("lines that are no JSON")

    def _merge(self, event: dict[str, Any]) -> None:
        if "usage" in event:
            self._usage = usage_of(event["usage"]) or self._usage  # told twice: the last one counts
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._merge_choice(choice)

    def _merge_choice(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta")
        is_first = choice.get("index") in (0, None)
        if isinstance(delta, dict):
            shown = self._texts if is_first else self._thoughts
            shown.extend(text_parts(delta.get("content")))
            shown.extend(text_parts(delta.get("refusal")))
            self._thoughts.extend(thoughts(delta))
        reason = choice.get("finish_reason")
        if is_first and isinstance(reason, str):
            self._reason = reason[:_REASON_LENGTH_MAX]
            self.has_finished = True


def _decoded(payload: bytes) -> dict[str, Any] | None:
    text = payload.decode("utf-8", "replace")
    try:
        event, end = _DECODER.raw_decode(text)  # `decode` would look for white space around it: there is none
    except (ValueError, RecursionError, ArithmeticError):
        return None
    return event if isinstance(event, dict) and end == len(text) else None


def text_parts(content: object) -> list[str]:
    """The text of a `content`: a string, or a list of parts."""
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list):
        return []
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return [text for text in texts if isinstance(text, str)]


def thoughts(message: Mapping[str, Any]) -> list[str]:
    """What a message or delta holds beside its text: reasoning, and the names and arguments of tool calls."""
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    found = [reasoning] if isinstance(reasoning, str) else []
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            found += [part for name in ("name", "arguments") if isinstance(part := function.get(name), str)]
    return found
