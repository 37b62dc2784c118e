"""Looks at the providers as rows: asked for by a person, the schedule or a command, carried out under a lease.

Laws: one look is open at a time, and who asks again is shown that one; what was found is kept before anything is
mended; a worker that was killed loses its lease, and the look is begun anew (healing twice is healing once); a look
that mends what another found mends no more than that one showed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.billing import reconciling, tasks
from tokenboard.billing.findings import Finding, Look
from tokenboard.billing.reconcile_models import ReconcileFinding, ReconcileRun, RunState
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id, rows_changed
from tokenboard.core.jobs import task
from tokenboard.core.redaction import redact
from tokenboard.core.upsert import insert

KIND = "billing.reconciliation"
SCHEDULE, CLI = "schedule", "cli"
LEASE = timedelta(minutes=15)  # a look at 30 days asks some hundred pages; nobody else begins meanwhile
CARRY_OUT_TASK = "billing.carry_out_reconciliation"
MOST_KEPT = 500  # findings of one look; the next one finds the rest


def ask(*, actor: str, days: int, is_healing: bool, heals_run_id: str | None = None) -> tuple[ReconcileRun, bool]:
    """A look that the door rings for or carries out, and whether it is new: while one is open, that one."""
    values = {"id": new_id(), "actor": actor, "days": days, "is_healing": is_healing, "heals_run_id": heals_run_id}
    zeros = {"events": 0, "sessions": 0, "invoices": 0, "transactions": 0}
    fresh = values | zeros | {"open_key": "open", "state": RunState.WAITING, "asked_at": now()}
    once = insert(ReconcileRun).values(**fresh).on_conflict_do_nothing(index_elements=["open_key"])
    made = db.session.scalar(once.returning(ReconcileRun.id))
    if made is None and (found := open_run()) is not None:
        return found, False
    run = db.session.get_one(ReconcileRun, made or values["id"])
    audit.record("billing.reconciliation_asked", actor=actor, subject=run.id, facts={"is_healing": is_healing})
    return run, True


def open_run() -> ReconcileRun | None:
    """The look that waits or runs."""
    return db.session.scalar(select(ReconcileRun).where(ReconcileRun.open_key == "open"))


def due() -> Sequence[str]:
    """Looks that nobody carries out: their bell was lost, or whoever had the lease was killed."""
    is_free = or_(ReconcileRun.state == RunState.WAITING, ReconcileRun.lease_ends_at < now())
    return db.session.scalars(select(ReconcileRun.id).where(ReconcileRun.open_key == "open", is_free)).all()


def carry_out(run_id: str) -> None:
    """Look, keep what is found, mend what is to be mended. One that another worker has is left alone. Commits."""
    lease = _take(run_id)
    if lease is None:
        return
    run = db.session.get_one(ReconcileRun, run_id, populate_existing=True)
    if run.is_healing:
        tasks.check_open_orders()
    seen = reconciling.look(days=run.days)
    _keep(run_id, seen)
    if run.is_healing:
        lease = _mend(run, seen.findings, lease)
    if lease is not None:
        _end(run_id, lease)
        _tell(run_id)
    db.session.commit()


def _take(run_id: str) -> datetime | None:
    """The lease, ours alone; None when somebody else has it, or it is done."""
    lease = now() + LEASE
    is_free = or_(ReconcileRun.state == RunState.WAITING, ReconcileRun.lease_ends_at < now())
    taking = update(ReconcileRun).where(ReconcileRun.id == run_id, ReconcileRun.open_key == "open", is_free)
    taken = db.session.execute(taking.values(state=RunState.RUNNING, lease_ends_at=lease))
    db.session.commit()
    return lease if rows_changed(taken) else None


def _keep(run_id: str, seen: Look) -> None:
    """What was found. Of a look that was begun before, what it has mended stays."""
    again = delete(ReconcileFinding).where(ReconcileFinding.run_id == run_id, ReconcileFinding.healed_at.is_(None))
    db.session.execute(again)
    last = select(func.max(ReconcileFinding.position)).where(ReconcileFinding.run_id == run_id)
    start = (db.session.scalar(last) or 0) + 1
    for position, one in enumerate(seen.findings[:MOST_KEPT], start):
        db.session.add(_row(run_id, position, one))
    counts = {"events": seen.events, "sessions": seen.sessions, "invoices": seen.invoices}
    counted = update(ReconcileRun).where(ReconcileRun.id == run_id)
    db.session.execute(counted.values(**counts, transactions=seen.transactions))
    db.session.commit()


def _row(run_id: str, position: int, one: Finding) -> ReconcileFinding:
    return ReconcileFinding(
        run_id=run_id,
        position=position,
        provider=one.provider,
        object_id=one.object_id[:255],
        what=redact(one.what)[:500],
        can_heal=one.heal is not None,
    )


def _mend(run: ReconcileRun, findings: list[Finding], lease: datetime | None) -> datetime | None:
    """One after the other, each with its own commit; the lease, or None when it was lost on the way."""
    rows = {(row.provider, row.object_id, row.what): row.id for row in findings_of(run.id) if row.healed_at is None}
    wanted = _shown(run.heals_run_id) if run.heals_run_id else None
    for one in findings[:MOST_KEPT]:
        row_id = rows.get((one.provider, one.object_id[:255], redact(one.what)[:500]))
        is_wanted = wanted is None or (one.provider, one.object_id[:255]) in wanted
        if lease is None or one.heal is None or row_id is None or not is_wanted:
            continue
        problem = reconciling.heal(one)
        told = {"problem": redact(problem)[:500]} if problem else {"healed_at": now()}
        db.session.execute(update(ReconcileFinding).where(ReconcileFinding.id == row_id).values(**told))
        lease = _renew(run.id, lease)
    return lease


def _shown(run_id: str) -> set[tuple[str, str]]:
    """What another look found."""
    return {(row.provider, row.object_id) for row in findings_of(run_id)}


def _renew(run_id: str, lease: datetime) -> datetime | None:
    longer = max(now() + LEASE, lease + timedelta(microseconds=1))
    kept = update(ReconcileRun).where(ReconcileRun.id == run_id, ReconcileRun.lease_ends_at == lease)
    is_ours = rows_changed(db.session.execute(kept.values(lease_ends_at=longer)))
    db.session.commit()
    return longer if is_ours else None


def _end(run_id: str, lease: datetime) -> None:
    ended = {"state": RunState.DONE, "open_key": None, "lease_ends_at": None, "ended_at": now()}
    ending = update(ReconcileRun).where(ReconcileRun.id == run_id, ReconcileRun.lease_ends_at == lease)
    db.session.execute(ending.values(**ended))


def _tell(run_id: str) -> None:
    """The operator hears of what was missing, mended or not; a look that finds nothing ends it."""
    found = findings_of(run_id)
    if not found:
        resolve_alert(KIND, subject="run")
        return
    words = "; ".join(f"{one.provider} {one.object_id} {one.what}" for one in found[:5])
    mended = sum(one.healed_at is not None for one in found)
    message = f"{len(found)} differences with the payment providers, {mended} of them mended: {words}"
    raise_alert(KIND, subject="run", severity="warning", message=message)


def findings_of(run_id: str) -> Sequence[ReconcileFinding]:
    """In the order they were found."""
    wanted = select(ReconcileFinding).where(ReconcileFinding.run_id == run_id)
    return db.session.scalars(
        wanted.order_by(ReconcileFinding.position).execution_options(populate_existing=True)
    ).all()


@task(CARRY_OUT_TASK)
def carry_out_task(run_id: str) -> None:
    """One look. Idempotent: the lease lets one worker in."""
    carry_out(run_id)


@task("billing.reconcile")
def reconcile_and_heal() -> None:
    """The periodic look: tell the operator what was missing, mend it."""
    run, is_new = ask(actor=SCHEDULE, days=reconciling.USUAL_DAYS, is_healing=True)
    db.session.commit()
    if is_new:
        carry_out(run.id)


@task("billing.reconcile.sweep")
def sweep() -> None:
    """Find again a look that nobody carries out."""
    waiting = due()
    db.session.commit()
    for run_id in waiting:
        carry_out(run_id)
