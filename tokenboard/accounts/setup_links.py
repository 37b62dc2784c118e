"""The one-time link by which the first administrator makes their account. There is never a default password.

Laws: single use, 24 hours, kept as a hash; only the newest one counts; dead as soon as there is an administrator.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update

from tokenboard.accounts import queries
from tokenboard.accounts.errors import LinkUsed
from tokenboard.accounts.models import OneTimeToken
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token, token_hash
from tokenboard.core.db import db

LIFETIME = timedelta(hours=24)
_PURPOSE = "setup"


def issue() -> str | None:
    """A fresh token, which ends the ones before; None when the site has an administrator."""
    if queries.has_administrator():
        return None
    unused = (OneTimeToken.purpose == _PURPOSE, OneTimeToken.used_at.is_(None))
    db.session.execute(update(OneTimeToken).where(*unused).values(used_at=now()))
    token = new_token()
    db.session.add(OneTimeToken(purpose=_PURPOSE, token_hash=token_hash(token), expires_at=now() + LIFETIME))
    return token


def check(token: str) -> None:
    """Raises: LinkUsed."""
    if queries.has_administrator() or not db.session.scalar(select(OneTimeToken.id).where(*_holds(token))):
        raise LinkUsed


def redeem(token: str) -> None:
    """Use the link up. Of two at once one passes. Raises: LinkUsed."""
    used = update(OneTimeToken).where(*_holds(token)).values(used_at=now()).returning(OneTimeToken.id)
    if queries.has_administrator() or db.session.scalar(used) is None:
        raise LinkUsed


def _holds(token: str) -> tuple[ColumnElement[bool], ...]:
    conditions: tuple[Any, ...] = (
        OneTimeToken.purpose == _PURPOSE,
        OneTimeToken.token_hash == token_hash(token),
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > now(),
    )
    return conditions
