"""GET /api/summary: one month in a few numbers. In the portal: a wallet's credits stand beside the bill."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.core import clock
from tokenboard.core.money import usd_from_nano
from tokenboard.costs import budget_queries, budget_rules, month_queries, queries
from tokenboard.costs.month_queries import MonthPicture
from tokenboard.costs.report_forms import SummaryQuery
from tokenboard.wallet import queries as wallet
from tokenboard.wallet.answers import balance_answer
from tokenboard.web.api import Answer, operation
from tokenboard.workspaces import access

blueprint = Blueprint("portal_summary_api", __name__)


@blueprint.get("/api/summary")
@operation("A month in a few numbers", query=SummaryQuery, tag="Provider costs")
def summary(query: SummaryQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    connections = queries.connections(workspace.id)
    today = (query.as_of or clock.now()).date()
    month = query.month or clock.Month.of(today)
    scope = queries.scope_of(connections, as_of=query.as_of)
    picture = month_queries.picture(scope, month, today, as_of=query.as_of)
    return {
        "month": str(month),
        "todayUsd": _usd(picture.today_nano),
        "monthToDateUsd": _usd(picture.spent_nano),
        "forecastUsd": _usd(picture.outlook.total_nano),
        "previousMonthUsd": _usd(picture.previous_month_nano),
        "budget": _budget(workspace.id, picture),
        "credits": balance_answer(wallet.balance(workspace))["balance"],
        "lastSyncedAt": _instant(queries.last_synced_at(connections)),
        "source": "personal" if {one.mode for one in connections} == {"personal"} else "organization",
    }


def _budget(workspace_id: str, picture: MonthPicture) -> dict[str, Any] | None:
    """The workspace's own budget of that month; projects' budgets are at /api/budgets."""
    budget = budget_rules.in_force(budget_queries.budgets(workspace_id), picture.month).get("")
    if budget is None:
        return None
    limit = budget_rules.limit_nano(budget)
    return {
        "amountUsd": _usd(limit),
        "remainingUsd": _usd(limit - picture.spent_nano),
        "usedRatio": budget_rules.used_ratio(limit, picture.spent_nano),
    }


def _usd(nano: int) -> Decimal:
    return usd_from_nano(nano)


def _instant(instant: datetime | None) -> str | None:
    return clock.iso(instant) if instant else None
