"""Budgets, how far they are used, and the steps they have reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from tokenboard.core import clock
from tokenboard.core.clock import Month
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.costs import breakdown_queries, budget_rules, queries
from tokenboard.costs.bill_rules import By
from tokenboard.costs.budget_rules import MOST_BUDGETS
from tokenboard.costs.models import Budget, BudgetAlert
from tokenboard.costs.month_queries import MonthPicture, needed, picture_of
from tokenboard.costs.period_rules import Period
from tokenboard.costs.queries import Scope

WORKSPACE = "Whole workspace"


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget in force in a month, and how far it is used. `name` is its project's, or `Whole workspace`."""

    budget: Budget
    name: str
    picture: MonthPicture

    @property
    def limit_nano(self) -> int:
        return budget_rules.limit_nano(self.budget)

    @property
    def is_of_project(self) -> bool:
        return self.budget.project_id != ""


@dataclass(frozen=True, slots=True)
class BudgetRecord:
    """A budget with the alerts it raised in the months asked for, oldest first."""

    budget: Budget
    alerts: tuple[BudgetAlert, ...]


def budgets(workspace_id: str) -> list[Budget]:
    """A workspace's budgets: the whole workspace first, every month before named ones."""
    return list(db.session.scalars(_of_workspace(workspace_id)))


def budgets_with_alerts(workspace_id: str, months: Collection[Month]) -> list[BudgetRecord]:
    """The same with the alerts of some months beside them. One query."""
    in_months = sa.and_(BudgetAlert.budget_id == Budget.id, BudgetAlert.month.in_([str(month) for month in months]))
    statement = (
        _of_workspace(workspace_id)
        .limit(None)
        .add_columns(BudgetAlert)
        .outerjoin(BudgetAlert, in_months)
        .order_by(BudgetAlert.raised_at)
    )
    found: dict[str, tuple[Budget, list[BudgetAlert]]] = {}
    for budget, alert in db.session.execute(statement):
        alerts = found.setdefault(budget.id, (budget, []))[1]
        alerts.extend([alert] if alert else [])
    return [BudgetRecord(budget, tuple(alerts)) for budget, alerts in found.values()]


def budget_of(budget_id: str) -> Budget:
    """One budget, whoever asks: the door decides access by its workspace. Raises: NotFound."""
    found = db.session.get(Budget, budget_id)
    if found is None:
        raise NotFound
    return found


def same_budget(workspace_id: str, project_id: str, month: str) -> Budget | None:
    """The one budget for this project and month there can be."""
    statement = sa.select(Budget).where(
        Budget.workspace_id == workspace_id, Budget.project_id == project_id, Budget.month == month
    )
    return db.session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def _of_workspace(workspace_id: str) -> sa.Select[Budget]:
    return (
        sa.select(Budget)
        .where(Budget.workspace_id == workspace_id)
        .order_by(Budget.project_id, Budget.month)
        .limit(MOST_BUDGETS)
    )


def standings(workspace_id: str, month: Month) -> list[Standing]:
    """Every budget in force in a month, the workspace's own first. Five queries, however many budgets."""
    in_force = budget_rules.in_force(budgets(workspace_id), month)
    if not in_force:
        return []
    scope = queries.scope_of(queries.connections(workspace_id))
    today = clock.today()
    by_project = _project_days(scope, needed(month, today), in_force)
    names = breakdown_queries.names(scope, By.PROJECT, in_force)
    found = [
        Standing(
            one,
            names.get(project_id, project_id) or WORKSPACE,
            picture_of(by_project[project_id], month, today, scope.known_since),
        )
        for project_id, one in in_force.items()
    ]
    return sorted(found, key=lambda standing: (standing.is_of_project, standing.name.casefold()))


def _project_days(scope: Scope, period: Period, projects: Collection[str]) -> dict[str, Mapping[date, int]]:
    """Daily totals of the whole bill under '', and of each project that has a budget."""
    daily = breakdown_queries.split(scope, By.PROJECT, period).daily if set(projects) - {""} else {}
    return {
        project_id: daily.get(project_id, {}) if project_id else queries.daily_totals(scope, period)
        for project_id in projects
    }
