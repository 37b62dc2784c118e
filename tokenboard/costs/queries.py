"""One reading of a workspace's bill for every page, call and export: which connections count, and their daily totals.

Laws: answers come from the roll-ups; cost rows are read only where two dimensions meet (breakdown_queries.py). A
removed connection keeps its history, but a day that a newer connection of the same provider has read counts once, as
the newer one tells it; days the newer one has not reached yet are still told by the older. Units: nano-USD; UTC days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tokenboard.core.db import db
from tokenboard.costs.models import Connection, CostDay, CostRevision, CostRow, CostTotal, SyncRun, UsageRow, UsageTotal
from tokenboard.costs.period_rules import Period, merged

Dated = type[CostDay] | type[CostTotal] | type[CostRow] | type[UsageRow] | type[UsageTotal] | type[CostRevision]

LIVE_STATES = ("waiting", "running")
LONGEST_CONNECTION_LIST = 200


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A sync that waits or runs."""

    reason: str
    state: str
    days_done: int
    days_total: int
    next_attempt_at: datetime


@dataclass(frozen=True, slots=True)
class BillConnection:
    """A connection as the dashboard needs it: how it does, and since which day it tells a bill."""

    id: str
    provider: str
    mode: str
    status: str
    last4: str
    last_synced_at: datetime | None
    last_error: str
    last_error_code: str
    created_at: datetime
    first_on: date | None
    last_on: date | None
    run: LiveRun | None

    @property
    def is_removed(self) -> bool:
        return self.status == "removed"


@dataclass(frozen=True, slots=True)
class Part:
    """A connection, and the days of which newer ones tell the bill."""

    connection_id: str
    told_elsewhere: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which bill a question is about: some connections, and one project of theirs or all ('' is "no project")."""

    parts: tuple[Part, ...]
    project_id: str | None = None
    known_since: date | None = None

    @property
    def connection_ids(self) -> list[str]:
        return [part.connection_id for part in self.parts]


def connections(workspace_id: str) -> list[BillConnection]:
    """Every connection a workspace has or had, newest first, with the sync under way. One query."""
    days = sa.select(CostDay.on).where(CostDay.connection_id == Connection.id).limit(1)
    first_on, last_on = (days.order_by(order).scalar_subquery() for order in (CostDay.on, CostDay.on.desc()))
    run = aliased(SyncRun)
    statement = (
        sa.select(Connection, first_on, last_on, run)
        .outerjoin(run, sa.and_(run.connection_id == Connection.id, run.state.in_(LIVE_STATES)))
        .where(Connection.workspace_id == workspace_id)
        .order_by(Connection.created_at.desc(), Connection.id, run.state)  # running comes before waiting
        .limit(LONGEST_CONNECTION_LIST)
    )
    found: dict[str, BillConnection] = {}
    for row, first, last, live in db.session.execute(statement):
        found.setdefault(row.id, _bill_connection(row, first, last, live))
    return list(found.values())


def _bill_connection(
    row: Connection, first_on: date | None, last_on: date | None, run: SyncRun | None
) -> BillConnection:
    return BillConnection(
        id=row.id,
        provider=row.provider,
        mode=row.mode,
        status=row.status,
        last4=row.last4,
        last_synced_at=row.last_synced_at,
        last_error=row.last_error,
        last_error_code=row.last_error_code,
        created_at=row.created_at,
        first_on=first_on,
        last_on=last_on,
        run=LiveRun(run.reason, run.state, run.days_done, run.days_total, run.next_attempt_at) if run else None,
    )


def scope_of(
    found: Sequence[BillConnection],
    *,
    source: str | None = None,
    provider: str | None = None,
    project_id: str | None = None,
    as_of: datetime | None = None,
) -> Scope:
    """The parts that answer for these connections (newest first), each day once for each provider.

    As of an instant, connections that came later tell nothing and hide nothing.
    """
    parts: list[Part] = []
    told: dict[str, tuple[Period, ...]] = {}
    for one in found:
        if (source and one.mode != source) or (provider and one.provider != provider):
            continue
        if as_of is not None and one.created_at > as_of:
            continue
        newer = told.get(one.provider, ())
        parts.append(Part(one.id, newer))
        if one.first_on is not None and one.last_on is not None:
            told[one.provider] = merged((*newer, Period(one.first_on, one.last_on)))
    firsts = [periods[0].first for periods in told.values()]
    return Scope(tuple(parts), project_id, min(firsts, default=None))


def within(rows: Dated, scope: Scope, period: Period) -> sa.ColumnElement[bool]:
    """The condition that picks a scope's rows of a period."""
    picked = [
        sa.and_(
            rows.connection_id == part.connection_id,
            *(sa.not_(rows.on.between(period.first, period.last)) for period in part.told_elsewhere),
        )
        for part in scope.parts
    ]
    return sa.and_(sa.or_(sa.false(), *picked), rows.on.between(period.first, period.last))


def daily_totals(scope: Scope, period: Period) -> dict[date, int]:
    """What each day cost; days without a bill are left out."""
    rows: type[CostDay] | type[CostTotal] = CostDay if scope.project_id is None else CostTotal
    statement = sa.select(rows.on, sa.func.sum(rows.amount_nano)).where(within(rows, scope, period)).group_by(rows.on)
    if scope.project_id is not None:
        statement = statement.where(CostTotal.dimension == "project", CostTotal.key == scope.project_id)
    return {day: int(nano) for day, nano in db.session.execute(statement)}


def daily_totals_as_of(scope: Scope, period: Period, instant: datetime) -> dict[date, int]:
    """What each day's bill was when it was asked for at an instant: before the revisions seen since.

    Only whole bills are remembered; a project's days have no history. Raises: ValueError for a scope with a project.
    """
    if scope.project_id is not None:
        raise ValueError("totals as of an instant are kept for whole bills only")
    then = {(one.connection_id, one.on): one.old_nano for one in reversed(_revisions(scope, period, after=instant))}
    statement = sa.select(CostDay.connection_id, CostDay.on, CostDay.amount_nano).where(
        within(CostDay, scope, period), CostDay.first_seen_at <= instant
    )
    totals: dict[date, int] = {}
    for connection_id, day, nano in db.session.execute(statement):
        totals[day] = totals.get(day, 0) + then.get((connection_id, day), nano)
    return totals


def revisions(scope: Scope, period: Period) -> list[CostRevision]:
    """Every change of a day's bill in a period, oldest first."""
    return _revisions(scope, period, after=None)


def _revisions(scope: Scope, period: Period, after: datetime | None) -> list[CostRevision]:
    statement = sa.select(CostRevision).where(within(CostRevision, scope, period)).order_by(CostRevision.seen_at)
    if after is not None:
        statement = statement.where(CostRevision.seen_at > after)
    return list(db.session.scalars(statement))


def summed(statement: sa.Executable) -> list[tuple[Any, ...]]:
    """Rows whose last column is a sum: an int again (PostgreSQL adds BIGINT up to NUMERIC)."""
    return [(*row[:-1], int(row[-1])) for row in db.session.execute(statement)]


def last_synced_at(found: Iterable[BillConnection]) -> datetime | None:
    """How fresh the least fresh live connection is; of removed ones only when there is no other."""
    live = [one for one in found if not one.is_removed]
    instants = [one.last_synced_at for one in live or found]
    return min((instant for instant in instants if instant is not None), default=None)
