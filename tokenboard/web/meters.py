"""The geometry of small bars: a trend line beside a number, shares of a whole, spent against a budget. Pure.

Laws: amounts are integers; floats and percentages are places on a screen only. Texts are made by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SPARKLINE_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A line and the area under it, in a box of its own size."""

    width: int
    height: int
    line: str
    area: str
    last_x: float
    last_y: float


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a bar that stands for a whole."""

    x_percent: float
    width_percent: float


@dataclass(frozen=True, slots=True)
class BudgetBar:
    """Spent and forecast on one scale with the limit; the scale ends at the largest of the three."""

    spent_percent: float
    forecast_percent: float
    limit_percent: float
    state: str


def sparkline(values: Sequence[int], *, width: int = 120, height: int = 32) -> Sparkline:
    """A trend without axes, from zero. One value is a flat line; all zeros lie on the floor."""
    points = list(values) * 2 if len(values) == 1 else list(values) or [0, 0]
    high = max(*points, 1)
    floor, room = height - SPARKLINE_MARGIN, height - 2 * SPARKLINE_MARGIN
    step = (width - 2 * SPARKLINE_MARGIN) / (len(points) - 1)
    places = [
        (round(SPARKLINE_MARGIN + index * step, 1), round(floor - max(value, 0) * room / high, 1))
        for index, value in enumerate(points)
    ]
    line = "M" + "L".join(f"{x} {y}" for x, y in places)
    area = f"{line}L{places[-1][0]} {height}L{places[0][0]} {height}z"
    return Sparkline(width, height, line, area, *places[-1])


def shares(parts: Sequence[int]) -> list[Share]:
    """Parts laid end to end over 100 percent; a part of nothing has no width."""
    whole = sum(parts) or 1
    ends = [round(sum(parts[: index + 1]) * 100 / whole, 2) for index in range(len(parts))]
    starts = [0.0, *ends[:-1]]
    return [Share(start, round(end - start, 2)) for start, end in zip(starts, ends, strict=True)]


def budget_bar(*, spent: int, forecast: int, limit: int) -> BudgetBar:
    """Where spent, forecast and limit lie. `state` is ok, near (the forecast breaks the limit) or over."""
    whole = max(spent, forecast, limit, 1)
    state = "over" if spent > limit else "near" if forecast > limit else "ok"
    places = [round(max(part, 0) * 100 / whole, 2) for part in (spent, forecast, limit)]
    return BudgetBar(places[0], places[1], places[2], state)
