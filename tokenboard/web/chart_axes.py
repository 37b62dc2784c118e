"""The axes of a chart: round amounts up the side, days along the bottom, and where an amount or a day lies. Pure.

Laws: amounts are integers (nano-USD); floats are places on a screen only. A label is finished text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tokenboard.core.money import NANO_PER_USD
from tokenboard.web.filters import MINUS, MONTHS, day

TOP, BOTTOM = 12, 28  # pixels above the plot for revision rings, below it for the days
LABEL_PIXELS = 68  # "30 Nov" in 12-pixel Inter is 41 wide; the rest is air
PLOT_PIXELS_WIDE, PLOT_PIXELS_NARROW = 900, 300
MONTH_LABELS_FROM_DAYS = 93


@dataclass(frozen=True, slots=True)
class Tick:
    """A horizontal line with its amount."""

    y: float
    label: str
    is_zero: bool


@dataclass(frozen=True, slots=True)
class DayLabel:
    """A day under the plot. `on_phones` says whether a narrow plot has room for it as well."""

    x_percent: float
    text: str
    on_phones: bool


def nice_ticks(high: int, low: int = 0, target: int = 4) -> list[int]:
    """Round amounts from at most `low` to at least `high`, about `target` steps of 1, 2, 2.5 or 5 times a power of ten.

    Units: whatever comes in, here nano-USD. `low` is at most 0; an empty span gets one dollar.
    """
    if high <= 0 and low >= 0:
        high = NANO_PER_USD
    high, low = max(high, 0), min(low, 0)
    step = _nice_step(high - low, target)
    return list(range(low // step * step, high + step, step))  # floor below; the last one is at or past `high`


def _nice_step(span: int, target: int) -> int:
    """The smallest nice step that covers `span` in at most `target` steps."""
    power = 1
    while True:  # bounded: `power` grows tenfold and a BIGINT has 19 digits
        for quarters in (4, 8, 10, 20):
            step = power * quarters // 4
            if step * target >= span and (power * quarters) % 4 == 0:
                return step
        power *= 10


def axis_label(nano: int, step_nano: int) -> str:
    """$150, $1,500, $20k, $0.25: as many decimals as the step needs, the same on every line of one axis."""
    sign, amount = (MINUS if nano < 0 else ""), abs(nano)
    if step_nano % (1000 * NANO_PER_USD) == 0 and step_nano >= 5000 * NANO_PER_USD:
        return f"{sign}${amount // (1000 * NANO_PER_USD):,}k" if amount else "$0"
    whole, rest = divmod(amount, NANO_PER_USD)
    decimals = len(f"{step_nano % NANO_PER_USD:09d}".rstrip("0"))
    decimals = max(2, decimals) if decimals else 0
    return f"{sign}${whole:,}" + (f".{rest:09d}"[: decimals + 1] if decimals and amount else "")


@dataclass(frozen=True, slots=True)
class Scale:
    """Amounts to pixels, days to percentages."""

    low_nano: int
    span_nano: int
    bottom: float
    count: int

    def y(self, nano: int) -> float:
        return round(
            self.bottom - (nano - self.low_nano) * (self.bottom - TOP) / self.span_nano,
            1,
        )

    @property
    def slot(self) -> float:
        return 100 / self.count

    @property
    def bar_width(self) -> float:
        return self.slot * (0.74 if self.count <= 62 else 0.8 if self.count <= 190 else 0.92)

    def centre(self, index: int) -> float:
        return (index + 0.5) * self.slot

    def left(self, index: int) -> float:
        return self.centre(index) - self.bar_width / 2


def day_labels(days: Sequence[date], scale: Scale) -> tuple[DayLabel, ...]:
    """The days that are named: few enough not to touch on a desk, and fewer of the same on a phone."""
    shown = _labelled(days, PLOT_PIXELS_WIDE)
    narrow = set(_labelled(days, PLOT_PIXELS_NARROW, among=shown))
    return tuple(DayLabel(round(scale.centre(index), 3), _day_label(days, index), index in narrow) for index in shown)


def _labelled(days: Sequence[date], pixels: int, among: Sequence[int] | None = None) -> list[int]:
    """Which days are named under a plot this wide: every so-manieth, or the first of each month past 92 days."""
    room = max(2, pixels // LABEL_PIXELS)
    candidates = list(among) if among is not None else list(range(len(days)))
    if among is None and len(days) >= MONTH_LABELS_FROM_DAYS:
        candidates = [index for index, one in enumerate(days) if one.day == 1]
    stride = -(-len(candidates) // room)
    return candidates[::stride]


def _day_label(days: Sequence[date], index: int) -> str:
    on = days[index]
    if len(days) < MONTH_LABELS_FROM_DAYS:
        return day(on)
    return f"{MONTHS[on.month - 1]} {on.year}" if on.month == 1 else MONTHS[on.month - 1]
