"""How questions about a bill are asked: months, days, dimensions, as strict types for JSON calls.

Laws: a day is a UTC day, also where an instant in another zone is given; a period holds at most 400 days; whatever is
not understood is refused by name (422), never guessed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from tokenboard.core import clock
from tokenboard.core.clock import Month
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import parse_day, parse_month
from tokenboard.costs.bill_rules import By
from tokenboard.costs.period_rules import LONGEST_PERIOD_DAYS, Period
from tokenboard.web.api import Query

DEFAULT_TREND_DAYS = 30


def read_day(text: object) -> date:
    """A day, or the UTC day of an instant. Raises: ValueError."""
    if not isinstance(text, str):
        raise ValueError("A day is written YYYY-MM-DD.")
    day = parse_day(text)
    return day if len(text) == 10 else read_instant(text).date()


def read_instant(text: object) -> datetime:
    """An ISO instant in UTC; without a zone it is taken as UTC, a day as its last moment. Raises: ValueError."""
    if not isinstance(text, str):
        raise ValueError("An instant is written 2026-11-20T14:05:00Z.")
    day = parse_day(text)
    if len(text) == 10:
        return clock.midnight(day + timedelta(days=1)) - timedelta(microseconds=1)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("An instant is written 2026-11-20T14:05:00Z.") from error
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _read_month(text: object) -> Month:
    if not isinstance(text, str):
        raise ValueError("A month is written YYYY-MM.")
    return parse_month(text)


MonthText = Annotated[
    Month, PlainValidator(_read_month), WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"})
]
DayText = Annotated[
    date, PlainValidator(read_day), WithJsonSchema({"type": "string", "description": "YYYY-MM-DD or an instant"})
]
InstantText = Annotated[
    datetime, PlainValidator(read_instant), WithJsonSchema({"type": "string", "description": "an instant or a day"})
]
Source = Literal["organization", "personal"]


class SummaryQuery(Query):
    workspace_id: str | None = None
    month: MonthText | None = None
    as_of: InstantText | None = None


class BreakdownQuery(Query):
    workspace_id: str | None = None
    month: MonthText | None = None
    by: By = By.PROJECT
    source: Source | None = None


class TrendQuery(Query):
    workspace_id: str | None = None
    first: DayText | None = Field(None, alias="from")
    last: DayText | None = Field(None, alias="to")
    by: By | None = None
    source: Source | None = None
    as_of: InstantText | None = None

    @model_validator(mode="after")
    def _no_split_of_the_past(self) -> TrendQuery:
        if self.by and self.as_of:
            raise ValueError("Totals as of an instant are kept for the whole bill; leave `by` out.")
        return self

    def period(self) -> Period:
        """The days asked for; the last 30 when none are. Raises: ValidationFailed."""
        last = self.last or clock.today()
        first = self.first or last - timedelta(days=DEFAULT_TREND_DAYS - 1)
        if first > last:
            raise ValidationFailed({"from": ["It comes after `to`."]})
        if (last - first).days >= LONGEST_PERIOD_DAYS:
            raise ValidationFailed({"from": [f"A trend shows at most {LONGEST_PERIOD_DAYS} days."]})
        return Period(first, last)
