"""JSON doors to the bill: trend and breakdown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.core import clock
from tokenboard.core.money import usd_from_nano
from tokenboard.costs import breakdown_queries, queries, shapes
from tokenboard.costs.bill_rules import By
from tokenboard.costs.breakdown_queries import Item
from tokenboard.costs.period_rules import Period, month_period
from tokenboard.costs.queries import Scope
from tokenboard.costs.report_forms import BreakdownQuery, TrendQuery
from tokenboard.costs.trend_queries import trend_series
from tokenboard.web.api import Answer, operation
from tokenboard.workspaces import access

blueprint = Blueprint("costs_report_api", __name__)


@blueprint.get("/api/trend")
@operation("Cost per day", query=TrendQuery, tag="Provider costs", answer={"points": list[shapes.Point]})
def trend(query: TrendQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    period = query.period()
    scope = queries.scope_of(queries.connections(workspace.id), source=query.source, as_of=query.as_of)
    if query.as_of:
        totals = queries.daily_totals_as_of(scope, period, query.as_of)
    else:
        totals = queries.daily_totals(scope, period)
    series = trend_series(scope, query.by, period) if query.by else {}
    points = [
        {
            "date": day,
            "totalUsd": _usd(totals.get(day, 0)),
            "series": {name: _usd(days.get(day, 0)) for name, days in series.items()},
        }
        for day in period.days
    ]
    return {"points": points}


@blueprint.get("/api/breakdown")
@operation(
    "A month's cost by project, line item, model or API key",
    query=BreakdownQuery,
    tag="Provider costs",
    answer={"by": By, "items": list[shapes.BreakdownItem]},
)
def breakdown(query: BreakdownQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    scope = queries.scope_of(queries.connections(workspace.id), source=query.source)
    period = month_period(query.month or clock.this_month())
    return {"by": query.by.value, "items": [_item(one) for one in _items(scope, query, period)]}


def _items(scope: Scope, query: BreakdownQuery, period: Period) -> list[Item]:
    return breakdown_queries.breakdown(scope, query.by, period)


def _item(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"key": item.key, "name": item.name, "usd": _usd(item.nano), "share": item.share}
    if item.usage is not None:
        found |= {"tokens": item.usage.tokens, "requests": item.usage.requests}
    return found


def _usd(nano: int) -> Decimal:
    return usd_from_nano(nano)
