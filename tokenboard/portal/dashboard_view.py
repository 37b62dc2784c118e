"""What a dashboard's address asks for, and the addresses of its neighbours. Pure.

    /dashboard?month=2026-11&by=project&project=proj_x&provider=openai&name=…&day=2026-11-12&compare=0
    /dashboard?days=30&…

Laws: the address holds the whole view, so that each view is a link; what cannot be read is refused by name (422); a
value that is the default is left out; `-` stands for what the provider named nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from tokenboard.core.clock import Month
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import clean_text, parse_day, parse_month
from tokenboard.costs.bill_rules import By
from tokenboard.costs.period_rules import Period, booked_part, days_before, last_days, month_before, month_period

PROVIDERS = {"openai": "OpenAI", "anthropic": "Anthropic"}
SPANS = (7, 30, 90)
NAMELESS_WORD = "-"
LONGEST_KEY = 200
ARRIVING_DAYS = 180  # what a first reading brings (costs/sync_rules.py, BACKFILL_DAYS)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """One view of the dashboard, seen on a day."""

    today: date
    month: Month
    span_days: int | None = None
    by: By = By.PROJECT
    is_compared: bool = True
    project_id: str | None = None
    name: str | None = None
    day: date | None = None
    provider: str | None = None
    # A first reading is under way: until it is done the chart shows all the days it brings, and fills.
    is_arriving: bool = False

    @property
    def is_current_month(self) -> bool:
        return self.span_days is None and self.month.holds(self.today)

    @property
    def period(self) -> Period:
        """The days on the chart."""
        if self.is_arriving:
            return last_days(ARRIVING_DAYS, self.today)
        return last_days(self.span_days, self.today) if self.span_days else month_period(self.month)

    @property
    def booked(self) -> Period:
        """The days the totals are about: the picked day, else those up to today."""
        return Period(self.day, self.day) if self.day else booked_part(self.period, self.today)

    @property
    def compared_with(self) -> Period:
        """The earlier days of as much time: for a picked day the same weekday before it."""
        if self.day:
            return Period(self.day - timedelta(days=7), self.day - timedelta(days=7))
        return days_before(self.period) if self.span_days or self.is_arriving else month_before(self.month, self.today)

    @property
    def is_plain(self) -> bool:
        """Whether the address asked for no days of its own."""
        return self.span_days is None and self.day is None and self.month.holds(self.today)

    def changed(self, **changes: Any) -> View:
        return replace(self, **changes)

    def query(self) -> str:
        """The query string, without what is the default."""
        shown = {
            "month": None if self.span_days or self.month.holds(self.today) else str(self.month),
            "days": self.span_days,
            "by": None if self.by is By.PROJECT else self.by.value,
            "provider": self.provider,
            "project": _word(self.project_id),
            "name": _word(self.name),
            "day": self.day,
            "compare": None if self.is_compared else 0,
        }
        return urlencode({name: value for name, value in shown.items() if value is not None})

    def href(self, path: str = "/dashboard", **changes: Any) -> str:
        """The address of this view, or of one that differs from it."""
        query = (self.changed(**changes) if changes else self).query()
        return f"{path}?{query}" if query else path


def _word(key: str | None) -> str | None:
    return NAMELESS_WORD if key == "" else key


def read_view(given: Mapping[str, str], today: date) -> View:
    """Read an address's query. Raises: ValidationFailed, naming what cannot be read."""
    faults: dict[str, list[str]] = {}

    def read(name: str, reader: Callable[[str], T]) -> T | None:
        text = given.get(name, "")
        try:
            return reader(text) if text else None
        except ValueError as error:
            faults[name] = [str(error)]
            return None

    span = read("days", lambda text: _one_of(text, {str(days): days for days in SPANS}))
    month = read("month", lambda text: _begun(parse_month(text), today))
    view = View(
        today=today,
        month=month if month and not span else Month.of(today),
        span_days=span,
        by=read("by", lambda text: _one_of(text, {by.value: by for by in By})) or By.PROJECT,
        is_compared=given.get("compare", "1") != "0",
        project_id=read("project", _key),
        name=read("name", _key),
        provider=read("provider", lambda text: _one_of(text, {slug: slug for slug in PROVIDERS})),
    )
    day = read("day", lambda text: _within(parse_day(text), booked_part(view.period, today)))
    if faults:
        which = ", ".join(f"“{name}”" for name in faults)
        raise ValidationFailed(faults, f"This address cannot be read: look at {which}.")
    return view.changed(day=day)


def _one_of(text: str, choices: Mapping[str, T]) -> T:
    if text not in choices:
        raise ValueError(f"One of: {', '.join(choices)}.")
    return choices[text]


def _begun(month: Month, today: date) -> Month:
    if month > Month.of(today):
        raise ValueError("This month has not begun.")
    return month


def _within(day: date, period: Period) -> date | None:
    """A picked day; forgotten when the period moved away from under it."""
    return day if period.holds(day) else None


def _key(text: str) -> str:
    return "" if text == NAMELESS_WORD else clean_text(text, longest=LONGEST_KEY)
