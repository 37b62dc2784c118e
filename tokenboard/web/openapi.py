"""The OpenAPI 3.1 document, made from the routes there are and what each says of itself (`@operation`, web/api.py).

Laws: every JSON route stands in it and nothing else does (tests/house/test_openapi.py); it is made once a process, and
holds no secret and nothing about anybody. Source: spec.openapis.org/oas/v3.1.1, read 2026-11-20.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from tokenboard.web import openapi_errors as refusals, openapi_security as security
from tokenboard.web.api import Operation
from tokenboard.web.openapi_schemas import Schemas, shape_of

Json = dict[str, Any]

_UNLISTED = frozenset({"HEAD", "OPTIONS"})
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_ID = {"type": "string", "format": "uuid", "examples": ["01935a6e-7c1d-7b52-9a51-2f0b7c0d9e11"]}
_HEADERS: dict[str, Json] = {
    "Idempotency-Key": {
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "description": "Your name for this act, as `idempotencyKey` in the body: the same again is done once.",
    },
    "Last-Event-ID": {
        "schema": {"type": "string", "pattern": "^[0-9]{1,10}$"},
        "description": "The id of the last event that arrived; the stream goes on behind it.",
    },
}
TAGS: dict[str, str] = {
    "Accounts": "Sign up, sign in, tokens, one's own security and data.",
    "Workspaces": "Workspaces, their members and invitations.",
    "Provider costs": "What OpenAI and Anthropic charge: connections, readings, budgets, reports.",
    "Credits": "The wallet: balance, statement, spend, grant.",
    "Payments": "What is for sale, checkouts, plans, promo codes, the automatic top-up.",
    "Chat": "Messages with answers as server-sent events, conversations, models.",
    "Virtual keys": "Keys for programs, with limits of their own.",
    "Jobs": "How far something is that was begun.",
    "Usage": "What was used, by model, key, person and day.",
    "Gateway": "OpenAI's own calls, paid from the wallet: set `base_url` to this site's `/v1`.",
    "Webhooks": "The doors that providers knock at.",
    "Operator": "For administrators and the operator's programs.",
    "Health": "For whoever watches the site.",
}
INTRODUCTION = """\
Fields are camelCase, ids are opaque, times are ISO 8601 in UTC with `Z`. **Credits** are numbers exact to six decimals;
beside a balance stands `balanceMicros`, an integer, which is the authority. **Money** is in the currency's smallest
unit. Errors are `{"error": "a sentence", "code": "a_slug"}`, with `fields` where the input was not valid (422). Lists
take `limit` and `cursor` and answer `nextCursor`. `workspaceId` may be left out everywhere: then it is your own. An
`idempotencyKey`, in the body or as the `Idempotency-Key` header, makes an act safe to repeat.
"""


@dataclass(frozen=True)
class Call:
    """One method at one address."""

    method: str
    path: str
    operation: Operation
    doc: str
    parts: tuple[tuple[str, str], ...]  # converter and name of each part of the path

    @property
    def route(self) -> str:
        """`POST /api/keys/{keyId}/rotate`: how examples and people name it."""
        return f"{self.method} {self.path}"

    @cached_property
    def id(self) -> str:
        """A name for generated clients."""
        words = [word for word in re.split(r"[^A-Za-z0-9]+", self.path.removeprefix("/api")) if word]
        return self.method.lower() + "".join(word[0].upper() + word[1:] for word in words)

    @property
    def names_workspace(self) -> bool:
        said = (self.operation.body, self.operation.query)
        return any("workspace_id" in getattr(one, "model_fields", {}) for one in said if one is not None)


def calls(app: Flask) -> list[Call]:
    """Every declared call, in the order of the tags and then of their addresses."""
    found = [call for rule in app.url_map.iter_rules() for call in _of(app, rule)]
    order = {tag: place for place, tag in enumerate(TAGS)}
    return sorted(found, key=lambda one: (order.get(one.operation.tag, len(order)), one.path, one.method))


def _of(app: Flask, rule: Rule) -> Iterator[Call]:
    view = app.view_functions[rule.endpoint]
    operation: Operation | None = getattr(view, "operation", None)
    if operation is None:
        return
    parts = tuple((converter or "", _camel(name)) for converter, name in _PART.findall(rule.rule))
    path = _PART.sub(lambda part: "{" + _camel(part[2]) + "}", rule.rule)
    doc = " ".join((view.__doc__ or "").split())
    for method in sorted((rule.methods or set()) - _UNLISTED):
        yield Call(method, path, operation, doc, parts)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def document(app: Flask, *, base_url: str, version: str, examples: Mapping[str, Any]) -> Json:
    """The whole document. `examples` are bodies by route; what is not there is made up from the schema."""
    listed = calls(app)
    schemas = _schemas(listed)
    paths: Json = {}
    for call in listed:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, schemas, examples)
    return {
        "openapi": "3.1.0",
        "info": {"title": "TokenBoard", "version": version, "description": INTRODUCTION},
        "servers": [{"url": base_url}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.used_in(paths) | refusals.schemas(),
            "responses": refusals.responses(),
            "securitySchemes": security.schemes(app.config["SESSION_COOKIE_NAME"]),
        },
    }


def _schemas(listed: list[Call]) -> Schemas:
    types: dict[str, Any] = {}
    for call in listed:
        said = call.operation
        body = said.body if said.body is not None else said.sends
        named = {
            "body": body,
            "query": said.query,
            "answer": shape_of(said.answer, f"{call.id[0].upper()}{call.id[1:]}Answer"),
        }
        types |= {f"{call.id} {part}": kind for part, kind in named.items() if kind is not None}
    return Schemas(types)


def _operation(call: Call, schemas: Schemas, examples: Mapping[str, Any]) -> Json:
    said = call.operation
    found: Json = {
        "operationId": call.id,
        "summary": said.summary,
        "tags": [said.tag],
        "security": security.asked(said.auth, call.method),
        "responses": {str(status): answer for status, answer in _answers(call, schemas).items()},
    }
    if call.doc:
        found["description"] = call.doc
    if parameters := _parameters(call, schemas):
        found["parameters"] = parameters
    if said.body is not None or said.sends is not None:
        found["requestBody"] = _body(call, schemas, examples)
    return found


def _parameters(call: Call, schemas: Schemas) -> list[Json]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": _ID if converter == "id" else {"type": "string"}}
        for converter, name in call.parts
    ]
    query = schemas.parameters(f"{call.id} query") if call.operation.query is not None else []
    headers = [{"name": name, "in": "header", "required": False, **_HEADERS[name]} for name in call.operation.headers]
    return [*path, *query, *headers]


def _body(call: Call, schemas: Schemas, examples: Mapping[str, Any]) -> Json:
    schema = schemas.schema(f"{call.id} body")
    example = examples.get(call.route, schemas.example(schema))
    is_required = call.operation.sends is not None or bool(schemas.resolved(schema).get("required"))
    return {"required": is_required, "content": {"application/json": {"schema": schema, "example": example}}}


def _answers(call: Call, schemas: Schemas) -> dict[int, Json]:
    said = call.operation
    good = {status: _answer(call, schemas) for status in (said.status, *said.also)}
    refused = refusals.statuses(said, call.method, has_id=bool(call.parts), names_workspace=call.names_workspace)
    if not said.media:  # asked by a browser, so refused with a page
        return good | {status: refusals.page(status) for status in refused}
    named = {status: refusals.response_name(status, is_openai=said.is_openai) for status in refused}
    return good | {status: {"$ref": f"#/components/responses/{name}"} for status, name in named.items()}


def _answer(call: Call, schemas: Schemas) -> Json:
    said = call.operation
    if said.status in (204, 303):
        return {"description": "Done." if said.status == 204 else "Leads on."}
    if said.media != "application/json":
        return {"description": "See above.", "content": {said.media: _other_media(said.media)}}
    schema = {"type": "object"} if said.answer is None else schemas.schema(f"{call.id} answer")
    content: Json = {said.media: {"schema": schema, "example": schemas.example(schema)}}
    if said.is_openai and said.sends is None and "stream" in getattr(said.body, "model_fields", {}):
        content["text/event-stream"] = {"schema": {"type": "string"}, "example": OPENAI_EVENTS}
    if said.or_csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {"description": "Done.", "content": content}


def _other_media(media: str) -> Json:
    if media == "text/event-stream":
        return {"schema": {"type": "string"}, "example": CHAT_EVENTS}
    return {"schema": {"type": "string", "contentMediaType": media}}


CHAT_EVENTS = """\
id: 0
event: meta
data: {"conversation_id": "01935a6e-7c1d-7b52-9a51-2f0b7c0d9e11", "message_id": "01935a6e-7c1d-7b52-9a51-2f0b7c0d9e12"}

id: 5
event: answer
data: {"content": "Hello", "finished": false}

id: 5
event: answer
data: {"content": "", "finished": true}

id: 5
event: usage
data: {"conversationId": "01935a6e-7c1d-7b52-9a51-2f0b7c0d9e11", "tokensUsed": 25, "credits": 0.4}

id: 5
event: done
data: {"conversationId": "01935a6e-7c1d-7b52-9a51-2f0b7c0d9e11"}
"""
OPENAI_EVENTS = """\
data: {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hello"}}]}

data: [DONE]
"""
