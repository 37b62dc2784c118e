"""A refusal as an answer of the assistant: Open WebUI shows an upstream's error as no more than its status.

So whoever chats there reads the sentence and its link in the conversation. Background calls get the error itself, for a
refusal is no title. Source: open-webui issue 5469, read 2026-11-28.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, json, jsonify

from tokenboard.core.clock import now
from tokenboard.core.db import new_id
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.settings import settings
from tokenboard.gateway import access
from tokenboard.metering.stream_events import ChatFailure
from tokenboard.web import sse

DONE = sse.event("[DONE]")
# What a person can do something about. A wrong signature or key is the operator's: it stays an error.
_TOLD = frozenset({402, 403, 404, 409, 422, 429, 503})
_LINKS = {
    "insufficient_credits": ("Add credits", "/credits"),
    "cap_reached": ("See what was used", "/usage"),
    "no_account": ("Create an account", "/register"),
    "key_paused": ("Open TokenBoard", "/keys"),
    "address_not_allowed": ("Open TokenBoard", "/keys"),
}
_USUAL_LINK = ("Open TokenBoard", "/dashboard")


def is_told(error: TokenBoardError) -> bool:
    """Whether this refusal is said in the conversation."""
    return error.status in _TOLD and access.is_open_webui() and not access.is_background()


def words(code: str, message: str) -> str:
    """The sentence and where to go, as Markdown."""
    label, path = _LINKS.get(code, _USUAL_LINK)
    return f"{message} [{label}]({settings().base_url}{path})"


def told(error: TokenBoardError, body: Mapping[str, Any]) -> Response:
    """The refusal as the answer to this request."""
    model = str(body.get("model") or "")[:120]
    text = words(error.code, error.message)
    answer = (
        sse.response(_streamed(text, model), comes_back=False)
        if body.get("stream") is True
        else jsonify(_whole(text, model))
    )
    answer.headers["X-TokenBoard-Refused"] = error.code
    return answer


def _streamed(text: str, model: str) -> Iterator[bytes]:
    head = _head(model)
    yield chunk(head, {"role": "assistant", "content": text})
    yield chunk(head, {}, finish_reason="stop")
    yield DONE


def _head(model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{new_id()}", "created": int(now().timestamp()), "model": model}


def chunk(head: Mapping[str, Any], delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
    """One event of a stream."""
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason}
    return sse.event(json.dumps({**head, "object": "chat.completion.chunk", "choices": [choice]}))


def _whole(text: str, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return {**_head(model), "object": "chat.completion", "choices": [choice], "usage": usage}


def broken_off(failure: ChatFailure, model: str) -> bytes:
    """Why an answer ends in the middle, as its last words."""
    return chunk(_head(model), {"content": f"\n\n{words(failure.code, failure.message)}"}, finish_reason="stop")
