"""Personal API tokens: a name, an end, and a secret that is shown once. They stand beside sessions and outlive them.

Laws: 256-bit random, kept as a hash, recognised by its prefix; ended or expired it is nobody's at once; it proves no
presence, so that what asks who sits there (guards.py) refuses it. Source: reference/security.md 8, item 15.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, func, or_, select, update

from tokenboard.accounts.errors import TooManyTokens
from tokenboard.accounts.models import Person
from tokenboard.accounts.security_models import ApiToken
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token, token_hash
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound

PREFIX = "tbp_"
MOST_TOKENS = 20  # live ones of one person
LIFETIMES_DAYS = (30, 90, 365, 0)  # 0: until it is ended


def make(person: Person, *, name: str, days: int) -> tuple[ApiToken, str]:
    """A new token's row and its secret, which is known only now. Raises: TooManyTokens."""
    count = select(func.count()).select_from(ApiToken).where(ApiToken.person_id == person.id, *is_live())
    if (db.session.scalar(count) or 0) >= MOST_TOKENS:
        raise TooManyTokens(f"At most {MOST_TOKENS} tokens. End one that is not needed any more.")
    secret = PREFIX + new_token()
    row = ApiToken(
        person_id=person.id,
        name=name,
        token_hash=token_hash(secret),
        last4=secret[-4:],
        expires_at=now() + timedelta(days=days) if days else None,
    )
    db.session.add(row)
    db.session.flush()
    audit.record("accounts.api_token_made", actor=person.id, subject=row.id, facts={"days": days})
    return row, secret


def end(person: Person, *, token_id: str) -> None:
    """It opens nothing any more. Idempotent. Raises: NotFound."""
    row = db.session.get(ApiToken, token_id)
    if row is None or row.person_id != person.id:
        raise NotFound
    if row.ended_at is None:
        row.ended_at = now()
        audit.record("accounts.api_token_ended", actor=person.id, subject=row.id)


def end_all(person: Person) -> None:
    """None opens anything any more."""
    live = (ApiToken.person_id == person.id, ApiToken.ended_at.is_(None))
    db.session.execute(update(ApiToken).where(*live).values(ended_at=now()))


def live_tokens(person_id: str) -> list[ApiToken]:
    """A person's tokens that count, the newest first."""
    asked = select(ApiToken).where(ApiToken.person_id == person_id, *is_live())
    return list(db.session.scalars(asked.order_by(ApiToken.created_at.desc(), ApiToken.id)))


def presented(authorization: str) -> str | None:
    """The hash of the API token in an Authorization header; None when it holds something else."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    is_ours = scheme.lower() == "bearer" and token.startswith(PREFIX) and len(token) <= 100 and token.isascii()
    return token_hash(token) if is_ours else None


def is_live() -> tuple[ColumnElement[bool], ...]:
    """The conditions of a token that counts."""
    return ApiToken.ended_at.is_(None), or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now())
