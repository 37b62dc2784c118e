"""Which workspace a request is about, and what the caller may there. All access to anything in it goes through here.

Laws: to a stranger a workspace does not exist (404); a member without the right is told so (403); a role counts from
the moment it is changed, since it is read anew with every request. One query a request, however often it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, has_request_context, session
from sqlalchemy import and_, select

from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.errors import Forbidden, NotFound
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.web.security import uses_cookies
from tokenboard.workspaces import rules
from tokenboard.workspaces.models import Membership, Role, Workspace

CHOSEN = "workspace_id"


@dataclass(frozen=True, slots=True)
class WorkspaceAccess:
    """A workspace and the caller's role in it."""

    workspace: Workspace
    role: Role

    def allows(self, at_least: Role) -> bool:
        """Whether the caller may what this role may; for pages that show or leave out a control."""
        return rules.allows(self.role, at_least)

    def require(self, at_least: Role) -> WorkspaceAccess:
        """Raises: Forbidden."""
        if not self.allows(at_least):
            raise Forbidden
        return self


def load(workspace_id: str | None, person: Person, *, at_least: Role = Role.VIEWER) -> WorkspaceAccess:
    """One workspace of this person; None: the one chosen in this browser, else their own.

    Raises: NotFound (a stranger's, unknown or malformed id), Forbidden (the role is too small).
    """
    found = _default(person) if workspace_id is None else _by_id(person, workspace_id)
    if found is None:
        raise NotFound
    return found.require(at_least)


def all_of(person: Person) -> tuple[WorkspaceAccess, ...]:
    """Every workspace this person belongs to: their own first, then by name."""
    known: dict[str, tuple[WorkspaceAccess, ...]] = g.setdefault("workspaces", {}) if has_request_context() else {}
    if person.id not in known:
        known[person.id] = _read(person.id)
    return known[person.id]


def own(person: Person) -> WorkspaceAccess:
    """The person's own workspace, there from the first minute, whatever this browser has chosen."""
    return all_of(person)[0]


def forget() -> None:
    """Read memberships anew within this request: called by what changes them."""
    if has_request_context():
        g.pop("workspaces", None)


def choose(access: WorkspaceAccess) -> None:
    """Make this the browser's workspace until another one is chosen."""
    session[CHOSEN] = access.workspace.id


def _read(person_id: str) -> tuple[WorkspaceAccess, ...]:
    rows = db.session.execute(
        select(Workspace, Membership.role)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.person_id == person_id, Workspace.archived_at.is_(None))
        .order_by(and_(Workspace.is_personal, Membership.role == Role.OWNER).desc(), Workspace.name, Workspace.id)
        .limit(rules.MOST_WORKSPACES)
    )
    return tuple(WorkspaceAccess(workspace, Role(role)) for workspace, role in rows)


def _default(person: Person) -> WorkspaceAccess | None:
    everything = all_of(person)
    chosen = session.get(CHOSEN) if has_request_context() and uses_cookies() else None
    picked = next((one for one in everything if one.workspace.id == chosen), None)
    return picked or next(iter(everything), None)


def _by_id(person: Person, workspace_id: str) -> WorkspaceAccess | None:
    wanted = or_none(parse_id, workspace_id)
    return next((one for one in all_of(person) if one.workspace.id == wanted), None)
