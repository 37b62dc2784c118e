"""What a mailbox proves: that an address is somebody's, a new password, another address.

Laws: whoever asks for a new password is answered alike, known or not, after the same work; a new password ends every
session; an account whose address nobody had confirmed may have been made by a stranger, so that a reset takes every
other way into it away; an address changes only when its new mailbox confirms, and the old one is told.
Sources: reference/security.md 3.1 and 8, item 13; reference/oidc.md C3.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from tokenboard.accounts import api_tokens, one_time_links, passwords, queries, service
from tokenboard.accounts.errors import EmailTaken
from tokenboard.accounts.models import OneTimeToken, Person
from tokenboard.accounts.one_time_links import LIFETIMES, Purpose
from tokenboard.accounts.security_models import OidcIdentity, PastEmail, RecoveryCode, SecondFactor
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.crypto import fingerprint, new_token, token_hash
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, ValidationFailed
from tokenboard.core.settings import settings
from tokenboard.notices.letters import send_letter

_MINUTES = {purpose: int(lifetime.total_seconds() // 60) for purpose, lifetime in LIFETIMES.items()}


def require_mail() -> None:
    """Raises: NotConfigured, where no message could leave; alike for everybody."""
    if settings().is_production and not settings().smtp_url:
        raise NotConfigured("This site sends no e-mail yet. Ask who runs it.", setting="SMTP_URL")


def ask_reset(*, email: str) -> None:
    """Mail a link for a new password, if somebody signs in with this address. Raises: NotConfigured."""
    require_mail()
    person = queries.person_by_email(email)
    if person is None or person.is_disabled:
        _do_as_much_for_nobody(email)
        return
    row, token = one_time_links.issue(person, Purpose.RESET)
    _send_link("reset", row, token, path="/reset/", subject="Choose a new password")
    audit.record("accounts.reset_asked", actor="nobody", subject=person.id)


def _do_as_much_for_nobody(email: str) -> None:
    """The same statements and letter, so that the time tells nothing; one row of the outbox is the whole difference."""
    nobody = Person(email=email)
    one_time_links.end("00000000-0000-0000-0000-000000000000", Purpose.RESET)
    gone = {"used_at": now(), "expires_at": now()}
    db.session.add(OneTimeToken(purpose=Purpose.RESET, token_hash=token_hash(new_token()), **gone))
    db.session.flush()
    settings().encryption_keys.seal(new_token(), context="nobody")
    audit.record("accounts.reset_asked", actor="nobody", subject=_mark(nobody.email))


def _mark(email: str) -> str:
    return fingerprint(email, key=settings().secret_key)[:32]


def reset_password(*, token: str, password: str) -> Person:
    """A new password by a mailed link; ends every session. Raises: LinkUsed, ValidationFailed."""
    holder, _ = one_time_links.holder(token, Purpose.RESET)
    why = passwords.fault(password, email=holder.email)
    if why:
        raise ValidationFailed({"password": [why]})
    db.session.rollback()  # nothing was written; the hash below must not hold a transaction
    kept = passwords.hashed(password)
    person, _ = one_time_links.redeem(token, Purpose.RESET)
    _set_password(person, kept)
    if person.email_verified_at is None:
        _take_strangers_keys(person)
        person.email_verified_at = now()
    service.end_sessions(person)
    audit.record("accounts.password_reset", actor=person.id, subject=person.id)
    return person


def _set_password(person: Person, kept: str) -> None:
    person.password_hash = kept
    one_time_links.end(person.id)
    tell_password_changed(person)


def tell_password_changed(person: Person) -> None:
    """Say it to the address of the account."""
    send_letter(
        "password_changed",
        kind="accounts.password_changed",
        address=person.email,
        subject="Your password was changed",
        idempotency_key=f"password-changed:{new_token()}",
        path="/forgot",
        facts={"email": person.email},
    )


def _take_strangers_keys(person: Person) -> None:
    """Whoever made the account before its mailbox spoke keeps no way in."""
    for row in (OidcIdentity, RecoveryCode, SecondFactor):
        db.session.execute(delete(row).where(row.person_id == person.id))
    api_tokens.end_all(person)


def send_verification(person: Person) -> None:
    """Mail a link that confirms the address. Nothing to do where it is confirmed. Raises: NotConfigured."""
    if person.email_verified_at is not None:
        return
    require_mail()
    row, token = one_time_links.issue(person, Purpose.VERIFY)
    waiting = settings().signup_credits if settings().smtp_url else 0
    _send_link("verify", row, token, path="/verify/", subject="Confirm your e-mail address", credits=waiting)


def verify(*, token: str) -> Person:
    """The address is confirmed. Raises: LinkUsed."""
    person, _ = one_time_links.redeem(token, Purpose.VERIFY)
    person.email_verified_at = person.email_verified_at or now()
    audit.record("accounts.email_verified", actor=person.id, subject=person.id)
    return person


def vouch(person: Person, *, actor: str) -> None:
    """The operator knows whose address it is. Idempotent."""
    if person.email_verified_at is None:
        person.email_verified_at = now()
        audit.record("accounts.email_vouched", actor=actor, subject=person.id)


def ask_email_change(person: Person, *, email: str) -> None:
    """Mail a link to a new address, and word of it to the old one.

    Raises: NotConfigured, ValidationFailed, EmailTaken.
    """
    require_mail()
    if email == person.email:
        raise ValidationFailed({"email": ["This is your address already."]})
    if queries.person_by_email(email) is not None:
        raise EmailTaken
    row, token = one_time_links.issue(person, Purpose.CHANGE_EMAIL, email=email)
    _send_link("email_change", row, token, path="/account/email/", subject="Confirm your new e-mail address")
    _tell_old_address(person.email, row, "email_change_asked", "Your e-mail address is about to change", new=email)
    audit.record("accounts.email_change_asked", actor=person.id, subject=person.id)


def change_email(*, token: str) -> Person:
    """The new mailbox has confirmed: the address changes and other links end. Raises: LinkUsed, EmailTaken."""
    person, row = one_time_links.redeem(token, Purpose.CHANGE_EMAIL)
    before = person.email
    try:
        with db.session.begin_nested():
            person.email = row.email
            db.session.flush()
    except IntegrityError as error:
        raise EmailTaken from error  # somebody registered with it meanwhile
    person.email_verified_at = now()
    db.session.add(PastEmail(person_id=person.id, email=before))
    one_time_links.end(person.id)
    _tell_old_address(before, row, "email_changed", "Your e-mail address was changed", new=person.email)
    audit.record("accounts.email_changed", actor=person.id, subject=person.id)
    return person


def past_emails(person_id: str) -> list[str]:
    """The addresses a person had before, the latest first."""
    asked = select(PastEmail.email).where(PastEmail.person_id == person_id)
    return list(db.session.scalars(asked.order_by(PastEmail.changed_at.desc(), PastEmail.id)))


def _send_link(name: str, row: OneTimeToken, token: str, *, path: str, subject: str, **facts: object) -> None:
    """No letter to an address that may be a stranger's repeats a name: names are what spammers would fill in."""
    send_letter(
        name,
        kind=f"accounts.{name}",
        address=row.email,
        subject=subject,
        idempotency_key=f"{name}:{row.id}",
        path=path,
        secret=token,
        facts={"minutes": _MINUTES[Purpose(row.purpose)], **facts},
    )


def _tell_old_address(address: str, row: OneTimeToken, name: str, subject: str, *, new: str) -> None:
    send_letter(
        name,
        kind=f"accounts.{name}",
        address=address,
        subject=subject,
        idempotency_key=f"{name}:{row.id}",
        path="/forgot",
        facts={"old": address, "new": new},
    )
