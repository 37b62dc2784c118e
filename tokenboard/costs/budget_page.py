"""Settings, Budgets: each budget with its bar, in words, and what a new one would have done. View model only.

Units: nano-USD in, texts out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tokenboard.core import clock
from tokenboard.core.clock import Month
from tokenboard.core.money import NANO_PER_CENT
from tokenboard.costs import breakdown_queries, budget_queries, budget_rules, month_queries, queries
from tokenboard.costs.budget_notices import headline
from tokenboard.costs.budget_queries import WORKSPACE, BudgetRecord, Standing
from tokenboard.costs.budget_rules import Triggered
from tokenboard.costs.forecast_rules import breaking_day
from tokenboard.costs.models import Budget
from tokenboard.costs.month_queries import MonthPicture
from tokenboard.web.filters import day, month_name, percent, usd, usd_whole
from tokenboard.web.meters import BudgetBar, budget_bar


@dataclass(frozen=True, slots=True)
class BudgetCard:
    """One budget as the page shows it. `bar` is there where the budget is in force this month."""

    budget: Budget
    name: str
    when: str
    amount: str
    amount_field: str
    sentence: str
    tone: str
    bar: BudgetBar | None
    history: str
    alerts: Sequence[str]


@dataclass(frozen=True, slots=True)
class BudgetsPage:
    """Everything the page prints."""

    cards: Sequence[BudgetCard]
    projects: Sequence[tuple[str, str]]
    month: Month
    has_bill: bool


def build(workspace_id: str) -> BudgetsPage:
    """The page of a workspace."""
    month = clock.this_month()
    connections = queries.connections(workspace_id)
    scope = queries.scope_of(connections)
    projects = breakdown_queries.projects(scope)
    standing = {one.budget.id: one for one in budget_queries.standings(workspace_id, month)}
    records = budget_queries.budgets_with_alerts(workspace_id, [month])
    names = dict(projects)
    cards = [_card(record, standing.get(record.budget.id), names) for record in records]
    return BudgetsPage(cards, projects, month, scope.known_since is not None)


def _card(record: BudgetRecord, standing: Standing | None, names: Mapping[str, str]) -> BudgetCard:
    budget = record.budget
    sentence, tone, bar = _standing(standing) if standing else (_waits(budget), "", None)
    return BudgetCard(
        budget=budget,
        name=names.get(budget.project_id, budget.project_id) or WORKSPACE,
        when=month_name(Month.parse(budget.month)) if budget.month else "every month",
        amount=usd(budget_rules.limit_nano(budget)),
        amount_field=f"{budget.amount_cents // 100}.{budget.amount_cents % 100:02d}",
        sentence=sentence,
        tone=tone,
        bar=bar,
        history=_history(standing) if standing else "",
        alerts=[f"{headline(alert)} on {day(alert.raised_at.date())}" for alert in record.alerts],
    )


def _waits(budget: Budget) -> str:
    """Why a budget is not in force this month."""
    if budget.month:
        is_over = Month.parse(budget.month) < clock.this_month()
        return "That month is over." if is_over else "For its own month only."
    return "This month another amount is set for it."


def _standing(standing: Standing) -> tuple[str, str, BudgetBar]:
    picture, limit = standing.picture, standing.limit_nano
    outlook = picture.outlook
    bar = budget_bar(spent=picture.spent_nano, forecast=outlook.total_nano, limit=limit)
    used = f"{usd(picture.spent_nano)} spent ({percent(Fraction(picture.spent_nano, limit))})"
    on = breaking_day(limit, picture.totals, outlook)
    if on is None:
        return f"{used}, {usd_whole(outlook.total_nano)} expected: it holds.", "ok", bar
    if picture.spent_nano > limit:
        return f"{used}: it broke on {day(on)}.", "bad", bar
    return f"{used}, {usd_whole(outlook.total_nano)} expected: it breaks on {day(on)}.", "warn", bar


def _history(standing: Standing) -> str:
    """What this amount would have said last month; nothing where last month has no bill."""
    picture = standing.picture
    if not picture.previous_month_nano:
        return ""
    return _would_have(standing.limit_nano, picture.month.shift(-1), picture)


def preview(workspace_id: str, amount_cents: int, project_id: str) -> str:
    """What a budget of this amount would have said, last month and this month so far."""
    scope = queries.scope_of(queries.connections(workspace_id), project_id=project_id or None)
    picture = month_queries.picture(scope, clock.this_month(), clock.today())
    limit = amount_cents * NANO_PER_CENT
    said = [_would_have(limit, month, picture) for month in (picture.month.shift(-1), picture.month)]
    on = breaking_day(limit, picture.totals, picture.outlook)
    if on is not None and on >= picture.today:
        said.append(f"By the forecast of {usd_whole(picture.outlook.total_nano)} it breaks on {day(on)}.")
    return " ".join(said)


def _would_have(limit: int, month: Month, picture: MonthPicture) -> str:
    steps = budget_rules.would_have_triggered(limit, month, picture.totals)
    so_far = " so far" if month.holds(picture.today) else ""
    if not steps:
        return f"In {month_name(month)}{so_far} it would have stayed silent."
    return f"In {month_name(month)}{so_far} it would have triggered on {_days(steps)}."


def _days(steps: Sequence[Triggered]) -> str:
    """11 (50 %), 19 (80 %) and 24 Nov (100 %)."""
    named = [f"{day(one.on)} ({one.step} %)" for one in steps]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
