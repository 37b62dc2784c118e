"""A person's second factor: setting it up, asking for it, recovery codes, taking it away.

Laws: the secret is sealed with the person's id as context; a code opens nothing twice, also for two at once (the step
moves forward in one guarded UPDATE); recovery codes are kept as keyed hashes and used once; a factor that was not
confirmed with a code does not count. Sources: RFC 6238 5.2; reference/security.md 3.3 (V6) and 8, item 18.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, func, select, update

from tokenboard.accounts import second_factor_rules as rules, service
from tokenboard.accounts.errors import FactorMissing, FactorNeeded, FactorThere
from tokenboard.accounts.models import Person, SignIn
from tokenboard.accounts.security_models import RecoveryCode, SecondFactor
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.crypto import KeyRing, fingerprint
from tokenboard.core.db import db, rows_changed
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.settings import settings
from tokenboard.notices.letters import send_letter

_WRONG = "That code is wrong, old, or was used already."


def begin(person: Person) -> None:
    """Make a secret to be shown; one that was begun before is replaced. Raises: FactorThere."""
    if is_on(person.id):
        raise FactorThere
    db.session.execute(delete(SecondFactor).where(SecondFactor.person_id == person.id))
    sealed = settings().encryption_keys.seal(rules.new_secret(), context=_context(person.id))
    db.session.add(SecondFactor(person_id=person.id, sealed_secret=sealed))


def pending_secret(person: Person) -> str:
    """The secret that waits for its first code. Raises: FactorMissing."""
    found = _factor(person.id)
    if found is None or found.confirmed_at is not None:
        raise FactorMissing
    return _secret(found)


def confirm(person: Person, sign_in: SignIn, *, code: str) -> list[str]:
    """The first code turns it on: other sessions end. The recovery codes, shown this once.

    Raises: FactorMissing, ValidationFailed.
    """
    pending_secret(person)
    if not _take_code(person.id, rules.typed_code(code)):
        raise ValidationFailed({"code": [_WRONG]})
    turned_on = update(SecondFactor).where(SecondFactor.person_id == person.id, SecondFactor.confirmed_at.is_(None))
    if not rows_changed(db.session.execute(turned_on.values(confirmed_at=now()))):
        raise FactorMissing  # another tab was first
    sign_in.second_factor_at = now()
    service.end_sessions(person, but=sign_in)
    _tell(person, "is on: besides your password, signing in asks for a code from your authenticator app.")
    audit.record("accounts.second_factor_on", actor=person.id, subject=person.id)
    return _fresh_codes(person.id)


def renew_codes(person: Person) -> list[str]:
    """New recovery codes, shown this once; the old ones end. Raises: FactorMissing."""
    if not is_on(person.id):
        raise FactorMissing
    audit.record("accounts.recovery_codes_renewed", actor=person.id, subject=person.id)
    return _fresh_codes(person.id)


def remove(person: Person) -> None:
    """Turn it off. Idempotent. Raises: FactorNeeded."""
    if person.is_admin and settings().require_admin_mfa:
        raise FactorNeeded
    _take_away(person, actor=person.id)


def take_lost_one_away(person: Person, *, actor: str) -> bool:
    """The operator's way for whoever has lost the app and the codes: every session ends. Whether there was one."""
    service.end_sessions(person)
    return _take_away(person, actor=actor)


def _take_away(person: Person, *, actor: str) -> bool:
    was_on = is_on(person.id)
    for row in (SecondFactor, RecoveryCode):
        db.session.execute(delete(row).where(row.person_id == person.id))
    if was_on:
        _tell(person, "is off: your password alone signs you in.")
        audit.record("accounts.second_factor_off", actor=actor, subject=person.id)
    return was_on


def is_on(person_id: str) -> bool:
    """Whether signing in asks this person for a code."""
    asked = select(SecondFactor.person_id)
    return db.session.scalar(asked.where(SecondFactor.person_id == person_id, _is_confirmed())) is not None


def has_begun(person_id: str) -> bool:
    """Whether a secret waits for its first code."""
    found = _factor(person_id)
    return found is not None and found.confirmed_at is None


def codes_left(person_id: str) -> int:
    """How many recovery codes are unused."""
    asked = select(func.count()).select_from(RecoveryCode)
    return db.session.scalar(asked.where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))) or 0


def take(person_id: str, code: str) -> bool:
    """Use a code of the app, or a recovery code. Whether it was right, and not used before."""
    typed = rules.typed_code(code)
    if not is_on(person_id):
        return False
    if rules.is_recovery_code(typed):
        return _take_recovery_code(person_id, typed)
    return _take_code(person_id, typed)


def _take_code(person_id: str, code: str) -> bool:
    found = _factor(person_id)
    if found is None:
        return False
    instant = int(now().timestamp())
    step = rules.matching_step(_secret(found), code, instant=instant, last_step=found.last_step)
    if step is None:
        return False
    is_later = (SecondFactor.person_id == person_id, SecondFactor.last_step < step)
    moved = update(SecondFactor).where(*is_later).values(last_step=step)
    return bool(rows_changed(db.session.execute(moved.execution_options(synchronize_session=False))))


def _take_recovery_code(person_id: str, code: str) -> bool:
    unused = (
        RecoveryCode.person_id == person_id,
        RecoveryCode.code_hash == _hashed(code),
        RecoveryCode.used_at.is_(None),
    )
    used = update(RecoveryCode).where(*unused).values(used_at=now()).returning(RecoveryCode.id)
    if db.session.scalar(used) is None:
        return False
    audit.record("accounts.recovery_code_used", actor=person_id, subject=person_id)
    return True


def _fresh_codes(person_id: str) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = rules.new_recovery_codes()
    db.session.add_all(RecoveryCode(person_id=person_id, code_hash=_hashed(rules.typed_code(code))) for code in codes)
    return codes


def _hashed(code: str) -> str:
    """Keyed with the pepper, which never changes; 118 bits would need no more than a plain hash (ASVS 5.0, 6.5.2)."""
    return fingerprint(f"recovery:{code}", key=settings().password_pepper)


def _factor(person_id: str) -> SecondFactor | None:
    return db.session.get(SecondFactor, person_id, populate_existing=True)


def _is_confirmed() -> ColumnElement[bool]:
    return SecondFactor.confirmed_at.is_not(None)


def _secret(found: SecondFactor) -> str:
    """Raises: CannotUnseal."""
    return settings().encryption_keys.unseal(found.sealed_secret, context=_context(found.person_id))


def _context(person_id: str) -> str:
    return f"second_factor:{person_id}"


def _tell(person: Person, what: str) -> None:
    send_letter(
        "second_factor",
        kind="accounts.second_factor",
        address=person.email,
        subject="Two-step sign-in of your account",
        idempotency_key=f"second-factor:{person.id}:{now().isoformat()}",
        path="/settings/security",
        facts={"email": person.email, "what": what},
    )


def reseal(key_ring: KeyRing) -> int:
    """Seal every secret with the key that writes now. Returns how many changed."""
    changed = 0
    for found in db.session.scalars(select(SecondFactor)):
        if not key_ring.is_current(found.sealed_secret):
            secret = key_ring.unseal(found.sealed_secret, context=_context(found.person_id))
            found.sealed_secret = key_ring.seal(secret, context=_context(found.person_id))
            changed += 1
    return changed
