"""What every answer carries and every request must pass: headers, hosts, body limits, CSRF, request ids.

Laws: no inline script or style anywhere; a request with a bearer token or an operator's key never uses a cookie; every
other unsafe request needs a CSRF token; a body without a stated length is refused, because a capped chunked body is cut
in silence (reference/security.md 3.1); GET begins read-only transactions.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest, LengthRequired, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from tokenboard.core import logging
from tokenboard.core.config import Settings
from tokenboard.core.db import set_read_only
from tokenboard.core.errors import Forbidden
from tokenboard.web import cors
from tokenboard.web.policy import content_policy

View = TypeVar("View", bound=Callable[..., Any])

BODY_LIMIT_BYTES = 256 * 1024
FORM_FIELD_LIMIT = 200
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_LIFETIME_SECONDS = 14 * 86_400

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,40}", re.ASCII)

csrf = CSRFProtect()


def init_app(app: Flask, settings: Settings) -> None:
    """Wire the laws above into the application."""
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops, x_proto=settings.proxy_hops)  # type: ignore[method-assign]
    app.config.update(_flask_settings(settings))
    app.extensions["content_policy"] = content_policy(settings)
    csrf.init_app(app)
    app.before_request(_begin)
    cors.init_app(app)
    app.before_request(_limit_body)
    app.before_request(_protect_from_forgery)
    app.after_request(_harden)


def _flask_settings(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "TRUSTED_HOSTS": list(settings.trusted_hosts),
        "MAX_CONTENT_LENGTH": BODY_LIMIT_BYTES,
        "MAX_FORM_MEMORY_SIZE": BODY_LIMIT_BYTES,
        "MAX_FORM_PARTS": FORM_FIELD_LIMIT,
        # The __Host- prefix needs https; a plain http development server could not set it.
        "SESSION_COOKIE_NAME": "__Host-tb" if settings.is_https else "tb_session",
        "SESSION_COOKIE_SECURE": settings.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "PERMANENT_SESSION_LIFETIME": SESSION_LIFETIME_SECONDS,
        "SESSION_REFRESH_EACH_REQUEST": False,
        "WTF_CSRF_CHECK_DEFAULT": False,  # decided per request below
        "WTF_CSRF_TIME_LIMIT": None,  # a tab left open overnight still works; the token ends with the session
        "WTF_CSRF_SSL_STRICT": settings.is_https,
        "PREFERRED_URL_SCHEME": "https" if settings.is_https else "http",
    }


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    logging.clear()
    logging.bind(request_id=g.request_id, ip_address=request.remote_addr or "")
    _ = request.host  # raises for one that is not in TRUSTED_HOSTS; nothing else may have asked
    set_read_only(request.method in SAFE_METHODS)


def _limit_body() -> None:
    if b"%00" in request.query_string:
        raise BadRequest  # PostgreSQL keeps no NUL, SQLite does: no search may depend on which it is
    if request.content_length is None and request.headers.get("Transfer-Encoding"):
        raise LengthRequired("Send the body with a Content-Length.")
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    if is_form and request.get_data(cache=True, parse_form_data=False).count(b"&") >= FORM_FIELD_LIMIT:
        raise RequestEntityTooLarge(f"A form has at most {FORM_FIELD_LIMIT} fields.")


def uses_cookies() -> bool:
    """Whether this request may be who its cookie says, and be given one.

    Not when it carries a credential of its own or comes from another origin's front end.
    """
    return not (request.headers.get("Authorization") or request.headers.get("X-Admin-Key") or cors.listed_origin())


def _protect_from_forgery() -> None:
    if request.method in SAFE_METHODS or not uses_cookies() or _is_exempt():
        return
    if _is_session_opening_json():
        _require_same_site()
        return
    csrf.protect()


def _is_exempt() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return hasattr(view, "csrf_exempt_reason")


def exempt_from_csrf(reason: str) -> Callable[[View], View]:
    """Mark a view that no cookie can reach, such as a signed webhook; the reason is for the reader."""

    def mark(view: View) -> View:
        view.csrf_exempt_reason = reason  # type: ignore[attr-defined]
        return view

    return mark


def _is_session_opening_json() -> bool:
    """Sign-in and registration by JSON: no session yet to take a token from. JSON cannot be sent by a foreign form."""
    return request.is_json and request.path.startswith("/api/auth/")


def _require_same_site() -> None:
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    if site not in {"none", "same-origin"} or (origin and urlsplit(origin).netloc != request.host):
        raise Forbidden("This call must come from this site.")


def _harden(answer: Response) -> Response:
    headers = answer.headers
    headers.setdefault("Content-Security-Policy", current_app.extensions["content_policy"])
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    headers["X-Request-Id"] = g.get("request_id", "")
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return answer


def local_path(target: str | None, default: str) -> str:
    """A `?next=` that stays on this site: a path with one leading slash and nothing clever; else the default."""
    if not target or not target.startswith("/") or target[:2] in {"//", "/\\"}:
        return default
    if "\\" in target or any(ord(character) < 33 or ord(character) == 127 for character in target):
        return default
    return target if len(target) <= 500 else default
