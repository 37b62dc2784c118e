"""Workspaces and who belongs to them, one function a use case. Callers have decided access (access.py)."""

from __future__ import annotations

from sqlalchemy import func, select

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict
from tokenboard.workspaces import access, rules
from tokenboard.workspaces.models import Membership, Role, Workspace


def create(*, owner: Person, name: str, is_personal: bool = False, is_demo: bool = False) -> Workspace:
    """A workspace with its owner. Raises: Conflict (the owner belongs to too many)."""
    _check_room(owner)
    workspace = Workspace(name=name, is_personal=is_personal, is_demo=is_demo)
    db.session.add(workspace)
    db.session.flush()
    db.session.add(Membership(workspace_id=workspace.id, person_id=owner.id, role=Role.OWNER))
    db.session.flush()
    audit.record("workspaces.created", actor=owner.id, subject=workspace.id, workspace_id=workspace.id)
    access.forget()
    return workspace


def join(*, workspace: Workspace, person: Person, role: Role, monthly_cap_cents: int | None = None) -> Membership:
    """Make a person a member. Idempotent: who belongs already keeps their role. Raises: Conflict."""
    there = membership(workspace.id, person.id)
    if there is not None:
        return there
    _check_room(person)
    joined = Membership(workspace_id=workspace.id, person_id=person.id, role=role, monthly_cap_cents=monthly_cap_cents)
    db.session.add(joined)
    db.session.flush()
    audit.record(
        "workspaces.joined", actor=person.id, subject=person.id, workspace_id=workspace.id, facts={"role": str(role)}
    )
    access.forget()
    return joined


def rename(*, workspace: Workspace, name: str, actor: Person) -> None:
    """Raises: nothing; renaming to the same name records nothing."""
    if workspace.name == name:
        return
    before, workspace.name = workspace.name, name
    facts = {"before": before, "after": name}
    audit.record("workspaces.renamed", actor=actor.id, subject=workspace.id, workspace_id=workspace.id, facts=facts)


def archive(*, workspace: Workspace, actor: Person) -> None:
    """Put a workspace away: nobody reaches it any more, its rows stay. Idempotent. Raises: Conflict (personal)."""
    if workspace.is_personal:
        raise Conflict("Your own workspace stays as long as your account.")
    if workspace.archived_at is None:
        workspace.archived_at = now()
        audit.record("workspaces.archived", actor=actor.id, subject=workspace.id, workspace_id=workspace.id)
        access.forget()


def membership(workspace_id: str, person_id: str) -> Membership | None:
    """This person's row in this workspace."""
    asked = select(Membership).where(Membership.workspace_id == workspace_id, Membership.person_id == person_id)
    return db.session.scalars(asked).one_or_none()


def _check_room(person: Person) -> None:
    """Two requests may race past this; the worst case is one workspace more than the limit."""
    asked = (
        select(func.count())
        .select_from(Membership)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.person_id == person.id, Workspace.archived_at.is_(None))
    )
    if (db.session.scalar(asked) or 0) >= rules.MOST_WORKSPACES:
        raise Conflict(f"One person belongs to at most {rules.MOST_WORKSPACES} workspaces. Leave one first.")
