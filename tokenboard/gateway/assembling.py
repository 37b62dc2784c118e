"""The provider's events as a client of OpenAI sees them: passed on as a stream, or put together into one answer. Pure.

Laws: an event is passed on as it came, byte for byte; only what the client did not ask for is left out (a chunk that
brings nothing but usage); an answer that was not to be streamed is put together from the same events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tokenboard.core.money import json_number


def read_event(raw: bytes) -> dict[str, Any] | None:
    """An event's object; None for one that cannot be read."""
    try:
        found = json.loads(raw, parse_float=Decimal)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def is_only_usage(event: dict[str, Any]) -> bool:
    """A chunk that says what was used and nothing else: OpenAI sends it with no choices, LiteLLM with an empty one."""
    if not event.get("usage"):
        return False
    choices = event.get("choices") or []
    return not any(one.get("delta") or one.get("finish_reason") for one in choices if isinstance(one, dict))


@dataclass(slots=True)
class Assembled:
    """One chat completion, put together from its chunks."""

    head: dict[str, Any] = field(default_factory=dict)
    content: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    tool_calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None

    def add(self, events: Iterable[bytes]) -> None:
        """Take what these events say."""
        for raw in events:
            event = read_event(raw)
            if event is not None:
                self._add(event)

    def _add(self, event: dict[str, Any]) -> None:
        for name in ("id", "created", "model", "system_fingerprint"):
            if event.get(name) is not None:
                self.head.setdefault(name, event[name])
        self.usage = event.get("usage") or self.usage
        for choice in event.get("choices") or []:
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                self.finish_reason = choice.get("finish_reason") or self.finish_reason
                self._add_delta(choice.get("delta") or {})

    def _add_delta(self, delta: dict[str, Any]) -> None:
        if isinstance(delta.get("content"), str):
            self.content.append(delta["content"])
        if isinstance(delta.get("refusal"), str):
            self.refusal.append(delta["refusal"])
        for part in delta.get("tool_calls") or []:
            if isinstance(part, dict):
                self._add_tool_call(part)

    def _add_tool_call(self, part: dict[str, Any]) -> None:
        given = part.get("index")
        index = given if isinstance(given, int) else 0
        call = self.tool_calls.setdefault(
            index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        )
        call["id"] = part.get("id") or call["id"]
        function = part.get("function") or {}
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""

    def completion(self, *, call_id: str, model: str, reason: str) -> dict[str, Any]:
        """The whole answer, in OpenAI's shape. `reason` is how the call ended, where the provider did not say."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.content) or None}
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        if self.tool_calls:
            message["tool_calls"] = [self.tool_calls[index] for index in sorted(self.tool_calls)]
        elif message["content"] is None:
            message["content"] = ""
        finish = self.finish_reason or ("length" if reason == "length" else "stop")
        head = {"id": f"chatcmpl-{call_id}", "model": model} | self.head
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return head | {"object": "chat.completion", "choices": [choice], "usage": plain(self.usage)}


def plain(value: Any) -> Any:
    """Exact decimals as JSON numbers, through lists and objects."""
    if isinstance(value, Decimal):
        return json_number(value)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value
