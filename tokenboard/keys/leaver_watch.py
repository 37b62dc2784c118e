"""Who leaves a workspace, or is taken out, leaves no key that works there.

Law: the keys pause in the flush that takes the membership away, so both commit or neither; whoever removes a member
need not know of keys. Resuming one is an admin's decision. Memberships deleted by bulk statements are not seen here.
"""

from __future__ import annotations

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, UOWTransaction

from tokenboard.audit import service as audit
from tokenboard.keys import targets
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import KeyState, PauseReason
from tokenboard.workspaces.models import Membership


def connect() -> None:
    """Watch every session. Connecting twice is connecting once."""
    if not event.contains(Session, "after_flush", _flushed):
        event.listen(Session, "after_flush", _flushed)


def _flushed(session: Session, _context: UOWTransaction) -> None:
    for row in session.deleted:
        if isinstance(row, Membership):
            _pause(session, row)


def _pause(session: Session, left: Membership) -> None:
    mine = (VirtualKey.workspace_id == left.workspace_id, VirtualKey.person_id == left.person_id)
    active = select(VirtualKey.id).where(*mine, VirtualKey.state == KeyState.ACTIVE).order_by(VirtualKey.id)
    for key_id in list(session.scalars(active)):
        paused = update(VirtualKey).where(VirtualKey.id == key_id, VirtualKey.state == KeyState.ACTIVE)
        session.execute(paused.values(state=KeyState.PAUSED, pause_reason=PauseReason.LEAVER))
        targets.mark_key(key_id, left.workspace_id)
        facts = {"reason": PauseReason.LEAVER.value}
        audit.record("keys.paused", actor="leaver", subject=key_id, workspace_id=left.workspace_id, facts=facts)
