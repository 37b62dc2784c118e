"""What an administrator decides about a person: disabled or not, administrator or not, how much a month.

Laws: nobody does it to themselves, so an administrator is always left; two who act on each other at once are decided
one after the other; a disabled person's sessions end in the same transaction. Keys are another room's: `ops` pauses
them.
"""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.accounts import service
from tokenboard.accounts.errors import NotOnYourself
from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, Forbidden

LARGEST_BUDGET_CENTS = 10**11  # a thousand million dollars, as for members' caps


def disable(*, person: Person, actor: Person) -> bool:
    """Nobody comes in as this person any more. Whether that is new. Raises: NotOnYourself, Forbidden, Conflict."""
    row = _decided_on(person, actor)
    if row.is_disabled:
        return False
    row.is_disabled = True
    service.end_sessions(row)
    audit.record("accounts.disabled", actor=actor.id, subject=row.id, facts={"is_disabled": [False, True]})
    return True


def enable(*, person: Person, actor: Person) -> bool:
    """They may sign in again. Whether that is new. Raises: Conflict for an account that was deleted."""
    row = _decided_on(person, actor)
    if not row.is_disabled:
        return False
    row.is_disabled = False
    audit.record("accounts.enabled", actor=actor.id, subject=row.id, facts={"is_disabled": [True, False]})
    return True


def set_administrator(*, person: Person, is_admin: bool, actor: Person) -> bool:
    """Let a person run the site, or no longer. Whether that is new. Raises: NotOnYourself, Forbidden, Conflict."""
    row = _decided_on(person, actor)
    if row.is_admin == is_admin:
        return False
    row.is_admin = is_admin
    act = "accounts.made_administrator" if is_admin else "accounts.administrator_ended"
    audit.record(act, actor=actor.id, subject=row.id, facts={"is_admin": [not is_admin, is_admin]})
    return True


def _decided_on(person: Person, actor: Person) -> Person:
    """The row, locked; and the actor is an administrator still, also when another one decides at this moment."""
    if person.id == actor.id:
        raise NotOnYourself
    locked = select(Person).where(Person.id.in_([person.id, actor.id])).order_by(Person.id).with_for_update()
    rows = {row.id: row for row in db.session.scalars(locked.execution_options(populate_existing=True))}
    if not rows[actor.id].is_admin or rows[actor.id].is_disabled:
        raise Forbidden("You are no administrator any more.")
    if rows[person.id].deleted_at is not None:
        raise Conflict("This account was deleted.")
    return rows[person.id]


def set_budget(*, person: Person, cents: int | None, actor: str) -> bool:
    """The most a person may use in a month, in US cents of credits; None: no cap. Whether it changed."""
    before = person.monthly_budget_cents
    if before == cents:
        return False
    person.monthly_budget_cents = cents
    audit.record("accounts.cap_set", actor=actor, subject=person.id, facts={"monthly_cap_cents": [before, cents]})
    return True
