"""The usage page in finished texts: totals, chart, breakdown, and what leads to the views beside it.

Law: sums come from roll-ups, one query a question, and are those of the JSON calls and the CSV; the template prints
and decides nothing. Units: micro-credits and nano-USD in, texts out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tokenboard.core.clock import days_between
from tokenboard.metering import usage_queries, usage_trends
from tokenboard.metering.usage_queries import Item, Summary
from tokenboard.metering.usage_rules import By, Sums
from tokenboard.metering.usage_trends import Choices
from tokenboard.metering.worth import credit_value_nano
from tokenboard.portal.usage_names import Names
from tokenboard.portal.usage_view import SOURCE_WORDS, UsageView
from tokenboard.wallet import rules as wallet_rules
from tokenboard.wallet.credits_page import money
from tokenboard.web.charts import OTHER_KEY, Chart, Series, colour, fold_series, stacked_bars
from tokenboard.web.filters import (
    credit_amount,
    credits_exact,
    day_long,
    day_range,
    milliseconds,
    number,
    percent,
    plural,
    tokens,
    usd,
    usd_exact,
)

MOST_ROWS = 100
BY_LABELS = {By.MODEL: "Model", By.KEY: "Key", By.USER: "Person", By.SOURCE: "Source", By.DAY: "Day"}
_CHART_HEIGHT = 260


@dataclass(frozen=True, slots=True)
class Card:
    """A number that answers a question."""

    label: str
    value: str
    note: str
    exact: str = ""
    tone: str = ""
    delta: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the breakdown."""

    css: str
    name: str
    href: str
    requests: str
    errors: str
    prompt: int
    cached: int
    completion: int
    credits: str
    credits_exact: str
    share: str
    share_permille: int
    nano_usd: int
    latency: str
    first_token: str


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Everything the panel prints above the log."""

    scope: str
    is_empty: bool
    cards: tuple[Card, ...]
    chart: Chart
    chart_title: str
    chart_subtitle: str
    by_label: str
    lines: tuple[Line, ...]
    total: Line
    hidden: str


def build(workspace_id: str, view: UsageView, names: Names) -> UsagePage:
    """Two queries: the breakdown, and how it spreads over the days."""
    found = usage_queries.summary(workspace_id, view.span, view.by, view.filters)
    items = [item for item in found.items if view.by != By.DAY or item.sums.requests]
    series = _series(workspace_id, view, found, names)
    css = {one.key: colour(place, one.key) for place, one in enumerate(series) if one.key != OTHER_KEY}
    listed = items[::-1] if view.by == By.DAY else items
    return UsagePage(
        scope=f"{day_range(view.span.first, view.span.last)}, UTC days, as it was settled",
        is_empty=not found.total.requests,
        cards=_cards(found.total),
        chart=_chart(view, series),
        chart_title=f"Credits used by {BY_LABELS[view.by].lower()}" if view.by != By.DAY else "Credits used",
        chart_subtitle="Each day, in US dollars at what a credit is worth",
        by_label=BY_LABELS[view.by],
        lines=tuple(_line(item, view, names, css, found.total) for item in listed[:MOST_ROWS]),
        total=_written(found.total, found.total),
        hidden=plural(len(listed) - MOST_ROWS, "more", "more") if len(listed) > MOST_ROWS else "",
    )


def choices(workspace_id: str, view: UsageView) -> Choices:
    """What can be picked in this span. One query."""
    return usage_trends.choices(workspace_id, view.span)


def name_of(item: Item, by: By, names: Names) -> str:
    """What a part of a breakdown is called: keys, people and sources by their names."""
    if item.key is not None and by == By.KEY:
        return names.key(item.key)
    if item.key is not None and by == By.USER:
        return names.person(item.key)
    return SOURCE_WORDS.get(item.name, item.name) if by == By.SOURCE else item.name


def _cards(total: Sums) -> tuple[Card, ...]:
    ratio = Fraction(total.errors, total.requests) if total.requests else Fraction(0)
    errors = plural(total.errors, "error") if total.errors else "no errors"
    halves = f"{tokens(total.prompt_tokens)} in, {tokens(total.completion_tokens)} out"
    return (
        Card(
            "Spent",
            money(total.credits_micros),
            f"{credit_amount(total.credits_micros)} credits; {usd(total.cost_nano_usd)} at list price",
            f"{credits_exact(total.credits_micros)} credits, list price {usd_exact(total.cost_nano_usd)}",
        ),
        Card(
            "Requests",
            number(total.requests),
            f"{errors}, {percent(ratio, 1)}" if total.errors else errors,
            tone="bad" if ratio > Fraction(1, 20) else "",
        ),
        Card(
            "Tokens",
            tokens(total.tokens),
            f"{halves}, {tokens(total.cached_tokens)} cached" if total.cached_tokens else halves,
            f"{number(total.prompt_tokens)} in, {number(total.completion_tokens)} out",
        ),
        Card(
            "Latency p95",
            _told(total.latency_ms(95)),
            f"p50 {_told(total.latency_ms(50))}; first token {_first_token(total)}",
        ),
    )


def _told(value: int | None) -> str:
    return "–" if value is None else milliseconds(value)


def _pair(median: int | None, high: int | None) -> str:
    return "–" if median is None else f"{_told(median)} / {_told(high)}"


def _first_token(sums: Sums) -> str:
    return _pair(sums.first_token_ms(50), sums.first_token_ms(95))


def _series(workspace_id: str, view: UsageView, found: Summary, names: Names) -> list[Series]:
    """The colours of the chart, largest first; by day it is one."""
    days = days_between(view.span.first, view.span.last)
    if view.by == By.DAY:
        spent = {item.key: item.sums.credits_micros for item in found.items}
        return [Series("", "Credits", [_worth(spent.get(str(day), 0)) for day in days])]
    parts = usage_trends.daily_credits(workspace_id, view.span, view.by, view.filters)
    named = {item.key or "": name_of(item, view.by, names) for item in found.items}
    return fold_series(
        Series(key, named.get(key, key), [_worth(spent.get(day, 0)) for day in days]) for key, spent in parts.items()
    )


def _worth(micros: int) -> int:
    return wallet_rules.value_nano(micros, credit_value_nano())


def _chart(view: UsageView, series: list[Series]) -> Chart:
    is_one_day = view.span.first == view.span.last
    return stacked_bars(
        days=days_between(view.span.first, view.span.last),
        series=series,
        today=view.today,
        height=_CHART_HEIGHT,
        day_href=None if is_one_day else lambda day: view.on(day).href() if day <= view.today else "",
        series_href=lambda key: _narrowed_href(view, key),
    )


def _narrowed_href(view: UsageView, key: str) -> str:
    """The address that shows only this part, or all of them again."""
    name = {By.MODEL: "model", By.KEY: "key_id", By.USER: "person_id", By.SOURCE: "source"}.get(view.by)
    if not key or name is None:
        return ""
    return view.narrowed(**{name: None if getattr(view.filters, name) == key else key}).href()


def _line(item: Item, view: UsageView, names: Names, css: Mapping[str, str], total: Sums) -> Line:
    if view.by == By.DAY:
        day = next(day for day in days_between(view.span.first, view.span.last) if str(day) == item.key)
        return _written(item.sums, total, day_long(day), view.on(day).href(), "s0")
    key = item.key or ""
    return _written(item.sums, total, name_of(item, view.by, names), _narrowed_href(view, key), css.get(key, "s-other"))


def _written(sums: Sums, total: Sums, name: str = "Total", href: str = "", css: str = "") -> Line:
    share = Fraction(sums.credits_micros, total.credits_micros) if total.credits_micros else Fraction(0)
    return Line(
        css=css,
        name=name,
        href=href,
        requests=number(sums.requests),
        errors=number(sums.errors) if sums.errors else "–",
        prompt=sums.prompt_tokens,
        cached=sums.cached_tokens,
        completion=sums.completion_tokens,
        credits=credit_amount(sums.credits_micros),
        credits_exact=f"{credits_exact(sums.credits_micros)} credits",
        share=percent(share),
        share_permille=round(share * 1000),
        nano_usd=sums.cost_nano_usd,
        latency=_pair(sums.latency_ms(50), sums.latency_ms(95)),
        first_token=_first_token(sums),
    )
