"""JSON doors to budgets."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from pydantic import Field, field_validator

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db
from tokenboard.core.money import usd_from_nano
from tokenboard.core.parsing import clean_text
from tokenboard.costs import budget_queries, budget_rules, budget_service, shapes
from tokenboard.costs.budget_forms import check_project
from tokenboard.costs.budget_rules import LARGEST_CENTS
from tokenboard.costs.budget_tasks import check_budgets
from tokenboard.costs.models import Budget
from tokenboard.costs.report_forms import MonthText
from tokenboard.web.api import Answer, Body, Query, operation
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("costs_budget_api", __name__)


class BudgetsQuery(Query):
    workspace_id: str | None = None


class BudgetBody(Body):
    workspace_id: str | None = None
    amount_cents: int = Field(ge=1, le=LARGEST_CENTS)
    month: MonthText | None = None
    project_id: str | None = None

    @field_validator("project_id")
    @classmethod
    def _clean(cls, text: str | None) -> str | None:
        return None if text is None else clean_text(text, longest=120, shortest=1)


@blueprint.get("/api/budgets")
@operation("A workspace's budgets", query=BudgetsQuery, tag="Provider costs", answer={"budgets": list[shapes.Budget]})
def budgets(query: BudgetsQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    return {"budgets": [_budget(one) for one in budget_queries.budgets(workspace.id)]}


@blueprint.post("/api/budgets")
@operation(
    "Set a monthly budget for a workspace or a project",
    body=BudgetBody,
    tag="Provider costs",
    answer={"budget": shapes.Budget},
)
def set_budget(body: BudgetBody) -> Answer:
    person = current_person()
    workspace = access.load(body.workspace_id, person, at_least=Role.ADMIN).workspace
    project_id = check_project(workspace.id, body.project_id or "")
    budget = budget_service.set_budget(
        workspace_id=workspace.id,
        actor=person,
        amount_cents=body.amount_cents,
        project_id=project_id,
        month=body.month,
    )
    check_budgets.ring(workspace.id)
    db.session.commit()
    return {"budget": _budget(budget)}


@blueprint.delete("/api/budgets/<id:budget_id>")
@operation("Delete a budget", status=204, tag="Provider costs")
def remove_budget(budget_id: str) -> Answer:
    person = current_person()
    budget = budget_queries.budget_of(budget_id)
    access.load(budget.workspace_id, person, at_least=Role.ADMIN)
    budget_service.remove_budget(budget=budget, actor=person)
    db.session.commit()
    return {}, 204


def _budget(budget: Budget) -> dict[str, Any]:
    return {
        "id": budget.id,
        "workspaceId": budget.workspace_id,
        "projectId": budget.project_id or None,
        "month": budget.month or None,
        "amountCents": budget.amount_cents,
        "amountUsd": usd_from_nano(budget_rules.limit_nano(budget)),
        "createdAt": budget.created_at,
        "updatedAt": budget.updated_at,
    }
