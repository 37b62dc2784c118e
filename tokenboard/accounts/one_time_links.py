"""Single-use links that prove a mailbox: verification, a new password, another e-mail.

Laws: 256-bit random, kept as a hash, bound to one purpose, person and address; only the newest of a kind counts; of two
uses at once one passes; a link dies when the address it was sent about is no longer the person's.
Source: reference/security.md 8, item 13.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select, update

from tokenboard.accounts.errors import LinkUsed
from tokenboard.accounts.models import OneTimeToken, Person
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token, token_hash
from tokenboard.core.db import db


class Purpose(StrEnum):
    """What a link is for."""

    VERIFY = "verify"  # the address is mine
    RESET = "reset"  # a new password
    CHANGE_EMAIL = "change_email"  # the row's address is mine too, use it from now on
    SECOND_STEP = "second_step"  # no link: the password was right, a code must follow


LIFETIMES = {
    Purpose.VERIFY: timedelta(hours=24),
    Purpose.RESET: timedelta(minutes=30),
    Purpose.CHANGE_EMAIL: timedelta(minutes=30),
    Purpose.SECOND_STEP: timedelta(minutes=10),
}


def issue(person: Person, purpose: Purpose, *, email: str = "") -> tuple[OneTimeToken, str]:
    """A fresh link's row and token; the ones before end. `email`: another address than the person's own."""
    end(person.id, purpose)
    token = new_token()
    row = OneTimeToken(
        purpose=purpose,
        token_hash=token_hash(token),
        person_id=person.id,
        email=email or person.email,
        expires_at=now() + LIFETIMES[purpose],
    )
    db.session.add(row)
    db.session.flush()
    return row, token


def end(person_id: str, *purposes: Purpose) -> None:
    """Unused links of these kinds open nothing any more; of every kind when none is named."""
    unused = (OneTimeToken.person_id == person_id, OneTimeToken.used_at.is_(None))
    ended = update(OneTimeToken).where(*unused, OneTimeToken.purpose.in_(purposes or tuple(Purpose)))
    db.session.execute(ended.values(used_at=now()))


def holder(token: str, purpose: Purpose) -> tuple[Person, OneTimeToken]:
    """Whose link it is, without using it. Raises: LinkUsed."""
    asked = select(Person, OneTimeToken).join(OneTimeToken, OneTimeToken.person_id == Person.id)
    found = db.session.execute(asked.where(*_holds(token, purpose))).one_or_none()
    if found is None or not _still_counts(found[0], found[1]):
        raise LinkUsed
    return found[0], found[1]


def redeem(token: str, purpose: Purpose) -> tuple[Person, OneTimeToken]:
    """Use a link up. Of two at once one passes. Raises: LinkUsed."""
    used = update(OneTimeToken).where(*_holds(token, purpose)).values(used_at=now())
    row = db.session.scalar(used.returning(OneTimeToken))
    person = db.session.get(Person, row.person_id, populate_existing=True) if row else None
    if row is None or person is None or not _still_counts(person, row):
        raise LinkUsed
    return person, row


def _still_counts(person: Person, row: OneTimeToken) -> bool:
    is_current = row.purpose == Purpose.CHANGE_EMAIL or row.email == person.email
    return is_current and not person.is_disabled


def _holds(token: str, purpose: Purpose) -> tuple[ColumnElement[bool], ...]:
    conditions: tuple[Any, ...] = (
        OneTimeToken.purpose == purpose,
        OneTimeToken.token_hash == token_hash(token),
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > now(),
    )
    return conditions
