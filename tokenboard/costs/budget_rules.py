"""When a budget speaks: at half, at four fifths, when it is used up, and when the forecast says it will be. Pure.

Laws: a budget named for a month wins over the one for every month; a step is reached once a month; of several steps
reached at once only the highest is worth a message; a forecast speaks only while the budget still stands, and only
with a week of history behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol, TypeVar

from tokenboard.core.clock import Month
from tokenboard.core.money import NANO_PER_CENT
from tokenboard.costs.forecast_rules import Forecast, reached_on

PERCENT_STEPS = (50, 80, 100)
FORECAST_STEP = "forecast"
MOST_BUDGETS = 200  # of one workspace
LARGEST_CENTS = 100_000_000_000  # a thousand million dollars a month; in nano-USD it still fits a BIGINT


class MonthlyAmount(Protocol):
    """What these rules ask of a budget."""

    @property
    def project_id(self) -> str: ...
    @property
    def month(self) -> str: ...
    @property
    def amount_cents(self) -> int: ...


B = TypeVar("B", bound=MonthlyAmount)


@dataclass(frozen=True, slots=True)
class Triggered:
    """A step of a budget and the day on which it was, or would have been, reached."""

    step: str
    on: date


def limit_nano(budget: MonthlyAmount) -> int:
    """A budget's amount in the bill's own units."""
    return budget.amount_cents * NANO_PER_CENT


def in_force(budgets: Iterable[B], month: Month) -> dict[str, B]:
    """The budget of each project that holds in a month; '' is the whole workspace."""
    chosen: dict[str, B] = {}
    for budget in sorted(budgets, key=lambda one: one.month):  # '' first, so that the named month overwrites it
        if budget.month in ("", str(month)):
            chosen[budget.project_id] = budget
    return chosen


def steps_reached(limit: int, spent: int, outlook: Forecast) -> list[str]:
    """The steps a budget has reached, lowest first."""
    reached = [str(percent) for percent in PERCENT_STEPS if spent * 100 >= limit * percent]
    if "100" not in reached and outlook.is_sure and outlook.total_nano > limit:
        reached.append(FORECAST_STEP)
    return reached


def worth_sending(new_steps: Iterable[str]) -> list[str]:
    """Of the steps just reached, the highest percentage, and the forecast."""
    steps = list(new_steps)
    percents = [step for step in steps if step != FORECAST_STEP]
    return percents[-1:] + [step for step in steps if step == FORECAST_STEP]


def used_ratio(limit: int, spent: int) -> Decimal:
    """Spent as a part of the limit, six decimals."""
    return (Decimal(spent) / Decimal(limit)).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


def would_have_triggered(limit: int, month: Month, totals: Mapping[date, int]) -> list[Triggered]:
    """On which days of a month each percentage would have been reached."""
    days = ((percent, reached_on(-(-limit * percent // 100), month, totals)) for percent in PERCENT_STEPS)
    return [Triggered(str(percent), on) for percent, on in days if on is not None]
