"""`/v1`: chat completions, embeddings and models, as clients of OpenAI know them.

Sources: platform.openai.com/docs/api-reference, read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request, stream_with_context
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException

from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError
from tokenboard.gateway import access, answering, errors, forms, identity, refusing, service, shapes
from tokenboard.gateway.answering import BrokenOff
from tokenboard.gateway.errors import RequestUnusable
from tokenboard.gateway.forms import ChatAsked
from tokenboard.keys import rules
from tokenboard.metering import price_queries, service as metering
from tokenboard.metering.facts import OpenCall
from tokenboard.metering.generations import generations
from tokenboard.metering.service import Outcome
from tokenboard.providers.chat_errors import ChatError
from tokenboard.web import limits, sse
from tokenboard.web.api import Operation
from tokenboard.web.clients import clients
from tokenboard.web.limits import limiter
from tokenboard.web.security import View, exempt_from_csrf

blueprint = Blueprint("gateway_api", __name__)

REQUESTS = "600/minute"  # for one key, or one person who is signed for
_CHAT = "/v1/chat/completions"
LARGEST_BODY = 4 * 1024 * 1024  # a context of a million tokens as text
_NO_COOKIE = "opened by a key or a signature; cookies are never looked at"


def _key_mark() -> str:
    """Requests are counted for each key, or each person that is signed for, and never under a secret or an address.

    A plain header does not count apart: any holder of a key could write another one into each request.
    """
    heads = request.headers
    signed_for = identity.claimed_email(heads.get(identity.HEADER, ""))
    return rules.secret_hash(f"{heads.get('Authorization', '')} {signed_for}")[:32]


def _in_openai_shape(view: View) -> View:
    """Dress every refusal as OpenAI would."""

    @wraps(view)
    def dressed(**path: Any) -> Any:
        request.max_content_length = LARGEST_BODY
        try:
            return view(**path)
        except TokenBoardError as error:
            db.session.rollback()
            return _refused(error)
        except HTTPException as error:
            return errors.answer_for_http(error)

    return dressed  # type: ignore[return-value]


def _refused(error: TokenBoardError) -> Response:
    """As an error; in Open WebUI as an answer that can be read, if it is one to a question."""
    if request.path == _CHAT and refusing.is_told(error):
        try:
            return refusing.told(error, forms.read_body(request.get_data()))
        except RequestUnusable:
            pass  # the error says it
    return errors.answer_for(error)


def _says(summary: str, **more: Any) -> Callable[[View], View]:
    """What the OpenAPI document says of a call; the provider may refuse or fail behind it."""
    upstream = (400, 402, 404, 409, 413, 502, 504) if "body" in more else ()
    return Operation(
        summary=summary, auth="virtual_key", tag="Gateway", is_openai=True, errors=(403, *upstream), **more
    ).on


@blueprint.errorhandler(RateLimitExceeded)
def _too_often(_error: RateLimitExceeded) -> Response:
    """The limit strikes before the view is asked."""
    return errors.answer_for(limits.refusal())


@blueprint.post(_CHAT)
@exempt_from_csrf(_NO_COOKIE)
@limiter.limit(REQUESTS, key_func=_key_mark)
@_in_openai_shape
@_says("A chat completion, whole or as a stream", body=shapes.ChatCompletionRequest, answer=shapes.ChatCompletion)
def chat_completions() -> Response:
    generations().refuse_if_crowded()
    caller = access.caller()
    asked = forms.read_chat(forms.read_body(request.get_data()))
    clients().chat()
    generations().refuse_if_full()
    call = service.open_chat(caller=caller, asked=asked)
    db.session.commit()
    service.end_session()
    generation = service.start_chat(caller=caller, asked=asked, call=call, generations=generations())
    if asked.is_stream:
        reader_of = asked.model if access.is_open_webui() and not caller.is_background else ""
        events = answering.streamed(generation, wants_usage=asked.wants_usage, reader_of=reader_of)
        return _marked(sse.response(stream_with_context(events), comes_back=False), call)
    return _marked(_whole(asked, call, generation), call)


def _whole(asked: ChatAsked, call: OpenCall, generation: Any) -> Response:
    try:
        return jsonify(answering.whole(generation, call_id=call.id, model=asked.model))
    except BrokenOff as error:
        answer = jsonify(errors.failure_body(error.failure))
        answer.status_code = error.failure.status
        return answer


def _marked(answer: Response, call: OpenCall) -> Response:
    """By which id the request stands in the usage log; and that the wallet could pay for less than was asked."""
    answer.headers["X-TokenBoard-Call-Id"] = call.id
    if call.is_shortened:
        answer.headers["X-TokenBoard-Shortened-To"] = str(call.max_output_tokens)
    return answer


@blueprint.post("/v1/embeddings")
@exempt_from_csrf(_NO_COOKIE)
@limiter.limit(REQUESTS, key_func=_key_mark)
@_in_openai_shape
@_says("Embeddings of texts", body=shapes.EmbeddingRequest, answer=shapes.EmbeddingList)
def embeddings() -> Response:
    generations().refuse_if_crowded()
    caller = access.caller()
    asked = forms.read_embedding(forms.read_body(request.get_data()))
    client = clients().chat()
    generations().refuse_if_full()
    call = service.open_embedding(caller=caller, asked=asked)
    db.session.commit()
    service.end_session()
    try:
        told = client.embed(asked.body, call.id)
    except ChatError as error:
        _settle(call, Outcome("failed", error_code=error.code, delivered_bytes=0))
        return _marked(errors.answer_for_upstream(error), call)
    _settle(call, Outcome("ok", usage=told.usage, delivered_bytes=len(told.raw)))
    return _marked(Response(told.raw, mimetype="application/json"), call)


def _settle(call: OpenCall, outcome: Outcome) -> None:
    metering.settle(call_id=call.id, outcome=outcome)
    db.session.commit()


@blueprint.get("/v1/models")
@limiter.limit(REQUESTS, key_func=_key_mark)
@_in_openai_shape
@_says("The models this key may use", answer=shapes.OfferedModels)
def models() -> Response:
    wanted = list(access.models_allowed())
    allowed = [one for one in price_queries.all_offered() if rules.allows_model(wanted, one.model)]
    listed = [
        {"id": one.model, "object": "model", "created": 0, "owned_by": one.provider or "tokenboard"} for one in allowed
    ]
    return jsonify({"object": "list", "data": listed})
