"""What changed between two periods, and which days stand out. Pure.

Laws: movers are ranked by the size of their change in money, not in percent. The day since when comes from the
cumulative sum of what each day lay above the same weekday of the period before (CUSUM): the day after its extreme. A
shift in the first days is no shift: it was so all along. Units: nano-USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from tokenboard.core.clock import days_between
from tokenboard.core.money import NANO_PER_USD
from tokenboard.costs.forecast_rules import usual_day
from tokenboard.costs.period_rules import Period

SENTENCES = 3
SMALLEST_CHANGE_NANO = NANO_PER_USD // 100  # a cent
SPIKE_PERCENT = 60  # of the change, on one day
SHIFT_MARGIN_DAYS = 3
UNUSUAL_FACTOR = 2
UNUSUAL_FROM_NANO = 5 * NANO_PER_USD  # a day has to be worth a look


class Course(StrEnum):
    """How a change came about."""

    STARTED = "started"  # nothing before, something now
    STOPPED = "stopped"  # something before, nothing now
    SPIKED = "spiked"  # most of it on one day
    SHIFTED = "shifted"  # more or less than before since a day within the period
    STEADY = "steady"  # more or less than before all along
    PLAIN = "plain"  # too few days to say how


@dataclass(frozen=True, slots=True)
class Mover:
    """One part of the bill whose amount changed."""

    key: str
    now_nano: int
    before_nano: int
    course: Course
    on: date | None  # the spike's day, the first day of a shift, the first or last day with a cost
    on_nano: int = 0  # a spike's amount

    @property
    def change_nano(self) -> int:
        return self.now_nano - self.before_nano


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """A day far above its weekday's usual amount."""

    on: date
    nano: int
    usual_nano: int


def movers(
    daily: Mapping[str, Mapping[date, int]], current: Period, previous: Period, limit: int = SENTENCES
) -> list[Mover]:
    """The parts that changed most, largest first."""
    found = [_mover(key, days, current, previous) for key, days in daily.items()]
    worth = [one for one in found if abs(one.change_nano) >= SMALLEST_CHANGE_NANO]
    return sorted(worth, key=lambda one: (-abs(one.change_nano), one.key))[:limit]


def _mover(key: str, days: Mapping[date, int], current: Period, previous: Period) -> Mover:
    values = [days.get(day, 0) for day in current.days]
    earlier = {day: nano for day, nano in days.items() if previous.holds(day)}
    now, before = sum(values), sum(earlier.values())
    if not before and any(values):
        return Mover(key, now, before, Course.STARTED, _first_cost(current, values))
    if not now and any(earlier.values()):
        return Mover(key, now, before, Course.STOPPED, max(day for day, nano in earlier.items() if nano))
    return Mover(key, now, before, *_course(values, earlier, current, previous))


def _first_cost(current: Period, values: Sequence[int]) -> date:
    return current.first + timedelta(days=next(index for index, nano in enumerate(values) if nano))


def _course(
    values: Sequence[int], earlier: Mapping[date, int], current: Period, previous: Period
) -> tuple[Course, date | None, int]:
    """How the amounts came to differ from the period before."""
    if current.length < 2 * SHIFT_MARGIN_DAYS:
        return Course.PLAIN, None, 0
    usual = _weekday_means(earlier, previous)
    excess = [nano - usual[day.weekday()] for nano, day in zip(values, current.days, strict=True)]
    change = sum(excess)
    largest = max(range(len(excess)), key=lambda index: excess[index])
    if excess[largest] * 100 >= SPIKE_PERCENT * change > 0:
        return Course.SPIKED, current.first + timedelta(days=largest), values[largest]
    since = _shift_start(excess if change >= 0 else [-one for one in excess])
    return (Course.SHIFTED, current.first + timedelta(days=since), 0) if since else (Course.STEADY, None, 0)


def _weekday_means(earlier: Mapping[date, int], previous: Period) -> list[Fraction]:
    """What a Monday, Tuesday, … cost on average; the mean of all days where a period has no two of each."""
    if previous.length < 2 * 7:
        return [Fraction(sum(earlier.values()), previous.length)] * 7
    days = [[earlier.get(day, 0) for day in previous.days if day.weekday() == weekday] for weekday in range(7)]
    return [Fraction(sum(amounts), len(amounts)) for amounts in days]


def _shift_start(excess: Sequence[Fraction]) -> int:
    """The index after the lowest point of the running sum, where it begins to climb for good; 0 near either end."""
    running, lowest, start = Fraction(0), Fraction(0), 0
    for index, one in enumerate(excess):
        running += one
        if running < lowest:
            lowest, start = running, index + 1
    return start if SHIFT_MARGIN_DAYS <= start <= len(excess) - SHIFT_MARGIN_DAYS else 0


def unusual_days(totals: Mapping[date, int], period: Period, known_since: date | None) -> list[UnusualDay]:
    """Days at least twice their weekday's usual amount, as it was known before them."""
    found = []
    for day in days_between(period.first, period.last):
        nano = totals.get(day, 0)
        if nano < UNUSUAL_FROM_NANO:
            continue
        usual = usual_day(day, totals, known_since)
        if usual is not None and nano >= UNUSUAL_FACTOR * usual:
            found.append(UnusualDay(day, nano, usual))
    return found
