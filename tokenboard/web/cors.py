"""Front ends of other origins may call /api/ with a bearer token, when the operator lists them (CORS_ORIGINS).

Laws: never with credentials, so a cookie opens nothing here; only /api/; an origin that is not listed gets no header at
all. Source: Fetch standard, CORS protocol.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from tokenboard.core.settings import settings

_METHODS = "GET, POST, PUT, PATCH, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id"
_EXPOSED = "Retry-After, X-Request-Id"
_PREFLIGHT_SECONDS = "600"


def init_app(app: Flask) -> None:
    """Answer preflights before anything else looks at them, and name the origin on answers."""
    app.before_request(_preflight)
    app.after_request(_name_origin)


def listed_origin() -> str | None:
    """The other origin this call comes from, if the operator lists it."""
    origin = request.headers.get("Origin", "")
    # The header itself: `request.host` raises for one that is not ours, also while that is being answered.
    is_ours = urlsplit(origin).netloc == request.headers.get("Host", "")
    is_listed = request.path.startswith("/api/") and origin in settings().cors_origins
    return origin if is_listed and not is_ours else None


def _preflight() -> Response | None:
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not listed_origin():
        return None
    answer = Response(status=204)
    answer.headers["Access-Control-Allow-Methods"] = _METHODS
    answer.headers["Access-Control-Allow-Headers"] = _HEADERS
    answer.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return answer


def _name_origin(answer: Response) -> Response:
    origin = listed_origin()
    if settings().cors_origins and request.path.startswith("/api/"):
        answer.vary.add("Origin")
    if origin:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Expose-Headers"] = _EXPOSED
    return answer
