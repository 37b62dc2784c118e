"""The only place that asks what time it is. Instants are aware and in UTC; days are UTC days, as providers bill.

Laws: no `datetime.now()` or `date.today()` outside this module; only the demo tells a history (`standing_at`). Both
held by tests/house/test_laws.py.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

MONTH_FORMAT = "%Y-%m"
_told: ContextVar[datetime | None] = ContextVar("told_instant", default=None)


def now() -> datetime:
    """This instant, in UTC."""
    return _told.get() or datetime.now(UTC)


@contextmanager
def standing_at(instant: datetime) -> Iterator[None]:
    """What is done inside was done at this past instant: made-up history, written by the functions that write real one.

    For this thread or greenlet alone.
    """
    assert instant <= datetime.now(UTC), "a history is over"
    token = _told.set(instant)
    try:
        yield
    finally:
        _told.reset(token)


def today() -> date:
    """The UTC day of this instant."""
    return now().date()


def monotonic() -> float:
    """Seconds on a clock that never jumps; for durations only."""
    return time.monotonic()


def midnight(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def unix_seconds(day: date) -> int:
    """The unix time of a UTC day's first instant, as OpenAI's `start_time` wants it."""
    return int(midnight(day).timestamp())


def day_of(unix: int) -> date:
    """The UTC day that holds a unix time."""
    return datetime.fromtimestamp(unix, UTC).date()


def iso(instant: datetime) -> str:
    """An instant as the API writes it: ISO 8601, UTC, `Z`, whole seconds.

    A naive instant is taken as UTC: SQLite keeps no zone.
    """
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def days_between(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included; empty when `last` comes before `first`."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `YYYY-MM`. Raises: ValueError for anything else, `2026-7` included."""
        if len(text) != 7 or text[4] != "-" or not (text[:4] + text[5:]).isascii():
            raise ValueError("a month is written YYYY-MM")
        if not (text[:4].isdigit() and text[5:].isdigit()):
            raise ValueError("a month is written YYYY-MM")
        year, number = int(text[:4]), int(text[5:])
        if not (2000 <= year <= 2199 and 1 <= number <= 12):
            raise ValueError("a month is written YYYY-MM, from 2000-01 to 2199-12")
        return cls(year, number)

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return date(self.year, self.number, self.length)

    @property
    def length(self) -> int:
        return calendar.monthrange(self.year, self.number)[1]

    @property
    def days(self) -> list[date]:
        return days_between(self.first_day, self.last_day)

    def shift(self, months: int) -> Month:
        """This month moved by so many months."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    def holds(self, day: date) -> bool:
        return (day.year, day.month) == (self.year, self.number)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def this_month() -> Month:
    """The UTC month of this instant."""
    return Month.of(today())
