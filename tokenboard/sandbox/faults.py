"""Everything that goes wrong at a provider, to order. Bodies are the recorded ones of the examples, word for word.

A fault gives a whole answer, or None when this call goes well after all (`429` and `500-once` strike every other call
of an address).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

from flask import Response, request

from tokenboard.sandbox.memory import sandbox

SCOPE_WORDS = "You have insufficient permissions for this operation. Missing scopes: api.usage.read."
NAMES_WORDS = "You have insufficient permissions for this operation. Missing scopes: api.management.read."
SESSION_WORDS = (
    "Your request to GET /dashboard/billing/credit_grants must be made with a session key (that is, it can only be "
    "made from the browser). You made it with the following key type: secret."
)
_SLOW_SECONDS = 45.0  # past any client's read time-out
_HUGE_BYTES = 40 * 1024 * 1024
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer, floats in their shortest exact form."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return Response(text, status=status, headers=headers, content_type="application/json")


def error(provider: str, status: int, message: str, kind: str, code: str | None = None, **headers: str) -> Response:
    """An error in the provider's own envelope."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if provider == "anthropic":
        kind = _ANTHROPIC_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return answer({"type": "error", "error": {"type": kind, "message": message}}, status, named)
    return answer({"error": {"message": message, "type": kind, "param": None, "code": code}}, status, named)


def invalid(provider: str, message: str) -> Response:
    """400: the caller asked wrong."""
    return error(provider, 400, message, "invalid_request_error")


def _revoked(provider: str) -> Response:
    if provider == "anthropic":
        return error(provider, 401, "invalid x-api-key", "authentication_error")
    return error(
        provider, 401, "Incorrect API key provided: sk-admin-****.", "invalid_request_error", "invalid_api_key"
    )


def _noscope(provider: str) -> Response:
    return answer({"error": SCOPE_WORDS}, 403) if provider == "openai" else _noscope_object(provider)


def _noscope_object(provider: str) -> Response:
    return error(provider, 403, SCOPE_WORDS, "invalid_request_error")


def _too_many(provider: str, **headers: str) -> Response:
    words = "Too many requests" if provider == "anthropic" else "Rate limit exceeded"
    return error(provider, 429, words, "requests", "rate_limit_exceeded", **headers)


def _trouble(provider: str, status: int = 500) -> Response:
    return error(provider, status, "The server had an error while processing your request.", "server_error")


def _every_other(fault: Callable[[str], Response]) -> Callable[[str], Response | None]:
    def strike(provider: str) -> Response | None:
        key = request.headers.get("Authorization", request.headers.get("x-api-key", ""))
        is_odd = sandbox().store.count(f"fault|{key}|{request.path}") % 2 == 1
        return fault(provider) if is_odd else None

    return strike


def _slow(provider: str) -> Response:
    sandbox().stopping.wait(float(sandbox().store.setting("slow_seconds") or _SLOW_SECONDS))
    return _trouble(provider, 504)


def _hangup(provider: str) -> Response:
    connection = cast(socket.socket, request.environ["werkzeug.socket"])
    connection.shutdown(socket.SHUT_RDWR)
    return _trouble(provider)


def _half_page(_: str) -> Response:
    text = json.dumps(_page([_bucket()]))
    cut = answer(text[: len(text) // 2])
    cut.headers["Content-Length"] = str(len(text))  # promises more than it sends
    return cut


def _half_json(_: str) -> Response:
    text = json.dumps(_page([_bucket()]))
    return answer(text[: len(text) // 2])


def _huge(_: str) -> Response:
    def body() -> Iterator[bytes]:
        yield b'{"data": "'
        for _ in range(_HUGE_BYTES // 65_536):
            yield b"x" * 65_536
        yield b'"}'

    return Response(body(), content_type="application/json")


def _bucket(value: str = "1.5") -> dict[str, Any]:
    midnight = int(sandbox().now().timestamp()) // 86_400 * 86_400
    day = sandbox().now().strftime("%Y-%m-%dT00:00:00Z")
    return {
        "object": "bucket",
        "start_time": midnight,
        "end_time": midnight + 86_400,
        "starting_at": day,
        "ending_at": day,
        "results": [{"object": "organization.costs.result", "amount": {"value": value, "currency": "usd"}}],
    }


def _page(data: list[dict[str, Any]], cursor: str | None = None, *, has_more: bool = False) -> dict[str, Any]:
    return {"object": "page", "data": data, "has_more": has_more, "next_page": cursor, "last_id": cursor}


def _nan(_: str) -> Response:
    return answer(json.dumps(_page([_bucket("@")])).replace('"@"', "NaN"))


def _endless(_: str) -> Response:
    return answer(_page([], f"page_{sandbox().store.count('endless')}", has_more=True))


def _html(_: str) -> Response:
    return Response("<!doctype html><title>Just a moment…</title>", content_type="text/html; charset=utf-8")


def _elsewhere(_: str) -> Response:
    return Response("", status=302, headers={"Location": "/elsewhere"})


Fault = Callable[[str], Response | None]
FAULTS: dict[str, Fault] = {
    "revoked": _revoked,
    "noscope": _noscope,
    "noscope-object": _noscope_object,
    "noscope-401": lambda provider: error(provider, 401, SCOPE_WORDS, "invalid_request_error"),
    "nonames": lambda provider: error(provider, 403, NAMES_WORDS, "invalid_request_error"),
    "session": lambda provider: error(provider, 403, SESSION_WORDS, "server_error"),
    "429": _every_other(lambda provider: _too_many(provider, Retry_After="1")),
    "429-bare": _too_many,
    "429-long": lambda provider: _too_many(provider, Retry_After="3600"),
    "500": _trouble,
    "500-once": _every_other(_trouble),
    "503": lambda provider: _trouble(provider, 503),
    "404": lambda provider: error(provider, 404, "Not found", "invalid_request_error"),
    "slow": _slow,
    "hangup": _hangup,
    "halfpage": _half_page,
    "halfjson": _half_json,
    "garbage": lambda _: answer("}{ not json"),
    "html": _html,
    "deep": lambda _: answer("[" * 100_000),
    "list": lambda _: answer([]),
    "nan": _nan,
    "redirect": _elsewhere,
    "huge": _huge,
    "loop": lambda _: answer(_page([], "page_again", has_more=True)),
    "nocursor": lambda _: answer(_page([], None, has_more=True)),
    "endless": _endless,
    "twice": lambda _: answer(_page([_bucket(), _bucket()])),
}
