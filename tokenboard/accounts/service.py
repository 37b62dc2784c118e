"""People and their sessions, one function a use case.

Laws: hashing happens before a transaction begins or after it ended, because 280 ms under SQLite's write lock would
stop everybody; an unknown e-mail, a wrong password and a disabled person are one answer in one time.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from tokenboard.accounts import passwords
from tokenboard.accounts.errors import EmailTaken
from tokenboard.accounts.models import THEME, Method, OneTimeToken, Person, Preference, SignIn
from tokenboard.accounts.security_models import ApiToken, OidcIdentity, PastEmail, RecoveryCode, SecondFactor
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.crypto import CannotUnseal, KeyRing, fingerprint, new_token, token_hash
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import InvalidCredentials, ValidationFailed
from tokenboard.core.parsing import or_none, parse_email
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert

_LONGEST_AGENT = 300
GONE = "deleted.invalid"  # RFC 2606: no mail ever goes there


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session and its token, which is known only now."""

    sign_in: SignIn
    token: str


def register(*, email: str, password: str, display_name: str = "") -> Person:
    """A new person. Raises: ValidationFailed (password), EmailTaken."""
    why = passwords.fault(password, email=email)
    if why:
        raise ValidationFailed({"password": [why]})
    return _add(Person(email=email, display_name=display_name, password_hash=passwords.hashed(password)))


def register_elsewhere(*, email: str, display_name: str, is_verified: bool) -> Person:
    """A new person who signs in at the provider and has no password here. Raises: EmailTaken."""
    verified_at = now() if is_verified else None
    return _add(Person(email=email, display_name=display_name, email_verified_at=verified_at))


def _add(person: Person) -> Person:
    try:
        with db.session.begin_nested():
            db.session.add(person)
    except IntegrityError as error:
        raise EmailTaken from error  # two may register at once; the unique e-mail decides
    audit.record("accounts.registered", actor=person.id, subject=person.id)
    return person


def authenticate(*, email: str, password: str) -> Person:
    """The person with this e-mail and password. Raises: InvalidCredentials, for whatever reason."""
    address = or_none(parse_email, email) or ""
    asked = select(Person.id, Person.password_hash).where(Person.email == address, Person.is_disabled.is_(False))
    found = db.session.execute(asked).one_or_none()
    db.session.rollback()  # nothing was written; the hash below must not hold a transaction
    if not passwords.matches(password, found.password_hash if found else "") or found is None:
        raise InvalidCredentials
    person = db.session.get(Person, found.id)
    if person is None or person.is_disabled:
        raise InvalidCredentials  # gone in the meantime
    return person


def prove(sign_in_id: str, person_id: str) -> None:
    """Write down that who sits there has just proven who they are."""
    live = (SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
    db.session.execute(update(SignIn).where(*live).values(proven_at=now()))
    audit.record("accounts.confirmed", actor=person_id, subject=sign_in_id)


def record_failed_sign_in(*, email: str) -> None:
    """Note a refused sign-in without keeping what was typed: people type passwords into the e-mail field."""
    hidden = fingerprint(email.strip().casefold(), key=settings().secret_key)[:32]
    audit.record("accounts.sign_in_failed", actor="nobody", subject=hidden)


def open_session(
    person: Person,
    *,
    ip_address: str = "",
    user_agent: str = "",
    method: Method = Method.PASSWORD,
    has_second_factor: bool = False,
    id_token: str = "",
) -> OpenedSession:
    """A session of its own for this person; the token is for the caller's cookie and is not kept.

    `id_token`: the provider's, kept sealed as its hint at signing out there too.
    """
    token, sign_in_id = new_token(), new_id()
    sign_in = SignIn(
        id=sign_in_id,
        person_id=person.id,
        token_hash=token_hash(token),
        ip_address=ip_address,
        user_agent=_printable(user_agent),
        method=method,
        second_factor_at=now() if has_second_factor else None,
        sealed_id_token=_seal(id_token, sign_in_id) if id_token else "",
    )
    db.session.add(sign_in)
    db.session.flush()
    audit.record("accounts.signed_in", actor=person.id, subject=sign_in.id)
    return OpenedSession(sign_in, token)


def _seal(id_token: str, sign_in_id: str) -> str:
    return settings().encryption_keys.seal(id_token, context=_hint_context(sign_in_id))


def _hint_context(sign_in_id: str) -> str:
    return f"sign_in:{sign_in_id}"


def provider_hint(sign_in_id: str) -> str | None:
    """The provider's id_token of a session opened there; None when it was not. Empty: it cannot be read any more."""
    asked = select(SignIn.sealed_id_token).where(SignIn.id == sign_in_id, SignIn.method == Method.OIDC)
    sealed = db.session.scalar(asked)
    if not sealed:
        return sealed
    try:
        return settings().encryption_keys.unseal(sealed, context=_hint_context(sign_in_id))
    except CannotUnseal:
        return ""


def reseal_hints(key_ring: KeyRing) -> int:
    """Seal the hints of live sessions with the key that writes now, and forget the others. How many changed."""
    changed = 0
    for sign_in in db.session.scalars(select(SignIn).where(SignIn.sealed_id_token != "")):
        if not key_ring.is_current(sign_in.sealed_id_token):
            hint = provider_hint(sign_in.id) if sign_in.ended_at is None else ""
            sign_in.sealed_id_token = key_ring.seal(hint, context=_hint_context(sign_in.id)) if hint else ""
            changed += 1
    return changed


def _printable(user_agent: str) -> str:
    return "".join(character for character in user_agent if character.isprintable())[:_LONGEST_AGENT]


def end_session(sign_in: SignIn) -> None:
    """Signing out. Idempotent."""
    if sign_in.ended_at is None:
        sign_in.ended_at = now()  # a view as somebody else ends with it (view_service.py)
        audit.record("accounts.signed_out", actor=sign_in.person_id, subject=sign_in.id)


def end_sessions(person: Person, *, but: SignIn | None = None) -> int:
    """End every session of a person, or all but one; answers how many."""
    live = update(SignIn).where(SignIn.person_id == person.id, SignIn.ended_at.is_(None))
    if but is not None:
        live = live.where(SignIn.id != but.id)
    ended = db.session.scalars(live.values(ended_at=now()).returning(SignIn.id)).all()
    if ended:
        audit.record("accounts.sessions_ended", actor=person.id, subject=person.id, facts={"sessions": len(ended)})
    return len(ended)


def describe(person: Person, *, display_name: str) -> None:
    """Change what a person is called."""
    person.display_name = display_name


def forget(person: Person) -> None:
    """Take out what names somebody and whatever opens the account; the row stays, the books point at it. Idempotent."""
    if person.deleted_at is not None:
        return
    end_sessions(person)
    seen = update(SignIn).where(SignIn.person_id == person.id)
    db.session.execute(seen.values(ip_address="", user_agent="", sealed_id_token=""))
    for row in (ApiToken, OidcIdentity, OneTimeToken, PastEmail, Preference, RecoveryCode, SecondFactor):
        db.session.execute(delete(row).where(row.person_id == person.id))
    person.email, person.display_name, person.password_hash = f"{person.id}@{GONE}", "", ""
    person.is_admin, person.is_disabled = False, True
    person.email_verified_at = person.monthly_budget_cents = None
    person.deleted_at = now()
    audit.record("accounts.deleted", actor=person.id, subject=person.id)


def choose_theme(person: Person, *, theme: str) -> None:
    """Keep a person's colours: light, dark or system."""
    kept = insert(Preference).values(person_id=person.id, name=THEME, value=theme)
    db.session.execute(kept.on_conflict_do_update(index_elements=["person_id", "name"], set_={"value": theme}))


def make_administrator(person: Person, *, actor: str) -> None:
    """Let a person run the site. Idempotent."""
    if not person.is_admin:
        person.is_admin = True
        audit.record("accounts.made_administrator", actor=actor, subject=person.id)
