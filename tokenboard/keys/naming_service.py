"""Keys that may name people: whoever holds one says in a plain header whose wallet pays.

Law: that is trust in a whole program, so only an administrator of the site gives and takes it, and each act is written
down; a key that is revoked names nobody.
"""

from __future__ import annotations

from tokenboard.audit import service as audit
from tokenboard.core.db import db
from tokenboard.keys import queries
from tokenboard.keys.errors import KeyIsRevoked
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import KeyState


def allow(*, key: VirtualKey, actor: str) -> VirtualKey:
    """Let the key name people. Idempotent. Raises: KeyIsRevoked."""
    row = queries.locked(key.id)
    if row.state == KeyState.REVOKED:
        raise KeyIsRevoked
    return _set(row, actor, "keys.naming_allowed", can_name_people=True)


def end(*, key: VirtualKey, actor: str) -> VirtualKey:
    """It names nobody any more: its own workspace pays for what it asks. Idempotent."""
    return _set(queries.locked(key.id), actor, "keys.naming_ended", can_name_people=False)


def _set(row: VirtualKey, actor: str, act: str, *, can_name_people: bool) -> VirtualKey:
    if row.can_name_people != can_name_people:
        row.can_name_people = can_name_people
        db.session.flush()
        audit.record(act, actor=actor, subject=row.id, workspace_id=row.workspace_id, facts={"name": row.name})
    return row
