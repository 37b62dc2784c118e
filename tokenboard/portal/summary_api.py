"""GET /api/summary: one month in a few numbers; GET /api/dashboard: all a home screen shows, in one answer.

In the portal: a wallet's credits stand beside the bill.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.billing import catalogue_queries, payment_queries
from tokenboard.billing.answers import subscription_answer
from tokenboard.billing.forms import OwnQuery
from tokenboard.core import clock
from tokenboard.core.money import usd_from_nano
from tokenboard.costs import budget_queries, budget_rules, month_queries, queries
from tokenboard.costs.models import BudgetAlert
from tokenboard.costs.month_queries import MonthPicture
from tokenboard.costs.report_forms import SummaryQuery
from tokenboard.costs.shapes import Summary
from tokenboard.metering import usage_queries
from tokenboard.metering.answers import usage_answer
from tokenboard.portal.answers import user_answer
from tokenboard.portal.shapes import Dashboard
from tokenboard.wallet import queries as wallet
from tokenboard.wallet.answers import balance_answer
from tokenboard.web.api import Answer, operation
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Workspace

blueprint = Blueprint("portal_summary_api", __name__)

RECENT_REQUESTS = 5


@blueprint.get("/api/summary")
@operation("A month in a few numbers", query=SummaryQuery, tag="Provider costs", answer=Summary)
def summary(query: SummaryQuery) -> Answer:
    return _summary(access.load(query.workspace_id, current_person()).workspace, query)


@blueprint.get("/api/dashboard")
@operation("All a home screen shows, in one answer", query=OwnQuery, tag="Provider costs", answer=Dashboard)
def dashboard(query: OwnQuery) -> Answer:
    person = current_person()
    workspace = access.load(query.workspace_id, person).workspace
    plan = payment_queries.live_subscription(workspace.id)
    offer = catalogue_queries.known_price(plan.price_provider_id) if plan else None
    recent = usage_queries.logs(workspace.id, None, limit=RECENT_REQUESTS, cursor=None)
    return {
        "user": user_answer(person),
        "summary": _summary(workspace, SummaryQuery(workspace_id=workspace.id)),
        **balance_answer(wallet.balance(workspace)),
        "subscription": subscription_answer(plan, offer),
        "recentUsage": [usage_answer(record) for record in recent.records],
        "alerts": _alerts(workspace.id),
    }


def _alerts(workspace_id: str) -> list[dict[str, Any]]:
    """Lines that budgets have crossed this month, the latest first."""
    records = budget_queries.budgets_with_alerts(workspace_id, [clock.this_month()])
    crossed = sorted((one for record in records for one in record.alerts), key=attrgetter("raised_at"), reverse=True)
    return [_alert(one) for one in crossed]


def _alert(alert: BudgetAlert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": "budget",
        "step": alert.step,
        "month": alert.month,
        "spentUsd": _usd(alert.spent_nano),
        "limitUsd": _usd(alert.limit_nano),
        "createdAt": alert.raised_at,
    }


def _summary(workspace: Workspace, query: SummaryQuery) -> dict[str, Any]:
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
