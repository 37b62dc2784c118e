"""Reading a budget as people and programs write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tokenboard.core.clock import Month
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import parse_cents, parse_month
from tokenboard.costs import breakdown_queries, queries
from tokenboard.costs.budget_rules import LARGEST_CENTS


@dataclass(frozen=True, slots=True)
class BudgetForm:
    """A budget as typed into the page, read."""

    amount_cents: int
    project_id: str
    month: Month | None


def read(workspace_id: str, given: Mapping[str, str]) -> BudgetForm:
    """Raises: ValidationFailed, naming each field."""
    faults: dict[str, list[str]] = {}
    cents, month = 0, None
    try:
        cents = read_amount(given.get("amount", ""))
    except ValueError as error:
        faults["amount"] = [str(error)]
    try:
        month = parse_month(given["month"]) if given.get("month") else None
    except ValueError:
        faults["month"] = ["A month is written YYYY-MM, such as 2026-11."]
    try:
        project_id = check_project(workspace_id, given.get("project_id", ""))
    except ValidationFailed:
        faults["project_id"] = ["There is no such project on the bill."]
    if faults:
        raise ValidationFailed(faults)
    return BudgetForm(cents, project_id, month)


def read_amount(text: str) -> int:
    """A monthly amount in cents. Raises: ValueError."""
    cents = parse_cents(text)
    if not 1 <= cents <= LARGEST_CENTS:
        raise ValueError("A budget lies between $0.01 and $1,000,000,000.")
    return cents


def check_project(workspace_id: str, project_id: str) -> str:
    """A project the provider has named or billed, or '' for the whole workspace. Raises: ValidationFailed."""
    if project_id:
        scope = queries.scope_of(queries.connections(workspace_id))
        is_named = project_id in dict(breakdown_queries.projects(scope))
        if not is_named and not breakdown_queries.is_billed(scope, project_id):
            raise ValidationFailed({"projectId": ["There is no such project on the bill."]})
    return project_id
