"""Rate limits: how often who may do what. Counted in Redis, in this process's memory while Redis is away.

The figures and their reasons: docs/security.md; source: reference/security.md 3.1 (rate limits).
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping

from flask import Flask, Response, request
from flask_limiter import Limiter, RateLimitExceeded

from tokenboard.core.clock import now
from tokenboard.core.config import Settings
from tokenboard.core.crypto import fingerprint
from tokenboard.core.errors import RateLimited
from tokenboard.core.parsing import LONGEST_EMAIL, or_none, parse_email, parse_json
from tokenboard.core.settings import settings as current_settings
from tokenboard.web.errors import answer_for

log = logging.getLogger(__name__)

SIGN_IN = "5/minute; 60/hour"  # for one browser or address and one e-mail
SIGN_IN_ADDRESS = "30/minute; 300/hour"  # for one address, whatever the e-mail: each try costs a hash of 280 ms
# Refused tries for one e-mail from anywhere: the wait grows from a minute to an hour (accounts/known_devices.py).
SIGN_IN_REFUSED = "8/minute; 14/10 minutes; 20/hour"
REGISTER = "20/hour"  # for one address
OIDC = "30/minute; 300/hour"  # for one address: each asks the sign-in provider, or has it asked
FORGOT = "3/hour"  # for one e-mail, known or not: each may be a mail to whoever was typed in
FORGOT_ADDRESS = "20/hour"  # for one address
LINK = "30/hour"  # using a mailed link, for one address: the token cannot be guessed, its work is still work
LETTERS = "5/hour"  # for one person: verification and change-of-address mails
CONFIRM = "5/minute; 30/hour"  # for one person: a session left open must not become a place to guess in
EXPORT = "6/hour"  # for one address: reading everything is work
INVITE = "60/hour"  # for one person: each is an e-mail to whoever was typed in
INVITE_ONE = "10/day"  # for one person and one invited address: withdrawing and inviting again mails it each time
CRON = "30/minute"
SYNC = "12/minute"
CONNECT = "10/minute"
ANY = "600/minute"  # at every other door, for one address


def address() -> str:
    """Where a request comes from, as limits count it: an IPv6 subscriber holds a whole /64 and counts as one."""
    found = sender()
    if found is None:
        return "unknown"
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def sender() -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address itself, as far as the routers in front are believed (`PROXY_HOPS`); None if it is none."""
    try:
        found = ipaddress.ip_address(request.remote_addr or "127.0.0.1")
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


limiter = Limiter(
    key_func=address,
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
    return answer_for(refusal())


def refusal() -> RateLimited:
    """The limit that this request has just met, in words."""
    limit = limiter.current_limit
    seconds = max(1, limit.reset_at - int(now().timestamp())) if limit else 60
    log.info("refused", extra={"code": RateLimited.code, "rule": str(request.url_rule), "method": request.method})
    return RateLimited(f"Too many tries. Try again in {_spoken(seconds)}.", retry_after_seconds=seconds)


def _spoken(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{round(seconds / 60)} minutes"


def email_mark(email: str) -> str:
    """An e-mail as a key: however it was spelled, and without telling the counters' store who it is."""
    known = or_none(parse_email, email) or email[:LONGEST_EMAIL].strip().casefold()
    return fingerprint(known.encode("utf-8", "replace").decode(), key=current_settings().secret_key)[:32]


def by_email() -> str:
    """A key for one e-mail from anywhere."""
    return email_mark(_email())


def _email() -> str:
    if not request.is_json:
        return request.form.get("email", "")
    try:
        given = parse_json(request.get_data())
    except ValueError:
        return ""
    return str(given.get("email", "")) if isinstance(given, Mapping) else ""
