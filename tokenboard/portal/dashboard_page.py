"""The dashboard's view model: facts in, finished texts and addresses out. The template prints and decides nothing.

Units: nano-USD in, texts out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from tokenboard.costs.bill_rules import By
from tokenboard.costs.breakdown_queries import Item
from tokenboard.costs.change_rules import movers, unusual_days
from tokenboard.costs.period_rules import Period, State, state_of
from tokenboard.portal import dashboard_controls as controls
from tokenboard.portal.dashboard_band import Card, band
from tokenboard.portal.dashboard_controls import BY_LABELS, BY_WORDS, Controls
from tokenboard.portal.dashboard_facts import Facts
from tokenboard.portal.dashboard_view import View
from tokenboard.portal.dashboard_words import (
    Sentence,
    budget_sentence,
    change_sentence,
    revision_sentence,
    scope_line,
    share_text,
    unusual_sentence,
)
from tokenboard.web.charts import OTHER_KEY, Chart, Series, colour, fold_series, stacked_bars
from tokenboard.web.filters import day_range, percent_signed, usd

MOST_ROWS = 100
MOST_ALERTS = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the breakdown."""

    css: str
    name: str
    href: str
    nano: int
    share: str
    share_permille: int
    change: str
    change_tone: str
    earlier_nano: int
    requests: int | None
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the panel prints."""

    view: View
    facts: Facts
    controls: Controls
    scope: str
    state: State
    cards: Sequence[Card]
    chart: Chart
    chart_title: str
    chart_subtitle: str
    lines: Sequence[Line]
    hidden_count: int
    hidden_nano: int
    breakdown_subtitle: str
    by_label: str
    column_count: int
    total_nano: int
    compared: str
    has_usage: bool
    changes: Sequence[Sentence]
    no_changes: str
    alerts: Sequence[Sentence]
    note: str


def build(facts: Facts, now: datetime) -> Page:
    """The page of these facts."""
    view = facts.view
    has_usage = any(item.usage for item in facts.items)
    return Page(
        view=view,
        facts=facts,
        controls=controls.build(facts),
        scope=_scope(facts, now),
        state=state_of(view.changed(day=None).booked.last, view.today, facts.settled_on),
        cards=band(facts),
        chart=_chart(facts),
        chart_title=f"Daily cost by {BY_WORDS[view.by]}",
        chart_subtitle=f"{day_range(view.period.first, view.period.last)}, US dollars",
        lines=_lines(facts)[:MOST_ROWS],
        hidden_count=max(0, len(facts.items) - MOST_ROWS),
        hidden_nano=sum(item.nano for item in facts.items[MOST_ROWS:]),
        total_nano=facts.total_nano,
        breakdown_subtitle=_days(view.booked),
        by_label=BY_LABELS[view.by],
        column_count=3 + view.is_compared + 2 * has_usage,
        compared=f"{_days(view.booked)}, against {_days(view.compared_with)}",
        has_usage=has_usage,
        changes=_changes(facts) if facts.is_comparable else (),
        no_changes=_no_changes(facts),
        alerts=_alerts(facts)[:MOST_ALERTS],
        note=_note(view.by),
    )


def _days(period: Period) -> str:
    return day_range(period.first, period.last)


def _scope(facts: Facts, now: datetime) -> str:
    providers = [facts.view.provider] if facts.view.provider else facts.providers
    project = controls.project_name(facts) if facts.view.project_id is not None else None
    return scope_line(providers, facts.settled_on, facts.synced_at, now, project)


def _series(facts: Facts) -> list[Series]:
    """The colours of the chart, largest first; folded to six and the rest."""
    view, days = facts.view, facts.view.period.days
    keys = [key for key in facts.split.totals(view.period) if view.name in (None, key)]
    return fold_series(
        Series(key, facts.split.names[key], [facts.split.daily[key].get(day, 0) for day in days]) for key in keys
    )


def _chart(facts: Facts) -> Chart:
    view = facts.view
    is_drawn = view.name is None and facts.has_bill and not view.is_arriving
    expected = facts.picture.outlook.expected if is_drawn else {}
    return stacked_bars(
        days=view.period.days,
        series=_series(facts),
        today=view.today,
        forecast=[expected.get(day) for day in view.period.days],
        revised={day: f"was {usd(nano)}" for day, nano in facts.revised.items()} if view.name is None else {},
        day_href=lambda day: view.href(day=None if day == view.day else day) if day <= view.today else "",
        series_href=lambda key: view.href(name=None if key == view.name else key),
    )


def _lines(facts: Facts) -> list[Line]:
    """The breakdown's rows, in the chart's colours where they have one; below them what was there only before."""
    view = facts.view
    css = {one.key: colour(place, one.key) for place, one in enumerate(_series(facts)) if one.key != OTHER_KEY}
    listed = {item.key for item in facts.items}
    gone = [key for key in facts.earlier if key not in listed] if view.is_compared and facts.is_comparable else []
    left = [Item(key, controls.name_of(facts, key), 0, Decimal(0), None) for key in gone]
    return [_line(facts, item, css.get(item.key, "s-other")) for item in (*facts.items, *left)]


def _line(facts: Facts, item: Item, css: str) -> Line:
    view, earlier = facts.view, facts.earlier.get(item.key, 0)
    change, tone = _change(item.nano, earlier) if facts.is_comparable else ("–", "")
    return Line(
        css=css,
        name=item.name,
        href=view.href(name=None if view.name == item.key else item.key),
        nano=item.nano,
        share=share_text(item.nano, facts.total_nano),
        share_permille=max(0, min(1000, round(item.share * 1000))),
        change=change,
        change_tone=tone,
        earlier_nano=earlier,
        requests=item.usage.requests if item.usage else None,
        tokens=item.usage.tokens if item.usage else None,
    )


def _change(nano: int, earlier: int) -> tuple[str, str]:
    """How a row changed, and whether that is worth a colour."""
    if earlier <= 0:
        return ("new", "") if nano > 0 else ("–", "")
    if not nano:
        return "stopped", ""
    ratio = Fraction(nano - earlier, earlier)
    return _signed(ratio), "warn" if ratio > Fraction(1, 4) else "ok" if ratio < Fraction(-1, 20) else ""


def _signed(ratio: Fraction) -> str:
    """A change in percent; past tenfold in times, which says more."""
    if ratio >= 9:
        return f"×{round(ratio + 1):,}"
    return percent_signed(ratio)


def _changes(facts: Facts) -> list[Sentence]:
    view = facts.view
    chosen = {key: days for key, days in facts.split.daily.items() if view.name in (None, key)}
    return [
        change_sentence(one, controls.name_of(facts, one.key), view.href(name=one.key))
        for one in movers(chosen, view.booked, view.compared_with)
    ]


def _no_changes(facts: Facts) -> str:
    """Why no change is told."""
    if facts.is_first_reading:
        return "Told as soon as the first reading is done."
    if not facts.is_comparable:
        return f"There is nothing to compare with: the bill of {_days(facts.view.compared_with)} was not read in full."
    return "Nothing worth a cent."


def _alerts(facts: Facts) -> list[Sentence]:
    """What happened in this period, the newest first."""
    view, names = facts.view, dict(facts.projects)
    dated: list[tuple[date, Sentence]] = []
    for record in facts.budgets:
        name = names.get(record.budget.project_id, record.budget.project_id)
        dated += [(one.raised_at.date(), budget_sentence(one, record.budget, name)) for one in record.alerts]
    totals = facts.picture.totals
    for unusual in unusual_days(totals, view.booked, facts.scope.known_since):
        dated.append((unusual.on, unusual_sentence(unusual, view.href(day=unusual.on))))
    for day, old in facts.revised.items():
        dated.append((day, revision_sentence(day, old, totals.get(day, 0), view.href(day=day))))
    return [sentence for _, sentence in sorted(dated, key=lambda pair: pair[0], reverse=True)]


def _note(by: By) -> str:
    """What has to be said of a split."""
    if by is By.MODEL:
        return (
            "The bill names no models: line items whose text begins with a model seen in usage are counted to it, the "
            "rest as other. Together they are the bill."
        )
    return ""
