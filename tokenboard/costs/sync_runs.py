"""Sync runs as rows: queued, taken with a lease, moved on, ended. The row is the truth, the queue only a bell.

    waiting ──take──▶ running ──finish──▶ done
       ▲                 │ ├──put_back (a provider's passing trouble)──▶ waiting, later
       │                 │ └──fail──▶ failed
       └── a lease that ran out is taken again as it stands, by whoever comes first

Laws: one running and one waiting run a connection (partial unique indexes); every write of a run carries its lease
token in its WHERE, so that a worker declared dead writes nothing more; nothing here commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.exc import IntegrityError

from tokenboard.core import jobs
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.costs import sync_rules
from tokenboard.costs.models import Connection, SyncRun
from tokenboard.costs.period_rules import Period
from tokenboard.costs.sync_errors import LostLease
from tokenboard.costs.sync_rules import Plan, Reason, State

RUN_SYNC = "costs.run_sync"  # the task of tasks.py, by name: services stand below it
_RUNS_AT_ONCE = 200  # how many one sweep rings for


@dataclass(frozen=True, slots=True)
class Queued:
    """The run that will do what was asked; not new when one was there already."""

    run: SyncRun
    is_new: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write one run's days, until it is over or taken."""

    run_id: str
    token: str
    connection_id: str
    workspace_id: str
    provider: str
    mode: str
    key_fingerprint: str
    reason: Reason
    period: Period
    reached_on: date
    attempts: int


def queue(connection: Connection, plan: Plan, *, at_once: bool = False) -> Queued:
    """See to it that the plan is read: by the run under way, the one that waits, or a new one.

    `at_once` is a person's wish and shortens a back-off.
    Idempotent: two callers at once end with one waiting run.
    """
    running = _running_that_covers(connection.id, plan)
    if running is not None:
        return Queued(running, is_new=False)
    waiting = _waiting(connection.id)
    if waiting is None:
        added = _added(connection.id, plan)
        if added is not None:
            return Queued(added, is_new=True)
        waiting = _waiting(connection.id)
    if waiting is None:  # another caller's run was queued and taken between two of our statements: it reads anyway
        return Queued(_newest(connection.id), is_new=False)
    _widen(waiting, plan, at_once=at_once)
    return Queued(waiting, is_new=False)


def _running_that_covers(connection_id: str, plan: Plan) -> SyncRun | None:
    wanted = select(SyncRun).where(SyncRun.connection_id == connection_id, SyncRun.state == State.RUNNING)
    covering = wanted.where(SyncRun.since_on <= plan.period.first, SyncRun.until_on >= plan.period.last)
    return db.session.scalars(covering.execution_options(populate_existing=True)).one_or_none()


def _waiting(connection_id: str) -> SyncRun | None:
    wanted = select(SyncRun).where(SyncRun.connection_id == connection_id, SyncRun.state == State.WAITING)
    return db.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _newest(connection_id: str) -> SyncRun:
    wanted = select(SyncRun).where(SyncRun.connection_id == connection_id)
    return db.session.scalars(wanted.order_by(SyncRun.queued_at.desc()).limit(1)).one()


def _added(connection_id: str, plan: Plan) -> SyncRun | None:
    """A new waiting run, or None when another caller was first."""
    run = SyncRun(
        connection_id=connection_id,
        reason=plan.reason,
        state=State.WAITING,
        since_on=plan.period.first,
        until_on=plan.period.last,
        reached_on=plan.period.first,
    )
    try:
        with db.session.begin_nested():
            db.session.add(run)
    except IntegrityError:
        return None
    jobs.ring(RUN_SYNC, run.id)
    return run


def _widen(run: SyncRun, plan: Plan, *, at_once: bool = False) -> None:
    """Let the waiting run read this plan's days too."""
    run.since_on = min(run.since_on, plan.period.first)
    run.until_on = max(run.until_on, plan.period.last)
    run.reached_on = min(run.reached_on, plan.period.first)
    if plan.reason is Reason.BACKFILL or (plan.reason is Reason.DAILY and run.reason != Reason.BACKFILL):
        run.reason = plan.reason
    if at_once:
        run.next_attempt_at = now()
        run.attempts = 0
        jobs.ring(RUN_SYNC, run.id)
    db.session.flush()


def take(run_id: str) -> Lease | None:
    """Take the run's lease. None when it is not due, held, or another run of its connection is under way.

    Idempotent: of any number of takers at once one gets it.
    """
    instant, token = now(), new_id()
    taking = update(SyncRun).where(SyncRun.id == run_id, SyncRun.attempts < sync_rules.ATTEMPTS_MAX, _is_free(instant))
    values = {
        "state": State.RUNNING,
        "lease_token": token,
        "lease_expires_at": instant + sync_rules.LEASE,
        "attempts": SyncRun.attempts + 1,
        "started_at": db.func.coalesce(SyncRun.started_at, instant),
        "error_code": "",
        "error_message": "",
    }
    try:
        with db.session.begin_nested():
            taken = _changed(taking.values(values))
    except IntegrityError:  # the unique index of running runs
        return None
    return _lease_of(run_id, token) if taken else None


def _is_free(instant: object) -> ColumnElement[bool]:
    return or_(
        and_(SyncRun.state == State.WAITING, SyncRun.next_attempt_at <= instant),
        and_(SyncRun.state == State.RUNNING, SyncRun.lease_expires_at < instant),
    )


def _changed(statement: object) -> int:
    result = db.session.execute(statement, execution_options={"synchronize_session": False})  # type: ignore[call-overload]
    return int(result.rowcount)


def _lease_of(run_id: str, token: str) -> Lease | None:
    wanted = select(SyncRun, Connection).join(Connection, Connection.id == SyncRun.connection_id)
    fresh = wanted.where(SyncRun.id == run_id).execution_options(populate_existing=True)
    run, connection = db.session.execute(fresh).one()
    lease = Lease(
        run_id=run_id,
        token=token,
        connection_id=connection.id,
        workspace_id=connection.workspace_id,
        provider=connection.provider,
        mode=connection.mode,
        key_fingerprint=connection.key_fingerprint,
        reason=Reason(run.reason),
        period=Period(run.since_on, run.until_on),
        reached_on=run.reached_on,
        attempts=run.attempts,
    )
    if connection.status != "active":
        end(lease, State.FAILED, code="not_connected", message="The connection has no working key any more.")
        return None
    return lease


def hold(lease: Lease, *, reached_on: date | None = None, revised_days: int = 0) -> None:
    """The first statement of every write: is the lease still ours? Renews it, and notes progress.

    Raises: LostLease.
    """
    values: dict[str, object] = {"lease_expires_at": now() + sync_rules.LEASE}
    if reached_on is not None:
        values["reached_on"] = reached_on
        # What counts are attempts without progress; a last day reached again is none.
        values["attempts"] = case((SyncRun.reached_on < reached_on, 1), else_=SyncRun.attempts)
    if revised_days:
        values["revised_days"] = SyncRun.revised_days + revised_days
    _write(lease, values)


def end(lease: Lease, state: State, *, code: str = "", message: str = "") -> None:
    """Finish or fail the run. Raises: LostLease."""
    ended = {"state": state, "finished_at": now(), "lease_token": "", "lease_expires_at": None}
    _write(lease, ended | {"error_code": code, "error_message": message})
    _ring_for_the_next(lease.connection_id)


def put_back(lease: Lease, wait: timedelta, *, code: str, message: str) -> None:
    """Let the run wait and try again. Where another one waits behind it, that one takes over what is left.

    Raises: LostLease.
    """
    later = now() + wait
    waits = {"state": State.WAITING, "next_attempt_at": later, "lease_token": "", "lease_expires_at": None}
    try:
        with db.session.begin_nested():
            _write(lease, waits | {"error_code": code, "error_message": message})
    except IntegrityError:  # the unique index of waiting runs
        _hand_over(lease, code, message)


def _hand_over(lease: Lease, code: str, message: str) -> None:
    behind = _waiting(lease.connection_id)
    if behind is not None:
        _widen(behind, Plan(Reason.HOURLY, lease.period))
        behind.reason = lease.reason if lease.reason in sync_rules.FULL_READINGS else behind.reason
        behind.attempts = attempts(lease)
    end(lease, State.FAILED, code=code, message=f"{message} The run after this one goes on from here.")


def attempts(lease: Lease) -> int:
    """How many attempts there were since the last progress; the lease only knows how many when it was taken."""
    return db.session.scalars(select(SyncRun.attempts).where(SyncRun.id == lease.run_id)).one_or_none() or 1


def _write(lease: Lease, values: dict[str, object]) -> None:
    ours = update(SyncRun).where(
        SyncRun.id == lease.run_id, SyncRun.lease_token == lease.token, SyncRun.state == State.RUNNING
    )
    if not _changed(ours.values(values)):
        raise LostLease(lease.run_id)


def _ring_for_the_next(connection_id: str) -> None:
    # Not locked: whoever queues holds the connection first and the run after it.
    waiting = select(SyncRun.id).where(SyncRun.connection_id == connection_id, SyncRun.state == State.WAITING)
    for run_id in db.session.scalars(waiting):
        jobs.ring(RUN_SYNC, run_id)


def cancel(connection_id: str, *, code: str, message: str) -> None:
    """End whatever waits or runs for a connection; a worker at it loses its lease."""
    live = update(SyncRun).where(
        SyncRun.connection_id == connection_id, SyncRun.state.in_([State.WAITING, State.RUNNING])
    )
    ended = {"state": State.FAILED, "finished_at": now(), "lease_token": "", "lease_expires_at": None}
    _changed(live.values(ended | {"error_code": code, "error_message": message}))


def ring_for_due() -> int:
    """Ring for every run whose bell may have been lost; answers how many."""
    wanted = select(SyncRun.id).where(_is_free(now()), SyncRun.attempts < sync_rules.ATTEMPTS_MAX)
    found = db.session.scalars(wanted.order_by(SyncRun.queued_at).limit(_RUNS_AT_ONCE)).all()
    for run_id in found:
        jobs.ring(RUN_SYNC, run_id)
    return len(found)


def lost_for_good() -> list[SyncRun]:
    """Runs whose workers died again and again without a day of progress."""
    wanted = select(SyncRun).where(
        SyncRun.state == State.RUNNING,
        SyncRun.lease_expires_at < now(),
        SyncRun.attempts >= sync_rules.ATTEMPTS_MAX,
    )
    return list(db.session.scalars(wanted.limit(_RUNS_AT_ONCE).with_for_update(skip_locked=True)))


def give_up(run: SyncRun, *, code: str, message: str) -> None:
    """Fail a run nobody holds; it is locked by the caller."""
    run.state, run.finished_at = State.FAILED, now()
    run.lease_token, run.lease_expires_at = "", None
    run.error_code, run.error_message = code, message
    db.session.flush()
