"""Proving again, in an open session, who sits there; and another password.

Laws: whoever has a second factor proves with it, not with the password alone; hashing stands in no transaction; a new
password ends every other session and is told to the account's address. Source: reference/security.md 3.3 (V6, V7).
"""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.accounts import mailbox_service, one_time_links, passwords, second_factor_service, service
from tokenboard.accounts.errors import PasswordsClosed
from tokenboard.accounts.models import Person, SignIn
from tokenboard.audit import service as audit
from tokenboard.core.db import db
from tokenboard.core.errors import InvalidCredentials, ValidationFailed
from tokenboard.core.settings import settings


def confirm(sign_in: SignIn, *, password: str = "", code: str = "") -> None:
    """A code where there is a second factor, else the password. Raises: InvalidCredentials, PasswordsClosed."""
    sign_in_id, person_id = sign_in.id, sign_in.person_id
    if second_factor_service.is_on(person_id):
        if not second_factor_service.take(person_id, code):
            raise InvalidCredentials
    elif settings().oidc_only:
        raise PasswordsClosed(settings().oidc_name)
    elif not _knows(person_id, password):
        raise InvalidCredentials
    service.prove(sign_in_id, person_id)


def _knows(person_id: str, password: str) -> bool:
    kept = db.session.scalar(select(Person.password_hash).where(Person.id == person_id)) or ""
    db.session.rollback()  # nothing was written; the hash must not hold a transaction
    return passwords.matches(password, kept)


def change_password(person: Person, sign_in: SignIn, *, current: str, password: str) -> None:
    """Another password, or the first one of who came through the provider. Raises: ValidationFailed."""
    person_id, sign_in_id, email = person.id, sign_in.id, person.email
    if person.password_hash and not _knows(person_id, current):
        raise ValidationFailed({"current_password": ["That is not your password."]})
    why = passwords.fault(password, email=email)
    if why:
        raise ValidationFailed({"password": [why]})
    db.session.rollback()
    kept = passwords.hashed(password)
    person = db.session.get_one(Person, person_id, populate_existing=True)
    person.password_hash = kept
    one_time_links.end(person_id)
    service.end_sessions(person, but=db.session.get_one(SignIn, sign_in_id))
    mailbox_service.tell_password_changed(person)
    audit.record("accounts.password_changed", actor=person_id, subject=person_id)
