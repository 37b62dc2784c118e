"""LiteLLM's proxy as callers of models meet it: chat, embeddings, what is on offer, and whether it is well.

Quirks that are meant, all seen on 1.106.2: `choices` of the usage event is not empty, `usage.cost` stands inside the
stream, the cost header only beside an answer that is not streamed, null fields are left out, error codes are strings.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox import chat_asked, chat_misdeeds
from tokenboard.sandbox.chat_asked import Asked, Refused
from tokenboard.sandbox.chat_faults import FAULT_NAMED
from tokenboard.sandbox.chat_models import FAULTY, OFFERED, ChatModel, list_entry, price_entry
from tokenboard.sandbox.chat_replies import Reply, completion, streamed
from tokenboard.sandbox.chat_tokens import tokens
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.litellm_access import is_database_down, key_problem, spending_problem
from tokenboard.sandbox.litellm_shapes import headers, refused
from tokenboard.sandbox.memory import bearer, sandbox
from tokenboard.sandbox.spend_log import SpendLog, row

FAULT_HEADER = "X-Sandbox-Fault"
_DIMENSIONS = 8
_INPUTS_MAX = 2_048

routes = Blueprint("litellm_chat", __name__, url_prefix="/litellm")


@routes.before_request
def _admit() -> Response | None:
    if request.path.startswith("/litellm/health/"):
        return None
    sandbox().store.record_call(request.path, request.query_string.decode("ascii", "replace"))
    return key_problem(bearer())


@routes.errorhandler(Refused)
def _refused(refusal: Refused) -> Response:
    return refusal.answer


@routes.post("/chat/completions")
@routes.post("/v1/chat/completions")
def chat_completions() -> Response:
    asked = chat_asked.read(_ordered())
    if asked.model.mode != "chat":
        raise Refused(refused(400, f"{asked.model.name} is no chat model", "invalid_request_error"))
    asked, refusal = _admitted(asked)
    instead = refusal or chat_misdeeds.before(asked)
    if instead is not None:
        return _noted(asked, instead)
    return _streamed(asked) if asked.is_stream else _whole(asked)


def _admitted(asked: Asked) -> tuple[Asked, Response | None]:
    """Whether its key, user and customer may still ask; a refusal has a call id of the proxy's own."""
    refusal = spending_problem(asked.key, asked.model.name, asked.end_user)
    return (asked, None) if refusal is None else (replace(asked, call_id=str(uuid.uuid4())), refusal)


def _ordered() -> str | None:
    told = request.headers.get(FAULT_HEADER) or sandbox().store.take_fault(request.path)
    return told if told in FAULT_NAMED else None


def _noted(asked: Asked, instead: Response) -> Response:
    """A refusal, with its row in the spend log."""
    reply = Reply(asked)
    reply.error = {"error_code": str(instead.status_code), "error_class": "ProxyException", "error_message": ""}
    reply.record()
    instead.headers["x-litellm-call-id"] = asked.call_id
    return instead


def _streamed(asked: Asked) -> Response:
    reply = Reply(asked)
    told = Response(streamed(reply, chat_misdeeds.midway(reply)), content_type="text/event-stream; charset=utf-8")
    told.headers.update(headers(asked.call_id, asked.model))
    told.headers.update({"x-litellm-response-cost-original": "0.0", "x-accel-buffering": "no"})
    told.headers["Cache-Control"] = "no-cache"
    return told


def _whole(asked: Asked) -> Response:
    reply = Reply(asked)
    body = completion(reply)
    reply.record()
    cost = {"x-litellm-response-cost": str(float(reply.cost()))}
    return answer(body, headers=headers(asked.call_id, asked.model) | cost)


@routes.post("/embeddings")
@routes.post("/v1/embeddings")
def embeddings() -> Response:
    asked = chat_asked.read(_ordered())
    if asked.model.mode != "embedding":
        raise Refused(refused(400, f"{asked.model.name} makes no embeddings", "invalid_request_error"))
    asked, refusal = _admitted(asked)
    if refusal is not None:
        return _noted(asked, refusal)
    inputs = _inputs(asked.body)
    prompt = sum(len(tokens(text)) for text in inputs)
    data = [{"object": "embedding", "index": n, "embedding": _embedding(text)} for n, text in enumerate(inputs)]
    usage = {"prompt_tokens": prompt, "completion_tokens": 0, "total_tokens": prompt}
    cost = asked.model.cost(prompt, 0, 0)
    _record_embedding(asked, usage)
    body = {"object": "list", "model": asked.model.name, "data": data, "usage": usage}
    return answer(body, headers=headers(asked.call_id, asked.model) | {"x-litellm-response-cost": str(float(cost))})


def _inputs(body: Mapping[str, Any]) -> list[str]:
    told = body.get("input")
    inputs = [told] if isinstance(told, str) else told
    if (
        not isinstance(inputs, list)
        or not 0 < len(inputs) <= _INPUTS_MAX
        or not all(isinstance(i, str) for i in inputs)
    ):
        raise Refused(refused(400, "input is a text or a list of texts", "invalid_request_error"))
    return inputs


def _embedding(text: str) -> list[float]:
    """The same text, the same place; nothing else is meant by it."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return [round(byte / 127.5 - 1, 6) for byte in digest[:_DIMENSIONS]]


def _record_embedding(asked: Asked, usage: Mapping[str, Any]) -> None:
    now = asked.here.now()
    cost = asked.model.cost(usage["prompt_tokens"], 0, 0)
    told = row(
        request_id=asked.request_id,
        call_id=asked.call_id,
        key=asked.key,
        model=asked.model,
        end_user=asked.end_user,
        started=now,
        ended=now,
        first_at=now,
        cost=cost,
        usage=usage,
        call_type="aembedding",
    )
    SpendLog(asked.here.store).write(told)


def _listed() -> tuple[ChatModel, ...]:
    """What is on offer; the faults only when the control API says so."""
    return OFFERED + (FAULTY if sandbox().store.setting("lists_chat_faults") else ())


@routes.get("/models")
@routes.get("/v1/models")
def models() -> Response:
    return answer({"data": [list_entry(model) for model in _listed()], "object": "list"})


@routes.get("/model/info")
@routes.get("/v1/model/info")
def model_info() -> Response:
    return answer({"data": [price_entry(model) for model in _listed()]})


@routes.get("/health/liveliness")
def liveliness() -> Response:
    return answer(json.dumps("I'm alive!"))


@routes.get("/health/readiness")
def readiness() -> Response:
    if is_database_down():
        return answer({"status": "healthy", "db": "disconnected"}, 503)
    return answer({"status": "healthy", "db": "connected"})
