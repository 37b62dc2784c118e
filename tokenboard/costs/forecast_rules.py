"""Where a month will end: what is booked, and a usual day for each day to come. Pure; integers and fractions only.

A usual day is the mean of the same weekday over the last six weeks of settled days, newer weeks weighing more, with a
runaway day counted as at most half again its weekday's median. With less than two weeks of history every weekday is
the mean of all known days. The band holds four outcomes in five if days keep scattering as they did: for `n` days to
come and `m` days looked at, the variance of their sum is `n·(1 + n/m)` times that of one day.
Laws: a month that is over is its actual total; nothing expected ever lowers what is booked. Units: nano-USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import isqrt

from tokenboard.core.clock import Month, days_between
from tokenboard.costs.period_rules import SETTLING_DAYS

WEEKS = 6
HISTORY_DAYS = WEEKS * 7 + SETTLING_DAYS  # what a forecast wants to see of the days before today
WEEKDAYS_FROM_DAYS = 14  # two of each weekday at least
SURE_FROM_DAYS = 7  # below this a forecast is a first guess and warns nobody
RUNAWAY = Fraction(3, 2)
BAND = Fraction(128, 100)  # standard deviations either side that hold 80 %


@dataclass(frozen=True, slots=True)
class Forecast:
    """A month's end. `expected` holds today and the days to come, each with the total it should reach."""

    month: Month
    booked_nano: int
    total_nano: int
    low_nano: int
    high_nano: int
    expected: Mapping[date, int]
    known_days: int

    @property
    def is_over(self) -> bool:
        """Whether the month has ended, so that this is no forecast any more."""
        return not self.expected

    @property
    def is_sure(self) -> bool:
        """Whether there is enough history to warn somebody."""
        return self.known_days >= SURE_FROM_DAYS or self.is_over


def forecast(month: Month, today: date, totals: Mapping[date, int], known_since: date | None) -> Forecast:
    """The month's end, from daily totals of the month and of the weeks before today.

    `known_since` is the first day with a bill at all: earlier days are unknown, not free.
    """
    booked = sum(totals.get(day, 0) for day in month.days if day <= today)
    ahead = [day for day in month.days if day >= today]
    if not ahead:
        return Forecast(month, booked, booked, booked, booked, {}, 0)
    history = _history(today, totals, known_since)
    usual = _usual_days(history, totals.get(today, 0))
    expected = {day: max(usual[day.weekday()], totals.get(today, 0) if day == today else 0) for day in ahead}
    total = booked - (totals.get(today, 0) if today in expected else 0) + sum(expected.values())
    half = _half_width(history, usual, len(ahead), total - booked)
    return Forecast(month, booked, total, max(booked, total - half), total + half, expected, len(history))


def usual_day(day: date, totals: Mapping[date, int], known_since: date | None) -> int | None:
    """What this weekday usually costs, seen from before `day`; None with less than two weeks to go by."""
    history = _history(day, totals, known_since)
    return _usual_days(history, 0)[day.weekday()] if len(history) >= WEEKDAYS_FROM_DAYS else None


def breaking_day(limit_nano: int, totals: Mapping[date, int], outlook: Forecast) -> date | None:
    """The day on which the month passes its limit for good, by the bill or by what is expected; None when it does not.

    A credit note may bring a month back below a limit it had passed.
    """
    so_far, broken_on = 0, None
    for day in outlook.month.days:
        so_far += outlook.expected.get(day, totals.get(day, 0))
        broken_on = (broken_on or day) if so_far > limit_nano else None
    return broken_on


def reached_on(amount_nano: int, month: Month, totals: Mapping[date, int]) -> date | None:
    """The day on which a month's bill reached an amount."""
    so_far = 0
    for day in month.days:
        so_far += totals.get(day, 0)
        if so_far >= amount_nano:
            return day
    return None


def _history(today: date, totals: Mapping[date, int], known_since: date | None) -> dict[date, int]:
    """The days to learn from, oldest first: settled ones; all closed ones while there are few. Unbilled days are 0."""
    if known_since is None:
        return {}
    closed = days_between(max(known_since, today - timedelta(days=HISTORY_DAYS)), today - timedelta(days=1))
    settled = [day for day in closed if day < today - timedelta(days=SETTLING_DAYS)]
    chosen = settled if len(settled) >= WEEKDAYS_FROM_DAYS else closed
    return {day: totals.get(day, 0) for day in chosen}


def _usual_days(history: Mapping[date, int], today_nano: int) -> list[int]:
    """A usual Monday, Tuesday, … Without any history, today so far is all there is to go by."""
    if not history:
        return [max(today_nano, 0)] * 7
    if len(history) < WEEKDAYS_FROM_DAYS:
        return [max(0, _rounded(Fraction(sum(history.values()), len(history))))] * 7
    return [_usual([nano for day, nano in history.items() if day.weekday() == weekday]) for weekday in range(7)]


def _usual(values: list[int]) -> int:
    """The weighted mean of one weekday's amounts, oldest first: weights 1, 2, 3, …"""
    ceiling = _rounded(RUNAWAY * sorted(values)[len(values) // 2])
    tamed = [min(value, ceiling) if ceiling > 0 else value for value in values]
    weights = range(1, len(tamed) + 1)
    mean = Fraction(sum(weight * value for weight, value in zip(weights, tamed, strict=True)), sum(weights))
    return max(0, _rounded(mean))  # credit notes are no habit


def _half_width(history: Mapping[date, int], usual: list[int], ahead: int, to_come_nano: int) -> int:
    """Half of the band, at least half of what is still to come while there is less than a week to learn from."""
    if not history:
        return max(to_come_nano, 0)
    squares = sum((nano - usual[day.weekday()]) ** 2 for day, nano in history.items())
    variance = Fraction(squares, len(history)) * ahead * (1 + Fraction(ahead, len(history)))
    half = _rounded(BAND * isqrt(int(variance)))
    return half if len(history) >= SURE_FROM_DAYS else max(half, to_come_nano // 2)


def _rounded(amount: Fraction) -> int:
    """To the nearest nano-dollar, half to even. An estimate: nothing is booked by it."""
    return round(amount)
