"""Reads of the runs that tell LiteLLM a workspace's budgets anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select

from tokenboard.core.db import db
from tokenboard.keys.models import MirrorRun, MirrorTarget

# A bell that was not heard by then was lost.
_UNHEARD = timedelta(seconds=30)


def run(run_id: str) -> MirrorRun | None:
    return db.session.get(MirrorRun, run_id)


def latest(workspace_id: str) -> MirrorRun | None:
    """The last time somebody asked."""
    wanted = select(MirrorRun).where(MirrorRun.workspace_id == workspace_id)
    return db.session.scalars(wanted.order_by(MirrorRun.queued_at.desc(), MirrorRun.id).limit(1)).first()


def unheard(at: datetime, limit: int) -> list[str]:
    """Runs whose bell was lost, or whose worker died."""
    is_lost = (MirrorRun.state == "queued") & (MirrorRun.queued_at < at - _UNHEARD)
    is_orphaned = (MirrorRun.state == "running") & (MirrorRun.lease_until < at)
    wanted = select(MirrorRun.id).where(or_(is_lost, is_orphaned)).order_by(MirrorRun.queued_at)
    return list(db.session.scalars(wanted.limit(limit)))


def due_of(workspace_id: str, limit: int) -> list[str]:
    """What of this workspace LiteLLM has not been told."""
    wanted = select(MirrorTarget.id).where(MirrorTarget.workspace_id == workspace_id, MirrorTarget.state == "due")
    return list(db.session.scalars(wanted.order_by(MirrorTarget.kind.desc(), MirrorTarget.id).limit(limit)))
