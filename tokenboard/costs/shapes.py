"""Shapes of answers about providers' bills (answers.py), for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from tokenboard.web.shapes import (
    Cents,
    Count,
    Credits,
    Day,
    Id,
    Instant,
    MonthName,
    Name,
    Ratio,
    Sentence,
    Shape,
    Tokens,
    Usd,
    words,
)


class Connection(Shape):
    """A provider's sealed key and how it fares. The key itself is never told."""

    id: Id
    provider: Annotated[str, words("openai", "anthropic")]
    mode: Annotated[str, words("organization", "personal")]
    last4: str
    status: Annotated[str, words("active", "rejected", "removed")]
    last_synced_at: Instant | None
    last_error: Sentence | None


class Job(Shape):
    """One reading of a bill. `error` is also what a run that is done has to say."""

    id: Id
    status: Annotated[str, words("queued", "running", "done", "failed")]
    queued_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    days_done: Count
    days_total: Count
    error: Sentence | None


class Budget(Shape):
    """A limit for a month, of the workspace or of one project; without a month it holds for every month."""

    id: Id
    workspace_id: Id
    project_id: str | None
    month: MonthName | None
    amount_cents: Cents
    amount_usd: Usd
    created_at: Instant
    updated_at: Instant


class Point(Shape):
    """A UTC day of the trend; days without cost are 0."""

    date: Day
    total_usd: Usd
    series: dict[str, Usd]


class BreakdownItem(Shape):
    """One part of a bill, the largest first."""

    key: str
    name: Name
    usd: Usd
    share: Ratio
    tokens: Tokens = 0
    requests: Count = 0


class MonthBudget(Shape):
    """How much of the month's budget is used."""

    amount_usd: Usd
    remaining_usd: Usd
    used_ratio: Ratio


class Summary(Shape):
    """A month in a few numbers."""

    month: MonthName
    today_usd: Usd
    month_to_date_usd: Usd
    forecast_usd: Usd
    previous_month_usd: Usd
    budget: MonthBudget | None
    credits: Credits
    last_synced_at: Instant | None
    source: Annotated[str, words("organization", "personal", "litellm")]


class BudgetAlert(Shape):
    """A line that a budget has crossed."""

    id: Id
    kind: Annotated[str, words("budget")]
    step: str | int
    month: MonthName
    spent_usd: Usd
    limit_usd: Usd
    created_at: Instant
