"""Spans of UTC days, what they are compared with, and how far a bill is to be trusted. Pure.

Laws: a period's last day is included. A month under way is compared with as many days of the month before it, so that
like stands against like. Words of state: *settled* (the provider no longer changes the day), *settling* (it may),
*estimated* (days to come).
Source: reference/openai-admin.md A3: no official figure for how long a day is revised; three days is ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from tokenboard.core import clock
from tokenboard.core.clock import Month

SETTLING_DAYS = 3
LONGEST_PERIOD_DAYS = 400


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return clock.days_between(self.first, self.last)

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last

    def joined(self, *others: Period) -> Period:
        """The shortest period that holds this one and the others."""
        return Period(
            min(self.first, *(one.first for one in others)),
            max(self.last, *(one.last for one in others)),
        )


def merged(periods: Iterable[Period]) -> tuple[Period, ...]:
    """The same days in as few periods as they take, oldest first."""
    found: list[Period] = []
    for one in sorted(periods, key=lambda period: period.first):
        if found and one.first <= found[-1].last + timedelta(days=1):
            found[-1] = found[-1].joined(one)
        else:
            found.append(one)
    return tuple(found)


class State(StrEnum):
    """How far a day's or a period's total is to be trusted."""

    SETTLED = "settled"
    SETTLING = "settling"
    ESTIMATED = "estimated"


def month_period(month: Month) -> Period:
    """All of a month."""
    return Period(month.first_day, month.last_day)


def last_days(count: int, today: date) -> Period:
    """So many days up to today, today included."""
    return Period(today - timedelta(days=count - 1), today)


def booked_part(period: Period, today: date) -> Period:
    """The part of a period that can have a bill: up to today. At least its first day."""
    return Period(period.first, max(period.first, min(period.last, today)))


def month_before(month: Month, today: date) -> Period:
    """What a month is compared with: the month before, up to the same day where the month is under way."""
    earlier = month.shift(-1)
    if not month.holds(today):
        return month_period(earlier)
    return Period(earlier.first_day, min(earlier.last_day, earlier.first_day + timedelta(days=today.day - 1)))


def days_before(period: Period) -> Period:
    """As many days, just before."""
    return Period(period.first - timedelta(days=period.length), period.first - timedelta(days=1))


def settled_to(today: date, synced_at: datetime | None) -> date | None:
    """The last day the provider no longer changes, as far as we have asked; None before the first sync."""
    if synced_at is None:
        return None
    return min(today, synced_at.date()) - timedelta(days=SETTLING_DAYS + 1)


def state_of(day: date, today: date, settled: date | None) -> State:
    """The word for one day's total."""
    if day > today:
        return State.ESTIMATED
    return State.SETTLED if settled is not None and day <= settled else State.SETTLING


class Revised(Protocol):
    """What a revision tells: the day, what it was, and when the change was seen."""

    @property
    def on(self) -> date: ...
    @property
    def old_nano(self) -> int: ...
    @property
    def seen_at(self) -> datetime: ...


def late_revisions(revisions: Iterable[Revised]) -> dict[date, int]:
    """Days that changed after they should have been settled, with what they were before that.

    Changes while a day is settling are the usual course of a bill and are not worth a mark.
    """
    found: dict[date, int] = {}
    for one in sorted(revisions, key=lambda revision: revision.seen_at):
        if one.seen_at.date() > one.on + timedelta(days=SETTLING_DAYS):
            found.setdefault(one.on, one.old_nano)
    return found
