"""Refusals in the OpenAPI document: which statuses a call can answer, and what each looks like."""

from __future__ import annotations

from typing import Any

from tokenboard.web.api import Operation
from tokenboard.web.openapi_security import SIGNED
from tokenboard.web.security import SAFE_METHODS

Json = dict[str, Any]

# What it means; an example's slug and sentence.
_MEANINGS: dict[int, tuple[str, str, str]] = {
    400: ("The request cannot be read.", "bad_request", "This request cannot be read."),
    401: ("Nobody is signed in, or the credential is wrong.", "unauthenticated", "Sign in first."),
    402: ("The wallet, key or cap cannot pay for it.", "insufficient_credits", "There are 3 credits; this needs 10."),
    403: (
        "A member without the right, or an act that asks who sits there.",
        "forbidden",
        "Your role does not allow this.",
    ),
    404: ("Nothing there, or somebody else's.", "not_found", "There is nothing here."),
    409: ("The state of things refuses it.", "conflict", "This was done already."),
    413: ("The body is too large.", "too_large", "This is larger than we take."),
    415: ("The body is not JSON.", "unsupported_media_type", "Send JSON, with Content-Type: application/json."),
    422: ("The input is not valid; `fields` names each fault.", "validation_failed", "Some fields need another look."),
    429: ("Too often. `Retry-After` says when again.", "rate_limited", "Too many tries. Try again in 12 seconds."),
    502: ("A provider refused or broke.", "upstream_error", "The provider refused this."),
    503: ("A setting is missing, or no place now.", "busy", "Try again in a moment."),
    504: ("A provider was too slow.", "upstream_timeout", "The provider did not answer in time."),
}
_OPENAI_TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
}


def statuses(operation: Operation, method: str, *, has_id: bool, names_workspace: bool) -> list[int]:
    """Which refusals a call can answer: those that follow from its kind, and those it declares."""
    found = {503, *operation.errors} - set(operation.also)
    if operation.auth not in (*SIGNED, "none") or operation.auth == "litellm":
        found.add(401)
    if operation.auth not in SIGNED and operation.tag != "Health":
        found.add(429)
    if operation.auth == "session" and (method not in SAFE_METHODS or has_id or names_workspace):
        found.add(403)
    if has_id or operation.query is not None:
        found.add(400)  # an address with what no address holds, such as NUL
    if has_id or names_workspace:
        found.add(404)
    if operation.body is not None and not operation.is_openai:
        found |= {413, 415, 422}
    if operation.query is not None or "Idempotency-Key" in operation.headers:
        found.add(422)
    return sorted(found - set(operation.also))


def response_name(status: int, *, is_openai: bool) -> str:
    return f"{'OpenAI' if is_openai else ''}Error{status}"


def page(status: int) -> Json:
    """A refusal that people read."""
    return {"description": _MEANINGS[status][0], "content": {"text/html": {"schema": {"type": "string"}}}}


def responses() -> Json:
    """`components.responses`: every status in our shape and in OpenAI's."""
    found: Json = {}
    for status, (meaning, slug, sentence) in _MEANINGS.items():
        found[response_name(status, is_openai=False)] = _response(status, meaning, _ours(status, slug, sentence))
        body = {"message": sentence, "type": _openai_type(status), "param": None, "code": slug}
        found[response_name(status, is_openai=True)] = _response(status, meaning, {"error": body}, "OpenAIError")
    return found


def _openai_type(status: int) -> str:
    return _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")


def _ours(status: int, slug: str, sentence: str) -> Json:
    told: Json = {"error": sentence, "code": slug}
    return told | {"fields": {"email": ["This field is required."]}} if status == 422 else told


def _response(status: int, meaning: str, example: Json, schema: str = "") -> Json:
    named = schema or ("ValidationError" if status == 422 else "Error")
    found: Json = {
        "description": meaning,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{named}"}, "example": example}},
    }
    if status == 429:
        seconds = {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds until the next try."}
        found["headers"] = {"Retry-After": seconds}
    return found


def schemas() -> Json:
    """`components.schemas` of refusals. Beside `error` and `code` stand details such as `balance` or `setting`."""
    sentence = {"type": "string", "description": "A sentence for a person."}
    slug = {"type": "string", "description": "A word for a program.", "pattern": "^[a-z0-9_]+$"}
    fields = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
    ours: Json = {"type": "object", "required": ["error", "code"], "properties": {"error": sentence, "code": slug}}
    inner = {
        "type": "object",
        "required": ["message", "type", "code"],
        "properties": {
            "message": sentence,
            "type": {"type": "string"},
            "param": {"type": ["string", "null"]},
            "code": {"type": ["string", "null"]},
        },
    }
    return {
        "Error": ours | {"description": "A refusal or failure, with its details beside it."},
        "ValidationError": ours | {"properties": ours["properties"] | {"fields": fields}},
        "OpenAIError": {"type": "object", "required": ["error"], "properties": {"error": inner}},
    }
