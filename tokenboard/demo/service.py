"""Making the demo workspace, keeping it up to today, putting it away. Through the same functions a sync uses.

Laws: the workspace is marked (`is_demo`), belongs to one person, has no provider key, is never synced and tells nobody
of its alerts; a person has one at most; putting it away deletes the made-up rows and archives the workspace. The bill
is written anew each time; what was used and paid for is the ledger's and only goes on (metered.py).
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from tokenboard.accounts.models import Person
from tokenboard.core import clock
from tokenboard.core.clock import Month
from tokenboard.core.db import db
from tokenboard.core.money import NANO_PER_USD
from tokenboard.costs import budget_queries, budget_rules, budget_service, sync_import, sync_runs, sync_write
from tokenboard.costs.forecast_rules import reached_on
from tokenboard.costs.models import Budget, BudgetAlert, Connection, CostRevision, SyncRun
from tokenboard.costs.sync_rules import Reason
from tokenboard.demo import company, metered
from tokenboard.demo.company import Books
from tokenboard.workspaces import service as workspaces
from tokenboard.workspaces.models import Membership, Role, Workspace

_REVISION_SEEN_AGO = timedelta(days=6)
_BUDGET_STEP_CENTS = 1_000


def load(*, owner: Person) -> Workspace:
    """The person's demo workspace, made or brought up to today. Idempotent."""
    db.session.execute(sa.select(Person.id).where(Person.id == owner.id).with_for_update(key_share=True))  # two clicks
    workspace = demo_of(owner.id) or workspaces.create(owner=owner, name=company.NAME, is_demo=True)
    refresh(workspace=workspace, owner=owner)
    return workspace


def refresh(*, workspace: Workspace, owner: Person) -> None:
    """Write the company's bill anew, as it stands at this moment, and go on with what it uses."""
    assert workspace.is_demo  # made-up rows never enter a real workspace
    _clear(workspace.id)
    _import(workspace.id, Books(clock.now()))
    _set_budgets(workspace, owner)
    _date_alerts(budget_service.check_budgets(workspace=workspace), workspace.id)
    metered.tell(workspace=workspace, owner=owner)


def put_away(*, workspace: Workspace, actor: Person) -> None:
    """Delete the made-up rows and archive the workspace. Idempotent."""
    assert workspace.is_demo
    _clear(workspace.id)
    metered.put_away(workspace=workspace, actor=actor)
    workspaces.archive(workspace=workspace, actor=actor)


def demo_of(person_id: str) -> Workspace | None:
    """The person's demo workspace, if it is there."""
    statement = (
        sa.select(Workspace)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.person_id == person_id, Membership.role == Role.OWNER)
        .where(Workspace.is_demo.is_(True), Workspace.archived_at.is_(None))
    )
    return db.session.scalars(statement.order_by(Workspace.created_at).limit(1)).one_or_none()


def _clear(workspace_id: str) -> None:
    for row in (Connection, Budget):  # days, rows, totals, runs and alerts go with them (ON DELETE CASCADE)
        db.session.execute(sa.delete(row).where(row.workspace_id == workspace_id))
    db.session.expire_all()


def _import(workspace_id: str, books: Books) -> None:
    """What a backfill would have read, in one transaction."""
    run = _run(_connection(workspace_id), books)
    lease = sync_runs.take(run.id)
    assert lease is not None  # made above, in this transaction
    told = [books.before_revision() if day.day == books.revised_on else day for day in books.costs()]
    sync_write.write_costs(lease, told, reached_on=None)
    sync_write.write_costs(lease, [books.cost_day(books.revised_on)], reached_on=None)
    seen = sa.update(CostRevision).where(CostRevision.connection_id == lease.connection_id)
    db.session.execute(seen.values(seen_at=books.now - _REVISION_SEEN_AGO))
    for kind in company.KINDS:
        sync_write.write_usage(lease, kind, books.usage(kind))
    sync_write.write_names(lease, company.PROJECTS, company.KEYS)
    sync_import.finish(lease, "")


def _connection(workspace_id: str) -> Connection:
    """A connection without a key: nothing can ever be asked with it."""
    connection = Connection(
        workspace_id=workspace_id,
        provider="openai",
        mode="organization",
        sealed_key="",
        key_fingerprint="",
        last4="demo",
        status="active",
    )
    db.session.add(connection)
    db.session.flush()
    return connection


def _run(connection: Connection, books: Books) -> SyncRun:
    run = SyncRun(
        connection_id=connection.id,
        reason=Reason.BACKFILL,
        since_on=books.first_on,
        until_on=books.today,
        reached_on=books.today,
    )
    db.session.add(run)
    db.session.flush()
    return run


def _set_budgets(workspace: Workspace, owner: Person) -> None:
    """A budget that the month is going to break, and a roomy one for a project."""
    month = clock.this_month()
    for project_id, percent in (("", 90), (company.STUDIO.id, 140)):
        budget_service.set_budget(workspace_id=workspace.id, actor=owner, project_id=project_id, amount_cents=1)
        standing = next(
            one for one in budget_queries.standings(workspace.id, month) if one.budget.project_id == project_id
        )
        cents = _fitting_cents(standing.picture.spent_nano, standing.picture.outlook.total_nano, percent)
        budget_service.set_budget(workspace_id=workspace.id, actor=owner, project_id=project_id, amount_cents=cents)


def _fitting_cents(spent_nano: int, forecast_nano: int, percent: int) -> int:
    """A round amount at so many percent of the forecast, but above what is spent already."""
    wanted = max(forecast_nano * percent // 100, (spent_nano + forecast_nano) // 2) * 100 // NANO_PER_USD
    return max(wanted // _BUDGET_STEP_CENTS * _BUDGET_STEP_CENTS, _BUDGET_STEP_CENTS)


def _date_alerts(alerts: list[BudgetAlert], workspace_id: str) -> None:
    """Let each step have been reached on its day, with that day's amounts, not all of them this minute."""
    standings = {one.budget.id: one for one in budget_queries.standings(workspace_id, Month.of(clock.today()))}
    for alert in alerts:
        if alert.step == budget_rules.FORECAST_STEP:
            continue
        picture = standings[alert.budget_id].picture
        on = reached_on(-(-alert.limit_nano * int(alert.step) // 100), picture.month, picture.totals)
        assert on is not None  # it was raised because it was reached
        alert.spent_nano = sum(nano for day, nano in picture.totals.items() if picture.month.holds(day) and day <= on)
        alert.raised_at = min(clock.now(), clock.midnight(on) + timedelta(hours=18))
