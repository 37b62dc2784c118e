"""Runs that tell LiteLLM a workspace's budgets anew and read them back: asked for, taken, ended.

Laws: what must be told is in the targets, marked in the transaction that asks; the run says how far it is. One worker
at a time has it, by a lease in a guarded UPDATE; a run whose worker died is taken again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update

from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.db import db, rows_changed
from tokenboard.keys import targets
from tokenboard.keys.models import MirrorRun

_LEASE = timedelta(minutes=5)
_KEPT = timedelta(days=30)


def request_sync(*, workspace_id: str, actor: str) -> MirrorRun:
    """Mark everything of the workspace and open a run; the door rings for it."""
    run = MirrorRun(workspace_id=workspace_id, targets=targets.mark_workspace(workspace_id))
    db.session.add(run)
    db.session.flush()
    audit.record("keys.sync_asked", actor=actor, subject=run.id, workspace_id=workspace_id)
    return run


def take(*, run_id: str) -> MirrorRun | None:
    """Take a run for this worker; None when it is over, or somebody has it."""
    at = now()
    is_orphaned = (MirrorRun.state == "running") & (MirrorRun.lease_until < at)
    is_free = or_(MirrorRun.state == "queued", is_orphaned)
    taken = update(MirrorRun).where(MirrorRun.id == run_id, is_free)
    changed = db.session.execute(taken.values(state="running", started_at=at, lease_until=at + _LEASE))
    if rows_changed(changed) != 1:
        return None
    return db.session.get_one(MirrorRun, run_id, populate_existing=True)


def finish(*, run_id: str, drifts: int = 0, error: str = "") -> None:
    """It is done, or came to nothing and says why. Idempotent: the first end counts."""
    ended = update(MirrorRun).where(MirrorRun.id == run_id, MirrorRun.state == "running")
    state = "failed" if error else "done"
    values = {"state": state, "drifts": drifts, "error": error[:300], "finished_at": now(), "lease_until": None}
    db.session.execute(ended.values(values))


def forget_old(*, at: datetime) -> int:
    """Runs of long ago are nobody's concern; how many there were."""
    return rows_changed(db.session.execute(delete(MirrorRun).where(MirrorRun.finished_at < at - _KEPT)))
