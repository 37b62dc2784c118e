"""Who belongs to a workspace, and who is invited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select

from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.workspaces import rules
from tokenboard.workspaces.models import Invitation, Membership


@dataclass(frozen=True, slots=True)
class Member:
    """One person in one workspace."""

    person_id: str
    email: str
    name: str
    role: str
    monthly_cap_cents: int | None
    created_at: datetime

    @property
    def cap_dollars(self) -> str:
        """The cap as people type it; empty: none."""
        return "" if self.monthly_cap_cents is None else f"{Decimal(self.monthly_cap_cents).scaleb(-2):.2f}"


def members(workspace_id: str) -> list[Member]:
    """Everyone in it, the largest role first, then by name."""
    rows = db.session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.workspace_id == workspace_id)
        .limit(rules.MOST_MEMBERS)
    )
    found = [_member(person, membership) for person, membership in rows]
    return sorted(found, key=lambda one: (-rules.rank(one.role), one.name.casefold(), one.email))


def member(workspace_id: str, person_id: str) -> Member | None:
    """One of them."""
    row = db.session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.workspace_id == workspace_id, Person.id == person_id)
    ).one_or_none()
    return _member(row[0], row[1]) if row else None


def _member(person: Person, membership: Membership) -> Member:
    cap = membership.monthly_cap_cents
    return Member(person.id, person.email, person.name, membership.role, cap, membership.created_at)


def open_invitations(workspace_id: str) -> list[Invitation]:
    """Offers that can still be accepted, oldest first."""
    asked = select(Invitation).where(Invitation.workspace_id == workspace_id, *is_open())
    return list(db.session.scalars(asked.order_by(Invitation.created_at, Invitation.id).limit(rules.MOST_MEMBERS)))


def is_open() -> tuple[ColumnElement[bool], ...]:
    """The conditions of an invitation that can still be accepted."""
    return (Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None), Invitation.expires_at > now())


def seats(workspace_id: str) -> int:
    """Members and open invitations together."""
    belonging = select(func.count()).select_from(Membership).where(Membership.workspace_id == workspace_id)
    invited = select(func.count()).select_from(Invitation).where(Invitation.workspace_id == workspace_id, *is_open())
    return (db.session.scalar(belonging) or 0) + (db.session.scalar(invited) or 0)
