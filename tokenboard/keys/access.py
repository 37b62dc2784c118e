"""Who may see and change a key: whoever holds it, and the admins of its workspace; to others it does not exist."""

from __future__ import annotations

from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.keys.errors import KeyNotFound
from tokenboard.keys.models import VirtualKey
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role


def load(key_id: str, person: Person) -> VirtualKey:
    """Raises: KeyNotFound, Forbidden (a viewer)."""
    key = db.session.get(VirtualKey, key_id)
    if key is None:
        raise KeyNotFound
    try:
        found = access.load(key.workspace_id, person)
    except NotFound as error:
        raise KeyNotFound from error
    if key.person_id != person.id and not found.allows(Role.ADMIN):
        raise KeyNotFound
    found.require(Role.MEMBER)
    return key


def shown_to(found: WorkspaceAccess, person: Person) -> str | None:
    """Whose keys somebody sees in a workspace: their own; None: everybody's, for admins."""
    return None if found.allows(Role.ADMIN) else person.id
