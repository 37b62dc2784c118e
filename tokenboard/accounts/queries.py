"""What is asked about people and their sessions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select

from tokenboard.accounts.models import Person, SignIn
from tokenboard.accounts.security_models import PastEmail
from tokenboard.accounts.sessions import ABSOLUTE_SECONDS, IDLE_SECONDS
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id

MOST_SESSIONS = 100  # shown on one page


def person_by_email(email: str) -> Person | None:
    """The person with this e-mail (lower case)."""
    return db.session.scalars(select(Person).where(Person.email == email)).one_or_none()


def person_by_any_email(email: str) -> Person | None:
    """The person with this e-mail, else whoever had it last: usage reported under it is still theirs."""
    found = person_by_email(email)
    if found is not None:
        return found
    past = select(Person).join(PastEmail, PastEmail.person_id == Person.id).where(PastEmail.email == email)
    return db.session.scalars(past.order_by(PastEmail.changed_at.desc(), PastEmail.id).limit(1)).first()


def has_administrator() -> bool:
    """Whether somebody can run the site."""
    asked = select(Person.id).where(Person.is_admin.is_(True), Person.is_disabled.is_(False)).limit(1)
    return db.session.scalar(asked) is not None


def live_sessions(person_id: str) -> list[SignIn]:
    """The person's sessions that still count, the latest used first."""
    instant = now()
    asked = select(SignIn).where(
        SignIn.person_id == person_id,
        SignIn.ended_at.is_(None),
        SignIn.last_seen_at >= instant - timedelta(seconds=IDLE_SECONDS),
        SignIn.created_at >= instant - timedelta(seconds=ABSOLUTE_SECONDS),
    )
    return list(db.session.scalars(asked.order_by(SignIn.last_seen_at.desc(), SignIn.id).limit(MOST_SESSIONS)))


def session_of(person_id: str, sign_in_id: str) -> SignIn | None:
    """One session of this person; nobody else's."""
    return db.session.scalars(
        select(SignIn).where(SignIn.id == sign_in_id, SignIn.person_id == person_id)
    ).one_or_none()


def people_by_id(person_ids: Iterable[str]) -> dict[str, Person]:
    """Several people by id, for lists that name who did what; ids that are no person's are left out."""
    wanted = [found for one in person_ids if (found := or_none(parse_id, one))]
    return {person.id: person for person in db.session.scalars(select(Person).where(Person.id.in_(wanted)))}
