"""Rate limits: how often who may do what. Counted in Redis, in this process's memory while Redis is away.

The figures and their reasons: docs/security.md; source: reference/security.md 3.1 (rate limits).
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, request
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address

from tokenboard.core.clock import now
from tokenboard.core.config import Settings
from tokenboard.core.crypto import token_hash
from tokenboard.core.errors import RateLimited
from tokenboard.core.parsing import parse_json
from tokenboard.web.errors import answer_for

SIGN_IN = "5/minute; 60/hour"  # for one address and one e-mail
SIGN_IN_REFUSED = "20/hour"  # refused tries for one e-mail, from anywhere
REGISTER = "20/hour"  # for one address
CRON = "30/minute"
SYNC = "12/minute"
CONNECT = "10/minute"
ANY = "600/minute"  # every other request from one address

limiter = Limiter(
    key_func=get_remote_address,
    default_limits=[ANY],
    headers_enabled=False,
    swallow_errors=True,
    in_memory_fallback_enabled=True,
    strategy="fixed-window",
)


def init_app(app: Flask, settings: Settings) -> None:
    """Connect the limiter to Redis where there is one."""
    app.config["RATELIMIT_STORAGE_URI"] = _storage_uri(settings.redis_url)
    app.config["RATELIMIT_STORAGE_OPTIONS"] = (
        {"socket_timeout": 0.5, "socket_connect_timeout": 0.5} if settings.redis_url else {}
    )
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, _refuse)


def _storage_uri(redis_url: str) -> str:
    if not redis_url:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url


def _refuse(_error: RateLimitExceeded) -> Response:
    limit = limiter.current_limit
    seconds = max(1, limit.reset_at - int(now().timestamp())) if limit else 60
    return answer_for(RateLimited(f"Too many tries. Try again in {_spoken(seconds)}.", retry_after_seconds=seconds))


def _spoken(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{round(seconds / 60)} minutes"


def by_email() -> str:
    """A key for sign-in limits: this address and this e-mail, so that nobody locks out somebody else's sign-in."""
    return f"{get_remote_address()}:{by_email_alone()}"


def by_email_alone() -> str:
    """A key for one e-mail from anywhere, hashed: the counter's store need not know who signs in."""
    email = _email()[:254].strip().casefold()
    return token_hash(email.encode("utf-8", "replace").decode())[:32]


def _email() -> str:
    if not request.is_json:
        return request.form.get("email", "")
    try:
        given = parse_json(request.get_data())
    except ValueError:
        return ""
    return str(given.get("email", "")) if isinstance(given, Mapping) else ""
