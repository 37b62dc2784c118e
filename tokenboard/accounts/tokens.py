"""API tokens: signed statements that name a session. Nothing is trusted that the signature does not cover.

Laws: HS256 and nothing else; a key of its own; every claim is required and checked; a token is worth no more than its
session row, which is looked up each time. Sources: reference/security.md 3.1 (JWT) and 8, item 16; RFC 8725.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from tokenboard.accounts.models import SignIn
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token
from tokenboard.core.parsing import parse_id
from tokenboard.core.settings import settings

SHORT_SECONDS = 15 * 60
SESSION_SECONDS = 12 * 3_600
_AUDIENCE = "tokenboard"
_KIND = "access"
_ALGORITHMS = ["HS256"]
_LONGEST = 2_000  # ours are about 400 characters
_CLOCK_SLACK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a valid token stands for."""

    person_id: str
    sign_in_id: str


def issue(sign_in: SignIn, *, lifetime_seconds: int) -> tuple[str, datetime]:
    """A token for this session, and when it ends."""
    begins = now().replace(microsecond=0)
    ends = begins + timedelta(seconds=lifetime_seconds)
    instant = int(begins.timestamp())
    claims = {
        "iss": settings().base_url,
        "aud": _AUDIENCE,
        "sub": sign_in.person_id,
        "sid": sign_in.id,
        "jti": new_token(),
        "typ": _KIND,
        "iat": instant,
        "nbf": instant,
        "exp": int(ends.timestamp()),
    }
    return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, _key(), algorithms=_ALGORITHMS), ends


def read(authorization: str) -> Claims | None:
    """What an Authorization header proves: the claims of a valid bearer token, or nothing."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST or not token.isascii():
        return None
    try:
        claims = jwt.decode(token.strip(), _key(), algorithms=_ALGORITHMS).claims
        _registry().validate(claims)
        return Claims(parse_id(claims["sub"]), parse_id(claims["sid"]))
    except (JoseError, ValueError, TypeError):
        return None


def _key() -> OctKey:
    return OctKey.import_key(settings().jwt_secret)


def _registry() -> jwt.JWTClaimsRegistry:
    must_be: dict[str, Any] = {"iss": settings().base_url, "aud": _AUDIENCE, "typ": _KIND}
    rules: dict[str, Any] = {name: {"essential": True} for name in ("sub", "sid", "jti", "iat", "nbf", "exp")}
    rules |= {name: {"essential": True, "value": value} for name, value in must_be.items()}
    return jwt.JWTClaimsRegistry(now=lambda: int(now().timestamp()), leeway=_CLOCK_SLACK_SECONDS, **rules)
