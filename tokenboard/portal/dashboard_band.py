"""The dashboard's first row: spent, forecast, budget, yesterday. One question each, answered with its scope.

A month that is over has its total in the place of a forecast and its costliest day in the place of yesterday.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from tokenboard.costs import budget_rules
from tokenboard.costs.forecast_rules import breaking_day
from tokenboard.costs.models import Budget
from tokenboard.costs.month_queries import MonthPicture
from tokenboard.costs.period_rules import Period, month_before
from tokenboard.portal.dashboard_facts import Facts
from tokenboard.portal.dashboard_words import against, weekday
from tokenboard.web.filters import day, day_range, month_name, percent, percent_signed, usd, usd_exact, usd_whole
from tokenboard.web.meters import BudgetBar, budget_bar


@dataclass(frozen=True, slots=True)
class Card:
    """A number with what is said of it."""

    label: str
    value: str
    exact: str = ""
    delta: str = ""
    tone: str = ""
    note: str = ""
    href: str = ""
    is_lead: bool = False
    badge: str = ""
    bar: BudgetBar | None = None
    bar_text: str = ""


def band(facts: Facts) -> Sequence[Card]:
    """The four cards."""
    picture = facts.picture
    return (
        _spent(facts),
        _month_total(picture) if picture.outlook.is_over else _forecast(picture),
        _budget(facts),
        _costliest(picture) if picture.outlook.is_over else _yesterday(picture),
    )


def _spent(facts: Facts) -> Card:
    view, picture = facts.view, facts.picture
    if view.span_days:
        label, nano = f"Spent in {view.span_days} days", picture.between(view.period)
        earlier = view.changed(day=None).compared_with
    else:
        label = "Spent this month" if view.is_current_month else f"Spent in {month_name(view.month)}"
        nano, earlier = picture.spent_nano, month_before(view.month, view.today)
    change, beside = _against(facts, nano, earlier) if view.is_compared else ("", "")
    return Card(label, usd(nano), usd_exact(nano), change, _tone(change), beside, is_lead=True)


def _against(facts: Facts, nano: int, earlier: Period) -> tuple[str, str]:
    """A change against earlier days; nothing where those were never read."""
    known_since = facts.scope.known_since
    if known_since is None or known_since > earlier.first:
        return "", ""
    return against(nano, facts.picture.between(earlier), earlier)


def _tone(change: str) -> str:
    return "warn" if change.startswith("+") else "ok" if change and change[0] != "±" else ""


def _forecast(picture: MonthPicture) -> Card:
    outlook = picture.outlook
    note = f"{usd_whole(outlook.low_nano)}–{usd_whole(outlook.high_nano).lstrip('$')} by {day(outlook.month.last_day)}"
    if not outlook.known_days and not outlook.booked_nano:
        return Card("Forecast", "–", note="as soon as there is a day to go by")
    if not outlook.is_sure:
        note = f"{note}, a first guess"
    return Card("Forecast", usd_whole(outlook.total_nano), usd_exact(outlook.total_nano), note=note, badge="estimated")


def _month_total(picture: MonthPicture) -> Card:
    average = picture.spent_nano // picture.month.length
    note = f"over the {picture.month.length} days of {month_name(picture.month)}"
    return Card("A day on average", usd(average), usd_exact(average), note=note)


def _budget(facts: Facts) -> Card:
    view, picture = facts.view, facts.picture
    budget = _budget_in_force(facts)
    if budget is None:
        what = "for this project" if view.project_id else "for this month"
        return Card("Budget", "None", note=f"Set one {what} to be warned in time", href="/settings/budgets")
    limit, outlook = budget_rules.limit_nano(budget), picture.outlook
    if view.provider and len(facts.providers) > 1:
        return Card("Budget", usd(limit), note="counts all providers together", href="/settings/budgets")
    bar = budget_bar(spent=picture.spent_nano, forecast=outlook.total_nano, limit=limit)
    used = percent(Fraction(picture.spent_nano, limit))
    note, tone = _budget_note(picture, limit)
    text = f"{usd(picture.spent_nano)} spent, {usd_whole(outlook.total_nano)} expected, {usd(limit)} budget"
    return Card("Budget", usd(limit), text, note, tone, f"{used} used", "/settings/budgets", bar=bar, bar_text=text)


def _budget_in_force(facts: Facts) -> Budget | None:
    budgets = [record.budget for record in facts.budgets]
    return budget_rules.in_force(budgets, facts.view.month).get(facts.view.project_id or "")


def _budget_note(picture: MonthPicture, limit: int) -> tuple[str, str]:
    """Whether and when it breaks."""
    on = breaking_day(limit, picture.totals, picture.outlook)
    if on is None:
        left = limit - picture.outlook.total_nano
        return (f"{usd_whole(left)} left at the end", "ok")
    if picture.spent_nano > limit:
        return f"broke on {day(on)}", "bad"
    return f"breaks on {day(on)}", "warn"


def _yesterday(picture: MonthPicture) -> Card:
    nano, usual = picture.yesterday_nano, picture.usual_yesterday_nano
    on = picture.today - timedelta(days=1)
    if not usual:
        return Card("Yesterday", usd(nano), usd_exact(nano), note=f"{weekday(on)}, {day(on)}")
    change = percent_signed(Fraction(nano - usual, usual))
    tone = "warn" if nano * 4 > usual * 5 else ""
    return Card("Yesterday", usd(nano), usd_exact(nano), change, tone, f"vs usual {weekday(on)}")


def _costliest(picture: MonthPicture) -> Card:
    days = {one: picture.totals.get(one, 0) for one in picture.month.days}
    on = max(days, key=lambda one: days[one])
    if not days[on]:
        return Card("Costliest day", "–", note=f"nothing in {month_name(picture.month)}")
    return Card("Costliest day", usd(days[on]), usd_exact(days[on]), note=f"{weekday(on)}, {day_range(on, on)}")
