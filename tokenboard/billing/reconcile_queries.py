"""Reads of looks at the providers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select

from tokenboard.billing.reconcile_models import ReconcileFinding, ReconcileRun, RunState
from tokenboard.core.db import db

MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class RunLine:
    """A look with how much it found, and how much of that is mended, or could be."""

    run: ReconcileRun
    found: int
    healed: int
    can_heal: int


def runs(*, limit: int = MOST_LISTED) -> list[RunLine]:
    """The latest looks, newest first."""
    is_healed = ReconcileFinding.healed_at.is_not(None)
    healed = func.coalesce(func.sum(case((is_healed, 1), else_=0)), 0)
    could = func.coalesce(func.sum(case((~is_healed & ReconcileFinding.can_heal, 1), else_=0)), 0)
    found = (
        select(ReconcileRun, func.count(ReconcileFinding.id), healed, could)
        .join(ReconcileFinding, ReconcileFinding.run_id == ReconcileRun.id, isouter=True)
        .group_by(ReconcileRun.id)
        .order_by(ReconcileRun.asked_at.desc(), ReconcileRun.id.desc())
        .limit(limit)
    )
    return [RunLine(run, count, int(done), int(may)) for run, count, done, may in db.session.execute(found)]


def run(run_id: str) -> ReconcileRun | None:
    """One look."""
    return db.session.get(ReconcileRun, run_id)


def findings(run_id: str) -> Sequence[ReconcileFinding]:
    """What a look found, in order."""
    wanted = select(ReconcileFinding).where(ReconcileFinding.run_id == run_id)
    return db.session.scalars(wanted.order_by(ReconcileFinding.position)).all()


def open_differences() -> int:
    """What the latest finished look found and nobody has mended."""
    newest = select(ReconcileRun.id).where(ReconcileRun.state == RunState.DONE)
    newest = newest.order_by(ReconcileRun.asked_at.desc(), ReconcileRun.id.desc()).limit(1)
    is_open = (ReconcileFinding.run_id == newest.scalar_subquery(), ReconcileFinding.healed_at.is_(None))
    return int(db.session.scalar(select(func.count()).select_from(ReconcileFinding).where(*is_open)) or 0)
