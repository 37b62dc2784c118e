"""Workspaces and who belongs to them, one function a use case. Callers have decided access (access.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, Forbidden, NotFound
from tokenboard.core.money import nano_from_usd
from tokenboard.core.settings import settings
from tokenboard.ledger import service as ledger
from tokenboard.notices.letters import send_letter
from tokenboard.workspaces import access, rules
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.errors import TooMany
from tokenboard.workspaces.models import Membership, Role, Workspace

_SETTINGS_PATH = "/settings/workspace"


@dataclass(frozen=True, slots=True)
class MonthlyCap:
    """The most a member may use in a month; None: no cap of their own."""

    cents: int | None


def create(*, owner: Person, name: str, is_personal: bool = False, is_demo: bool = False) -> Workspace:
    """A workspace with its owner and its wallet. Raises: TooMany."""
    _check_room(owner)
    credit_value_nano = nano_from_usd(settings().credit_value_usd)
    account_id = ledger.open_account(credit_value_nano_usd=credit_value_nano, is_demo=is_demo)
    workspace = Workspace(name=name, is_personal=is_personal, is_demo=is_demo, ledger_account_id=account_id)
    db.session.add(workspace)
    db.session.flush()
    db.session.add(Membership(workspace_id=workspace.id, person_id=owner.id, role=Role.OWNER))
    db.session.flush()
    _record("created", workspace, actor=owner, subject=workspace.id)
    access.forget()
    return workspace


def join(*, workspace: Workspace, person: Person, role: Role, monthly_cap_cents: int | None = None) -> Membership:
    """Make a person a member. Idempotent: who belongs already keeps their role. Raises: TooMany."""
    there = membership(workspace.id, person.id)
    if there is not None:
        return there
    _check_room(person)
    joined = Membership(workspace_id=workspace.id, person_id=person.id, role=role, monthly_cap_cents=monthly_cap_cents)
    db.session.add(joined)
    db.session.flush()
    _record("joined", workspace, actor=person, subject=person.id, facts={"role": str(role)})
    access.forget()
    return joined


def change_member(
    *,
    access_of_actor: WorkspaceAccess,
    actor: Person,
    person_id: str,
    role: Role | None = None,
    cap: MonthlyCap | None = None,
) -> Membership:
    """Give a member another role or monthly cap; what is None stays. Raises: NotFound, Forbidden."""
    workspace = access_of_actor.workspace
    there = _member(workspace.id, person_id)
    why = rules.why_not_change(actor=access_of_actor.role, target=there.role, is_self=person_id == actor.id)
    if why:
        raise Forbidden(why)
    before = {"role": there.role, "cap": there.monthly_cap_cents}
    there.role = role or there.role
    there.monthly_cap_cents = cap.cents if cap else there.monthly_cap_cents
    after = {"role": str(there.role), "cap": there.monthly_cap_cents}
    if before != after:
        _record("member_changed", workspace, actor=actor, subject=person_id, facts={"before": before, "after": after})
    access.forget()
    return there


def remove_member(*, access_of_actor: WorkspaceAccess, actor: Person, person_id: str) -> None:
    """Take a member out, or leave oneself. Raises: NotFound, Forbidden."""
    workspace = access_of_actor.workspace
    there = _member(workspace.id, person_id)
    is_self = person_id == actor.id
    why = rules.why_not_remove(actor=access_of_actor.role, target=there.role, is_self=is_self)
    if why:
        raise Forbidden(why)
    db.session.delete(there)
    _record("left" if is_self else "member_removed", workspace, actor=actor, subject=person_id)
    access.forget()


def transfer(*, access_of_actor: WorkspaceAccess, actor: Person, person_id: str) -> Membership:
    """Hand a workspace over: a member becomes its owner, the owner an admin. Raises: NotFound, Forbidden."""
    workspace = access_of_actor.workspace
    mine, theirs = _member(workspace.id, actor.id), _member(workspace.id, person_id)
    why = rules.why_not_transfer(actor=mine.role, target=theirs.role, is_personal=workspace.is_personal)
    if why:
        raise Forbidden(why)
    before = theirs.role
    mine.role = Role.ADMIN
    db.session.flush()  # first: a workspace never has two owners, the database says
    theirs.role = Role.OWNER
    db.session.flush()
    facts = {"from": actor.id, "before": before}
    _record("transferred", workspace, actor=actor, subject=person_id, facts=facts)
    _tell_new_owner(workspace, actor, db.session.get_one(Person, person_id))
    access.forget()
    return theirs


def _tell_new_owner(workspace: Workspace, former: Person, owner: Person) -> None:
    send_letter(
        "ownership",
        kind="workspaces.ownership",
        address=owner.email,
        subject=f"{workspace.name} is yours now",
        idempotency_key=f"ownership:{workspace.id}:{owner.id}:{now().isoformat()}",
        path=_SETTINGS_PATH,
        workspace_id=workspace.id,
        facts={"former": former.name, "workspace": workspace.name},
    )


def rename(*, workspace: Workspace, name: str, actor: Person) -> None:
    """Call a workspace something else."""
    if workspace.name == name:
        return
    facts = {"before": workspace.name, "after": name}
    workspace.name = name
    _record("renamed", workspace, actor=actor, subject=workspace.id, facts=facts)


def archive(*, workspace: Workspace, actor: Person) -> None:
    """Put a workspace away: nobody reaches it any more, its rows stay. Idempotent. Raises: Conflict (personal)."""
    if workspace.is_personal:
        raise Conflict("Your own workspace stays as long as your account.")
    close(workspace=workspace, actor=actor)


def close(*, workspace: Workspace, actor: Person) -> None:
    """`archive` for whoever deletes their account, a personal workspace included. Idempotent."""
    if workspace.archived_at is None:
        workspace.archived_at = now()
        ledger.archive_account(wallet_id=workspace.ledger_account_id)
        _record("archived", workspace, actor=actor, subject=workspace.id)
        access.forget()


def membership(workspace_id: str, person_id: str) -> Membership | None:
    """This person's row in this workspace."""
    asked = select(Membership).where(Membership.workspace_id == workspace_id, Membership.person_id == person_id)
    return db.session.scalars(asked).one_or_none()


def _member(workspace_id: str, person_id: str) -> Membership:
    there = membership(workspace_id, person_id)
    if there is None:
        raise NotFound
    return there


def _record(
    act: str, workspace: Workspace, *, actor: Person, subject: str, facts: dict[str, Any] | None = None
) -> None:
    audit.record(f"workspaces.{act}", actor=actor.id, subject=subject, workspace_id=workspace.id, facts=facts)


def _check_room(person: Person) -> None:
    """Two requests may race past this; the worst case is one workspace more than the limit."""
    asked = (
        select(func.count())
        .select_from(Membership)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.person_id == person.id, Workspace.archived_at.is_(None))
    )
    if (db.session.scalar(asked) or 0) >= rules.MOST_WORKSPACES:
        raise TooMany(f"One person belongs to at most {rules.MOST_WORKSPACES} workspaces. Leave one first.")
