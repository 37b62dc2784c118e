"""LiteLLM's shapes: errors, usage, chunks, completions, headers. Word for word as 1.106.2 was seen to write them."""

from __future__ import annotations

import json
from typing import Any

from flask import Response

from tokenboard.sandbox.chat_models import ChatModel
from tokenboard.sandbox.faults import answer

VERSION = "1.106.2"
_NO_FALLBACK = "\n\nLiteLLM: model group '{model}' failed with the error above. No fallback was attempted."


def refused(
    status: int, message: str, kind: str | None, *, param: str | None = None, code: str = "", **headers: str
) -> Response:
    """An error in LiteLLM's own envelope: the code is a string."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer({"error": error_object(message, kind, param=param, code=code or str(status))}, status, named)


def error_object(message: str, kind: str | None, *, param: str | None = None, code: str = "500") -> dict[str, Any]:
    return {"message": message, "type": kind, "param": param, "code": code}


def passed_on(status: int, name: str, words: str, kind: str, model: str, **headers: str) -> Response:
    """An error of the model behind the proxy, as the proxy words it."""
    message = f"litellm.{name}: {name}: OpenAIException - {words}" + _NO_FALLBACK.format(model=model)
    return refused(status, message, kind, **headers)


def usage_object(prompt: int, completion: int, cached: int, reasoning: int) -> dict[str, Any]:
    return {
        "completion_tokens": completion,
        "prompt_tokens": prompt,
        "total_tokens": prompt + completion,
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": reasoning,
            "rejected_prediction_tokens": 0,
        },
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": cached},
    }


def chunk(
    request_id: str, created: int, model: str, delta: dict[str, Any], reason: str | None = None, **more: Any
) -> dict[str, Any]:
    """One event of a stream. `finish_reason` is absent until the end; `choices` is never empty, unlike OpenAI's."""
    choice: dict[str, Any] = {"index": 0, "delta": delta}
    if reason:
        choice = {"finish_reason": reason, **choice}
    return {
        "id": request_id,
        "created": created,
        "model": model,
        "object": "chat.completion.chunk",
        "choices": [choice],
        **more,
    }


def event(payload: object) -> bytes:
    """A `data:` line and the empty one after it."""
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n".encode("utf-8", "backslashreplace")  # half an emoji leaves as its JSON escape


def headers(call_id: str, model: ChatModel) -> dict[str, str]:
    """What LiteLLM says about a call beside its answer."""
    return {
        "x-litellm-call-id": call_id,
        "x-litellm-model-id": model.id,
        "x-litellm-model-name": f"sandbox/{model.name}",
        "x-litellm-model-group": model.name,
        "x-litellm-version": VERSION,
        "x-litellm-key-spend": "0.0",
        "x-litellm-attempted-retries": "0",
        "x-litellm-attempted-fallbacks": "0",
    }
