"""All keys of one person at once: they pause while the site's administrators keep their holder out.

Laws: keys that wait for credits pause too, else they would resume by themselves; a key its holder or a workspace's
admin has paused stays as it is; LiteLLM is told in the same transaction.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, update

from tokenboard.audit import service as audit
from tokenboard.core.db import db
from tokenboard.keys import targets
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import KeyState, PauseReason


def pause_all(*, person_id: str, actor: str) -> int:
    """Pause every key of a person that works, or waits for credits; how many. Idempotent."""
    is_open = (VirtualKey.state == KeyState.ACTIVE) | (VirtualKey.pause_reason == PauseReason.CREDITS)
    paused = {"state": KeyState.PAUSED.value, "pause_reason": PauseReason.ADMIN.value}
    return _move(person_id, is_open, paused, "keys.paused", actor)


def resume_all(*, person_id: str, actor: str) -> int:
    """Let the keys work again that `pause_all` has paused; how many. Idempotent."""
    resumed = {"state": KeyState.ACTIVE.value, "pause_reason": ""}
    return _move(person_id, VirtualKey.pause_reason == PauseReason.ADMIN, resumed, "keys.resumed", actor)


def _move(person_id: str, which: ColumnElement[bool], values: dict[str, str], act: str, actor: str) -> int:
    found = select(VirtualKey.id).where(VirtualKey.person_id == person_id, which).order_by(VirtualKey.id)
    moving = update(VirtualKey).where(VirtualKey.id.in_(list(db.session.scalars(found.with_for_update()))), which)
    moved = db.session.execute(moving.values(**values).returning(VirtualKey.id, VirtualKey.workspace_id)).all()
    for key_id, workspace_id in sorted(tuple(row) for row in moved):
        targets.mark_key(key_id, workspace_id)
        facts = {"reason": values["pause_reason"]} if values["pause_reason"] else {}
        audit.record(act, actor=actor, subject=key_id, workspace_id=workspace_id, facts=facts)
    return len(moved)
