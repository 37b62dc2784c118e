"""Open WebUI's signed identity: whose wallet a request is for, without a key of each person.

Laws: only a token that Open WebUI signed with our shared secret counts (HS256, issuer, expiry, a short life). It is
taken many times while it lives, since one page may send the same one with several requests; its life is short instead,
and it opens nothing but this door.
Source: open-webui, backend/open_webui/utils/headers.py and env.py, read 2026-11-28.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from tokenboard.core.clock import now
from tokenboard.core.errors import Unauthenticated
from tokenboard.core.parsing import LONGEST_EMAIL, or_none, parse_email

HEADER = "X-OpenWebUI-User-Jwt"
# What Open WebUI sends instead where it has no secret; believed only beside a key that may name people (access.py).
PLAIN_HEADER = "X-OpenWebUI-User-Email"
# Added to a connection by its operator as `{{TASK}}`.
TASK_HEADER = "X-OpenWebUI-Task"
ISSUER = "open-webui"
LONGEST_TOKEN = 4_096
LONGEST_LIFE = timedelta(minutes=10)
_SKEW = timedelta(seconds=60)


class IdentityNotUsable(Unauthenticated):
    code = "invalid_identity"

    def __init__(self) -> None:
        super().__init__("Open WebUI's signature is missing, wrong or too old. Its operator should look at the secret.")


@dataclass(frozen=True, slots=True)
class SignedIdentity:
    """Who sits at Open WebUI."""

    email: str


def read_identity(token: str, secret: str) -> SignedIdentity:
    """The person a token names. Raises: IdentityNotUsable."""
    if not secret or not 0 < len(token) <= LONGEST_TOKEN:
        raise IdentityNotUsable
    try:
        claims: dict[str, Any] = jwt.decode(token, OctKey.import_key(secret), algorithms=["HS256"]).claims
    except (JoseError, ValueError) as error:
        raise IdentityNotUsable from error
    email = or_none(parse_email, str(claims.get("email", "")))
    if email is None or claims.get("iss") != ISSUER or not _is_fresh(claims):
        raise IdentityNotUsable
    return SignedIdentity(email)


def claimed_email(token: str) -> str:
    """Whom a token says it names, unproven: to count requests by, and for nothing else."""
    if len(token) > LONGEST_TOKEN:
        return ""
    body = token.partition(".")[2].partition(".")[0]
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:  # of either: no base64, no JSON
        return ""
    return str(claims.get("email", ""))[:LONGEST_EMAIL].lower() if isinstance(claims, dict) else ""


def _is_fresh(claims: dict[str, Any]) -> bool:
    """Not over, not from the future, and not made to live long."""
    begun, over = claims.get("iat"), claims.get("exp")
    if type(begun) is not int or type(over) is not int:
        return False
    at, skew = int(now().timestamp()), int(_SKEW.total_seconds())
    lives = int(LONGEST_LIFE.total_seconds())
    return begun - skew <= at < over + skew and over - begun <= lives and at - begun <= lives + skew
