"""The operator's look at everybody: by filter, page after page; one person with what is theirs.

Law: the list, its CSV and its JSON ask with one and the same condition, a fixed number of queries for any page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, tuple_

from tokenboard.accounts.models import Person, SignIn
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import this_month
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ledger.glance_queries import posted_micros
from tokenboard.metering.models import CapWindow
from tokenboard.workspaces.models import Membership, Role, Workspace

STANDINGS = ("administrators", "disabled", "capped")
MOST_WORKSPACES, MOST_ACTS = 50, 8


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Whom the operator wants to see; empty: everybody who is not gone. `standing` is one of STANDINGS."""

    text: str = ""
    standing: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person with their own wallet and what they have used this month, in micro-credits."""

    person: Person
    balance_micros: int
    spent_micros: int
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Belonging:
    """A workspace of a person's, and what they are there."""

    workspace: Workspace
    role: str
    cap_cents: int | None
    balance_micros: int


def page(wanted: PeopleFilter, *, limit: int, before: tuple[datetime, str] | None = None) -> list[PersonRow]:
    """The newest first; `before` is the last one of the page before. Raises nothing: a filter may find nobody."""
    found = select(Person).where(*_conditions(wanted)).order_by(Person.created_at.desc(), Person.id.desc())
    if before is not None:
        found = found.where(tuple_(Person.created_at, Person.id) < before)
    return rows_of(list(db.session.scalars(found.limit(limit))))


def rows_of(people: Sequence[Person]) -> list[PersonRow]:
    """What the list shows of these people. Four queries."""
    ids = [one.id for one in people]
    balances, spent, seen = _balances(ids), _spent(ids), _seen(ids)
    return [PersonRow(one, balances.get(one.id, 0), spent.get(one.id, 0), seen.get(one.id)) for one in people]


def _conditions(wanted: PeopleFilter) -> list[ColumnElement[bool]]:
    known_id = or_none(parse_id, wanted.text)
    if known_id:
        owner = select(Membership.person_id).where(Membership.workspace_id == known_id, Membership.role == Role.OWNER)
        return [or_(Person.id == known_id, Person.id.in_(owner)), *_standing(wanted.standing)]
    chosen = [Person.deleted_at.is_(None), *_standing(wanted.standing)]
    if wanted.text:
        parts = (Person.email, Person.display_name)
        chosen.append(or_(*(part.icontains(wanted.text, autoescape=True) for part in parts)))
    return chosen


def _standing(word: str) -> list[ColumnElement[bool]]:
    conditions: dict[str, ColumnElement[bool]] = {
        "administrators": Person.is_admin.is_(True),
        "disabled": Person.is_disabled.is_(True),
        "capped": Person.monthly_budget_cents.is_not(None),
    }
    return [conditions[word]] if word in conditions else []


def _balances(ids: Sequence[str]) -> dict[str, int]:
    """Of each one's own workspace."""
    own = (
        select(Membership.person_id, Workspace.ledger_account_id)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.person_id.in_(ids), Membership.role == Role.OWNER, Workspace.is_personal)
    )
    wallets: dict[str, str] = {row[0]: row[1] for row in db.session.execute(own)}
    posted = posted_micros(wallets.values())
    return {person_id: posted.get(wallet_id, 0) for person_id, wallet_id in wallets.items()}


def _spent(ids: Sequence[str]) -> dict[str, int]:
    window = (CapWindow.kind == "person", CapWindow.subject_id.in_(ids), CapWindow.month == str(this_month()))
    found = db.session.execute(select(CapWindow.subject_id, CapWindow.spent_micros).where(*window))
    return {row[0]: row[1] for row in found}


def _seen(ids: Sequence[str]) -> dict[str, datetime]:
    found = select(SignIn.person_id, func.max(SignIn.last_seen_at)).where(SignIn.person_id.in_(ids))
    return {row[0]: row[1] for row in db.session.execute(found.group_by(SignIn.person_id))}


def person(person_id: str) -> Person | None:
    return db.session.get(Person, person_id)


def by_emails(emails: Iterable[str]) -> dict[str, Person]:
    """The people with these addresses; an unknown one is missing."""
    found = select(Person).where(Person.email.in_(list(emails)), Person.deleted_at.is_(None))
    return {one.email: one for one in db.session.scalars(found)}


def belongings(person_id: str) -> list[Belonging]:
    """Where a person belongs, their own workspace first. Two queries."""
    found = (
        select(Workspace, Membership.role, Membership.monthly_cap_cents)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.person_id == person_id, Workspace.archived_at.is_(None))
        .order_by((Workspace.is_personal & (Membership.role == Role.OWNER)).desc(), Workspace.name, Workspace.id)
        .limit(MOST_WORKSPACES)
    )
    rows = list(db.session.execute(found))
    posted = posted_micros(workspace.ledger_account_id for workspace, _, _ in rows)
    return [
        Belonging(workspace, role, cap_cents, posted[workspace.ledger_account_id])
        for workspace, role, cap_cents in rows
    ]


def acts_about(person_id: str) -> list[AuditEntry]:
    """The latest that this person did, or that was done to them."""
    about = or_(AuditEntry.actor == person_id, AuditEntry.subject == person_id)
    newest = (AuditEntry.created_at.desc(), AuditEntry.id.desc())
    return list(db.session.scalars(select(AuditEntry).where(about).order_by(*newest).limit(MOST_ACTS)))
