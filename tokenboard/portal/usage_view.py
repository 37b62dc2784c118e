"""What the address of a usage page asks for, and the addresses of its neighbours. Pure.

    /usage?days=7&by=key&model=gpt-4o&source=chat&person=<id>&key=<id>&status=failed&cursor=…
    /usage?from=2026-11-01&to=2026-11-12

Laws: the address holds the whole view, so that each view is a link; what cannot be read is refused by name (422); a
value that is the default is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import clean_text, parse_day, parse_id
from tokenboard.metering.usage_rules import By, Filters, Span
from tokenboard.web.charts import LONGEST_PERIOD_DAYS

PATH, CSV_PATH, LOG_CSV_PATH = "/usage", "/usage.csv", "/usage/requests.csv"
SPANS = {1: "Today", 7: "7 days", 30: "30 days", 90: "90 days"}
USUAL_DAYS = 30
LONGEST_MODEL, LONGEST_CURSOR = 120, 80
SOURCE_WORDS = {
    "chat": "Chat",
    "gateway": "API",
    "key": "Key at LiteLLM",
    "openwebui": "Open WebUI",
    "openwebui_direct": "Open WebUI at LiteLLM",
}
STATUS_WORDS = {
    "ok": "done",
    "stopped": "stopped",
    "length": "cut at its limit",
    "interrupted": "broken off",
    "failed": "failed",
    "refused": "refused",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UsageView:
    """One view of the page, seen on a day. `days` is a span that ends today; None: a span of its own."""

    today: date
    span: Span
    days: int | None = USUAL_DAYS
    by: By = By.MODEL
    filters: Filters = Filters()
    # Known of single requests only: it narrows the log and leaves the sums as they are.
    status: str | None = None
    cursor: str | None = None

    @property
    def logged(self) -> Filters:
        """What the log is narrowed to."""
        return replace(self.filters, status=self.status)

    @property
    def is_filtered(self) -> bool:
        return self.filters != Filters()

    def changed(self, **changes: Any) -> UsageView:
        """Another view; whatever changes, its log begins at the newest request."""
        return replace(self, **({"cursor": None} | changes))

    def narrowed(self, **filters: str | None) -> UsageView:
        """The same with other filters."""
        return self.changed(filters=replace(self.filters, **filters))

    def over(self, days: int) -> UsageView:
        """The same over so many days up to today."""
        return self.changed(days=days, span=last_days(days, self.today))

    def on(self, day: date) -> UsageView:
        """The same for one day."""
        return self.changed(days=None, span=Span(day, day))

    def fields(self) -> dict[str, str]:
        """The query, without what is the default."""
        has_own_span = self.days is None
        shown = {
            "days": None if has_own_span or self.days == USUAL_DAYS else str(self.days),
            "from": str(self.span.first) if has_own_span else None,
            "to": str(self.span.last) if has_own_span else None,
            "by": None if self.by == By.MODEL else self.by.value,
            "model": self.filters.model,
            "source": self.filters.source,
            "key": self.filters.key_id,
            "person": self.filters.person_id,
            "status": self.status,
            "cursor": self.cursor,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def href(self, path: str = PATH) -> str:
        """The address of this view."""
        query = urlencode(self.fields())
        return f"{path}?{query}" if query else path


def last_days(days: int, today: date) -> Span:
    """So many days up to today, today included."""
    return Span(today - timedelta(days=days - 1), today)


def read_view(given: Mapping[str, str], today: date) -> UsageView:
    """Read an address's query. Raises: ValidationFailed, naming what cannot be read."""
    faults: dict[str, list[str]] = {}

    def read(name: str, reader: Callable[[str], T]) -> T | None:
        text = given.get(name, "")
        try:
            return reader(text) if text else None
        except ValueError as error:
            faults[name] = [str(error)]
            return None

    first, last = read("from", parse_day), read("to", parse_day)
    days = read("days", lambda text: int(_one_of(text, [str(one) for one in SPANS])))
    view = UsageView(
        today=today,
        span=last_days(days or USUAL_DAYS, today),
        days=days or USUAL_DAYS,
        by=By(read("by", lambda text: _one_of(text, list(By))) or By.MODEL),
        filters=Filters(
            model=read("model", lambda text: clean_text(text, longest=LONGEST_MODEL)),
            source=read("source", lambda text: _one_of(text, list(SOURCE_WORDS))),
            key_id=read("key", parse_id),
            person_id=read("person", parse_id),
        ),
        status=read("status", lambda text: _one_of(text, list(STATUS_WORDS))),
        cursor=read("cursor", lambda text: clean_text(text, longest=LONGEST_CURSOR)),
    )
    if faults:
        which = ", ".join(f"“{name}”" for name in faults)
        raise ValidationFailed(faults, f"This address cannot be read: look at {which}.")
    if days or not (first or last):
        return view
    own = _own_span(first, last, today)
    usual = next((days for days in SPANS if last_days(days, today) == own), None)
    return replace(view, days=usual, span=own)


def _own_span(first: date | None, last: date | None, today: date) -> Span:
    until = last or max(first or today, today)
    span = Span(first or until - timedelta(days=USUAL_DAYS - 1), until)
    if (span.last - span.first).days >= LONGEST_PERIOD_DAYS:
        raise ValidationFailed({"from": [f"At most {LONGEST_PERIOD_DAYS} days at once."]})
    return span


def _one_of(text: str, choices: list[Any]) -> str:
    if text not in choices:
        raise ValueError(f"One of: {', '.join(choices)}.")
    return text
