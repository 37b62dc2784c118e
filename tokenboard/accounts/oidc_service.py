"""Identities at the sign-in provider: whose they are, connecting them, and what their groups give.

Laws: an identity is issuer and subject, never an e-mail; an account's e-mail never changes because a provider says so;
what groups gave goes with the group, and nothing else does. Source: reference/oidc.md C3.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from tokenboard.accounts import oidc_rules, queries
from tokenboard.accounts.errors import AskForPassword, IdentityTaken, LastWayIn, NoEmailTold
from tokenboard.accounts.models import Person
from tokenboard.accounts.security_models import OidcIdentity
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.parsing import or_none, parse_email
from tokenboard.core.settings import settings
from tokenboard.providers.oidc_client import Claims


def known(claims: Claims) -> Person | None:
    """Whom these claims let in already: a connected identity's person, else one whose verified e-mail both sides know.

    Raises: NoEmailTold (nobody known and no address to make an account with), AskForPassword.
    """
    identity = identity_of(claims.issuer, claims.subject)
    if identity is not None:
        identity.last_used_at, identity.email = now(), email_told(claims) or identity.email
        holder = db.session.get_one(Person, identity.person_id)
        _apply_groups(holder, identity, claims)
        return holder
    email = email_told(claims)
    if not email:
        raise NoEmailTold
    person = queries.person_by_email(email)
    if person is None:
        return None
    if not oidc_rules.may_link(told_verified=claims.email_verified, ours_verified=person.email_verified_at is not None):
        raise AskForPassword
    connect(person, claims)
    return person


def connect(person: Person, claims: Claims) -> None:
    """Let this identity open this account from now on. Raises: IdentityTaken."""
    add_identity(person, issuer=claims.issuer, subject=claims.subject, email=email_told(claims))
    identity = identity_of(claims.issuer, claims.subject)
    assert identity is not None  # written a moment ago
    _apply_groups(person, identity, claims)


def add_identity(person: Person, *, issuer: str, subject: str, email: str) -> None:
    """Connect without groups: they are looked at with the next sign-in. Idempotent. Raises: IdentityTaken."""
    there = identity_of(issuer, subject)
    if there is not None:
        if there.person_id != person.id:
            raise IdentityTaken
        return
    try:
        with db.session.begin_nested():
            db.session.add(OidcIdentity(person_id=person.id, issuer=issuer, subject=subject, email=email))
    except IntegrityError as error:
        raise IdentityTaken from error  # two callbacks at once; the unique pair decides
    audit.record("accounts.identity_connected", actor=person.id, subject=person.id, facts={"issuer": issuer})


def remove_identity(person: Person, *, identity_id: str) -> None:
    """Disconnect one. Raises: NotFound, LastWayIn."""
    found = db.session.get(OidcIdentity, identity_id)
    if found is None or found.person_id != person.id:
        raise NotFound
    count = select(func.count()).select_from(OidcIdentity).where(OidcIdentity.person_id == person.id)
    needs_it = settings().oidc_only or not person.password_hash
    if needs_it and (db.session.scalar(count) or 0) <= 1:
        raise LastWayIn
    _take_back(person, found)
    db.session.delete(found)
    audit.record("accounts.identity_removed", actor=person.id, subject=person.id, facts={"issuer": found.issuer})


def identity_of(issuer: str, subject: str) -> OidcIdentity | None:
    """The connected identity, if it is one."""
    asked = select(OidcIdentity).where(OidcIdentity.issuer == issuer, OidcIdentity.subject == subject)
    return db.session.scalars(asked).one_or_none()


def identities(person_id: str) -> list[OidcIdentity]:
    """A person's connected identities, the oldest first."""
    asked = select(OidcIdentity).where(OidcIdentity.person_id == person_id)
    return list(db.session.scalars(asked.order_by(OidcIdentity.created_at, OidcIdentity.id)))


def email_told(claims: Claims) -> str:
    """The address as we keep them; empty when none was told, or none that is one."""
    return or_none(parse_email, claims.email) or ""


def _apply_groups(person: Person, identity: OidcIdentity, claims: Claims) -> None:
    """Give what the groups give now, and take back what they gave and give no more."""
    here = settings()
    is_admin = oidc_rules.is_admin(claims.groups, here.oidc_admin_groups)
    if is_admin and not person.is_admin:
        person.is_admin = identity.gave_admin = True
        audit.record("accounts.made_administrator", actor="oidc groups", subject=person.id)
    elif not is_admin and identity.gave_admin:
        _take_admin(person, identity)
    cents = oidc_rules.allowance(claims.groups, dict(here.oidc_group_budgets))
    if cents is not None:
        person.monthly_budget_cents, identity.gave_budget = cents, True
    elif identity.gave_budget:
        person.monthly_budget_cents, identity.gave_budget = None, False


def _take_back(person: Person, identity: OidcIdentity) -> None:
    if identity.gave_admin:
        _take_admin(person, identity)
    if identity.gave_budget:
        person.monthly_budget_cents = None


def _take_admin(person: Person, identity: OidcIdentity) -> None:
    person.is_admin = identity.gave_admin = False
    audit.record("accounts.administrator_ended", actor="oidc groups", subject=person.id)
