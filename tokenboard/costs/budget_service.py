"""Monthly budgets, and telling a workspace's channels when one is reached.

Laws: one budget for a project and month, however many tabs save it; a step is raised once for a budget and month (the
alert's unique key) and its messages are written in the same transaction; demo workspaces raise alerts and tell nobody.
"""

from __future__ import annotations

import sqlalchemy as sa

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.core import clock
from tokenboard.core.clock import Month
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import Conflict
from tokenboard.core.upsert import insert
from tokenboard.costs import budget_notices, budget_queries, budget_rules
from tokenboard.costs.budget_queries import Standing
from tokenboard.costs.budget_rules import MOST_BUDGETS
from tokenboard.costs.models import Budget, BudgetAlert
from tokenboard.workspaces.models import Workspace


def set_budget(
    *, workspace_id: str, actor: Person, amount_cents: int, project_id: str = "", month: Month | None = None
) -> Budget:
    """Set the amount for a workspace or project, for a month or for every month. Raises: Conflict (too many)."""
    named = str(month) if month else ""
    before = budget_queries.same_budget(workspace_id, project_id, named)
    if before is None and len(budget_queries.budgets(workspace_id)) >= MOST_BUDGETS:
        raise Conflict(f"A workspace has at most {MOST_BUDGETS} budgets. Delete one first.")
    before_cents = before.amount_cents if before else None
    _write(workspace_id, project_id, named, amount_cents)
    budget = budget_queries.same_budget(workspace_id, project_id, named)
    assert budget is not None  # written above, in this transaction
    facts = {"project_id": project_id, "month": named, "before_cents": before_cents, "after_cents": amount_cents}
    audit.record("costs.budget_set", actor=actor.id, subject=budget.id, workspace_id=workspace_id, facts=facts)
    return budget


def _write(workspace_id: str, project_id: str, month: str, amount_cents: int) -> None:
    """Two tabs at once: the later one's amount stands."""
    instant = clock.now()
    values = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "project_id": project_id,
        "month": month,
        "amount_cents": amount_cents,
        "created_at": instant,
        "updated_at": instant,
    }
    statement = insert(Budget).values(**values)
    statement = statement.on_conflict_do_update(
        index_elements=["workspace_id", "project_id", "month"],
        set_={"amount_cents": amount_cents, "updated_at": instant},
    )
    db.session.execute(statement)


def remove_budget(*, budget: Budget, actor: Person) -> None:
    """Delete a budget and its alerts."""
    facts = {"project_id": budget.project_id, "month": budget.month, "before_cents": budget.amount_cents}
    audit.record(
        "costs.budget_removed", actor=actor.id, subject=budget.id, workspace_id=budget.workspace_id, facts=facts
    )
    db.session.delete(budget)


def check_budgets(*, workspace: Workspace) -> list[BudgetAlert]:
    """Raise the steps this month's budgets have reached and write the messages. Idempotent. Returns the new alerts."""
    raised: list[BudgetAlert] = []
    for standing in budget_queries.standings(workspace.id, clock.this_month()):
        alerts = {alert.step: alert for alert in _raise_steps(standing)}
        raised += alerts.values()
        for step in () if workspace.is_demo else budget_rules.worth_sending(alerts):
            budget_notices.send(workspace, standing, alerts[step])
    return raised


def _raise_steps(standing: Standing) -> list[BudgetAlert]:
    """The steps reached for the first time this month, lowest first."""
    picture = standing.picture
    reached = budget_rules.steps_reached(standing.limit_nano, picture.spent_nano, picture.outlook)
    return [alert for step in reached if (alert := _raise(standing, step)) is not None]


def _raise(standing: Standing, step: str) -> BudgetAlert | None:
    """A new alert, or None when this step was raised before, also by another worker at this moment."""
    alert_id = new_id()
    statement = insert(BudgetAlert).values(
        id=alert_id,
        budget_id=standing.budget.id,
        month=str(standing.picture.month),
        step=step,
        spent_nano=standing.picture.spent_nano,
        limit_nano=standing.limit_nano,
        forecast_nano=standing.picture.outlook.total_nano,
        raised_at=clock.now(),
    )
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["budget_id", "month", "step"]))
    return db.session.scalars(sa.select(BudgetAlert).where(BudgetAlert.id == alert_id)).one_or_none()
