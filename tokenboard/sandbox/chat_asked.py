"""What a chat request asks the sandbox for, read and checked as LiteLLM checks it."""

from __future__ import annotations

import hashlib
import json
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from flask import Response, request

from tokenboard.sandbox.chat_models import ChatModel, model_named
from tokenboard.sandbox.chat_tokens import prompt_tokens
from tokenboard.sandbox.litellm_shapes import passed_on, refused
from tokenboard.sandbox.memory import Sandbox, bearer, sandbox

_CACHED_FROM_TOKENS = 32  # OpenAI caches from 1,024; conversations here are short
_CACHE_STEP = 16
_PREFIXES_TRIED = 4
_END_USER_HEADERS = ("x-litellm-customer-id", "x-litellm-end-user-id", "X-OpenWebUI-User-Email")


class Refused(Exception):
    """The proxy says no; `answer` is how."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    here: Sandbox
    connection: socket.socket = field(repr=False)
    body: Mapping[str, Any]
    model: ChatModel
    messages: list[Mapping[str, Any]]
    limit: int  # tokens of answer
    prompt_tokens: int
    cached_tokens: int
    key: str
    call_id: str
    end_user: str
    request_id: str
    fault: str | None
    metadata: object

    @property
    def is_stream(self) -> bool:
        return self.body.get("stream") is True

    @property
    def wants_usage(self) -> bool:
        options = self.body.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True

    @property
    def pace_seconds(self) -> float:
        if self.model.pace_seconds is not None:
            return self.model.pace_seconds
        told = self.here.store.setting("chat_pace_seconds")
        return self.here.chat_pace_seconds if told is None else float(told)


def _metadata(body: Mapping[str, Any]) -> object:
    """What comes back in the spend log's `spend_logs_metadata`."""
    header = request.headers.get("x-litellm-spend-logs-metadata")
    try:
        return json.loads(header) if header else _inner(body.get("metadata"), "spend_logs_metadata")
    except ValueError:
        return None


def _inner(holder: object, name: str) -> object:
    return holder.get(name) if isinstance(holder, dict) else None


def read(ordered: str | None) -> Asked:
    """The request as it stands. Raises: Refused."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(refused(400, "Invalid request format: the body is no JSON object", "invalid_request_error"))
    model = _model(body)
    messages = body.get("messages", []) if model.mode == "chat" else []
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise Refused(refused(400, "Invalid request format: messages is no list of objects", "invalid_request_error"))
    prompt = prompt_tokens(messages)
    if prompt > model.window:
        raise Refused(_too_long(model, prompt))
    cached = _cached(messages) if model.cached_usd is not None else 0
    return Asked(
        here=sandbox(),
        connection=cast(socket.socket, request.environ["werkzeug.socket"]),
        body=body,
        model=model,
        messages=messages,
        limit=_limit(body, model),
        prompt_tokens=prompt,
        cached_tokens=cached,
        key=bearer(),
        call_id=request.headers.get("x-litellm-call-id") or str(uuid.uuid4()),
        end_user=_end_user(body),
        request_id=f"chatcmpl-{uuid.uuid4()}",
        fault=ordered or (model.name if model.name.startswith("fault-") else None),
        metadata=_metadata(body),
    )


def _model(body: Mapping[str, Any]) -> ChatModel:
    model = model_named(body.get("model"))
    if model is None:
        words = f"Invalid model name passed in model={body.get('model')}. Call `/v1/models` to view available models"
        raise Refused(refused(400, f"{request.path}: {words} for your key.", "invalid_request_error"))
    return model


def _too_long(model: ChatModel, prompt: int) -> Response:
    words = f"This model's maximum context length is {model.window} tokens. Your messages resulted in {prompt} tokens."
    return passed_on(400, "ContextWindowExceededError", words, "invalid_request_error", model.name)


def _limit(body: Mapping[str, Any], model: ChatModel) -> int:
    told = body.get("max_completion_tokens", body.get("max_tokens"))
    if told is None:
        return model.max_output
    if isinstance(told, bool) or not isinstance(told, int) or told < 1:
        words = "max_completion_tokens is a whole number of 1 or more"
        raise Refused(passed_on(400, "BadRequestError", words, "invalid_request_error", model.name))
    return min(told, model.max_output)


def _end_user(body: Mapping[str, Any]) -> str:
    """In the order the proxy looks: headers, which any caller may set, then the body."""
    for name in _END_USER_HEADERS:
        if told := request.headers.get(name):
            return told
    return str(body.get("user") or _inner(body.get("metadata"), "user_id") or "")


def _cached(messages: list[Mapping[str, Any]]) -> int:
    """How much of the beginning was sent before: the longest of the last few beginnings that is remembered."""
    store = sandbox().store
    found = 0
    for length in range(len(messages) - 1, max(0, len(messages) - 1 - _PREFIXES_TRIED), -1):
        if store.setting(_mark(messages[:length])) is not None:
            found = prompt_tokens(messages[:length])
            break
    store.set(_mark(messages), "1")
    return found // _CACHE_STEP * _CACHE_STEP if found >= _CACHED_FROM_TOKENS else 0


def _mark(messages: list[Mapping[str, Any]]) -> str:
    return "seen|" + hashlib.sha256(json.dumps(messages).encode()).hexdigest()
