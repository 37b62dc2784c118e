"""The geometry of our charts: days and amounts in, positions and finished texts out. Pure.

Laws: amounts stay integers (nano-USD); the floats here are places on a screen and are never read back as money. Every
day of the period is drawn, zero days included. Horizontal places are percentages of the plot's width and vertical ones
are pixels, so that one drawing serves a phone and a desk with letters of the same size (static/app.css, `.chart`).
Templates do no arithmetic: each number arrives as the text to print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from tokenboard.web.chart_axes import BOTTOM, TOP, DayLabel, Scale, Tick, axis_label, day_labels, nice_ticks
from tokenboard.web.filters import day_long, usd, usd_whole

OTHER_KEY = "__other__"
COLOURS = 6  # static/app.css paints s0 to s5; `other` has its own grey
PATH_WIDTH = 1000  # the paths' own horizontal units; stretched to the plot's width by the browser
SEGMENT_GAP, CORNER = 1.0, 2.5  # pixels between two boxes, and of a round shoulder
DENSE_DAYS = 120  # past this a bar is a few pixels wide and hairlines would be all one sees
LONGEST_PERIOD_DAYS = 366
WHOLE_DOLLARS_FROM = 100 * 10**9  # nano-USD in all: a legend of less shows cents

Forecast = Sequence[int | None] | None
Revisions = Mapping[date, str] | Iterable[date]


class Series(NamedTuple):
    """One colour of the stack: what it is called, and its amount for every day of the period."""

    key: str
    name: str
    values_nano: Sequence[int]

    @property
    def total_nano(self) -> int:
        return sum(self.values_nano)


@dataclass(frozen=True, slots=True)
class Layer:
    """All of one series as a single path in units of PATH_WIDTH by pixels."""

    css: str
    path: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: the area that answers to the pointer, the marks on it, and what is said about it."""

    iso: str
    x_percent: float
    width_percent: float
    centre_percent: float
    inner_x_percent: float
    inner_width_percent: float
    top: float
    fill_height: float
    forecast_top: float | None
    forecast_height: float
    ring_y: float
    label: str
    href: str | None
    is_today: bool
    is_revised: bool


@dataclass(frozen=True, slots=True)
class Key:
    """One legend item."""

    css: str
    name: str
    total: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One day of the data table; the tooltip reads the same cells."""

    iso: str
    day: str
    total: str
    cells: tuple[str, ...]
    forecast: str
    note: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the chart macro prints."""

    height: int
    path_width: int
    plot_top: float
    plot_height: float
    ticks: tuple[Tick, ...]
    day_labels: tuple[DayLabel, ...]
    layers: tuple[Layer, ...]
    bars: tuple[Bar, ...]
    legend: tuple[Key, ...]
    rows: tuple[Row, ...]
    total: str
    is_empty: bool
    has_today: bool
    has_forecast: bool
    has_revisions: bool


def fold_series(series: Iterable[Series], keep: int = COLOURS) -> list[Series]:
    """The `keep` largest by total, in that order, and one `other` with the sum of the rest, when there is a rest."""
    ranked = sorted(series, key=lambda one: (-one.total_nano, one.name))
    if len(ranked) <= keep:
        return ranked
    rest = ranked[keep:]
    sums = [sum(values) for values in zip(*(one.values_nano for one in rest), strict=True)]
    return [*ranked[:keep], Series(OTHER_KEY, "1 other" if len(rest) == 1 else f"{len(rest)} others", sums)]


@dataclass(frozen=True, slots=True)
class _Day:
    """What is known of one day before it has a place."""

    index: int
    on: date
    stack_nano: tuple[int, ...]
    forecast_nano: int | None
    is_today: bool
    is_ahead: bool
    note: str

    @property
    def high_nano(self) -> int:
        return sum(value for value in self.stack_nano if value > 0)

    @property
    def low_nano(self) -> int:
        return sum(value for value in self.stack_nano if value < 0)

    @property
    def total_nano(self) -> int:
        return sum(self.stack_nano)


def stacked_bars(
    *,
    days: Sequence[date],
    series: Sequence[Series],
    today: date | None = None,
    forecast: Forecast = None,
    revised: Revisions = (),
    height: int = 300,
    day_href: Callable[[date], str] | None = None,
    series_href: Callable[[str], str] | None = None,
) -> Chart:
    """Daily amounts as stacked bars.

    `series` comes folded (`fold_series`), in the legend's order, the first at the bottom. `forecast` is the expected
    total of each day in nano-USD, None where there is none: an outline over the days to come and over what is missing
    of today. `revised` are days whose amount changed after it was first seen, with a note such as "was $41.20".
    Raises: ValueError when lengths differ, or the period is empty or longer than 366 days.
    """
    facts = _facts(days, series, today, forecast, revised)
    high = max(max(one.high_nano, one.forecast_nano or 0) for one in facts)
    ticks = nice_ticks(high, min(one.low_nano for one in facts))
    scale = Scale(ticks[0], ticks[-1] - ticks[0], height - BOTTOM, len(facts))
    return Chart(
        height=height,
        path_width=PATH_WIDTH,
        plot_top=TOP,
        plot_height=scale.bottom - TOP,
        ticks=tuple(Tick(scale.y(nano), axis_label(nano, ticks[1] - ticks[0]), nano == 0) for nano in ticks),
        day_labels=day_labels(days, scale),
        layers=_layers(series, facts, scale),
        bars=tuple(_bar(one, scale, day_href) for one in facts),
        legend=_legend(series, series_href),
        rows=tuple(_row(one) for one in facts),
        total=usd(sum(one.total_nano for one in facts)),
        is_empty=not any(any(one.stack_nano) for one in facts),
        has_today=any(one.is_today and one.high_nano for one in facts),
        has_forecast=any(one.forecast_nano for one in facts),
        has_revisions=any(one.note for one in facts),
    )


def _facts(
    days: Sequence[date], series: Sequence[Series], today: date | None, forecast: Forecast, revised: Revisions
) -> list[_Day]:
    if not 1 <= len(days) <= LONGEST_PERIOD_DAYS:
        raise ValueError(f"a chart shows 1 to {LONGEST_PERIOD_DAYS} days, not {len(days)}")
    if any(len(one.values_nano) != len(days) for one in series):
        raise ValueError("every series needs one amount for every day")
    expected = [None] * len(days) if forecast is None else list(forecast)
    notes = revised if isinstance(revised, Mapping) else dict.fromkeys(revised, "revised")
    return [
        _Day(
            index=index,
            on=on,
            stack_nano=tuple(one.values_nano[index] for one in series),
            forecast_nano=ahead,
            is_today=on == today,
            is_ahead=today is not None and on > today,
            note=notes.get(on, ""),
        )
        for index, (on, ahead) in enumerate(zip(days, expected, strict=True))
    ]


def _layers(series: Sequence[Series], facts: Sequence[_Day], scale: Scale) -> tuple[Layer, ...]:
    """One path a series: 31 days of 6 series are 6 elements, not 186."""
    pieces: list[list[str]] = [[] for _ in series]
    for one in facts:
        up = down = 0
        highest = max((n for n, value in enumerate(one.stack_nano) if value > 0), default=-1)
        for position, value in enumerate(one.stack_nano):
            start = up if value > 0 else down
            if value:
                pieces[position].append(_segment(one.index, start, start + value, scale, position == highest))
            up, down = up + max(value, 0), down + min(value, 0)
    return tuple(Layer(colour(n, one.key), "".join(pieces[n])) for n, one in enumerate(series))


def _segment(index: int, start_nano: int, end_nano: int, scale: Scale, is_top: bool) -> str:
    """One box of a stack; the topmost has round shoulders, the others leave a hairline to their neighbour."""
    bottom, top = sorted((scale.y(start_nano), scale.y(end_nano)), reverse=True)
    has_gap = not is_top and bottom - top >= 3 * SEGMENT_GAP and scale.count <= DENSE_DAYS
    gap = SEGMENT_GAP if has_gap else 0.0
    x, width = scale.left(index) * PATH_WIDTH / 100, scale.bar_width * PATH_WIDTH / 100
    tall = round(max(bottom - top - gap, 0.6), 1)  # a cent on a day of hundreds is still a line
    low = round(bottom, 1)
    if not is_top or tall < 2 * CORNER or width < 4 * CORNER:
        return f"M{x:.1f} {low}v-{tall}h{width:.1f}v{tall}z"
    side, across = round(tall - CORNER, 1), width - 2 * CORNER
    arc = f"a{CORNER} {CORNER} 0 0 1 {CORNER}"
    return f"M{x:.1f} {low}v-{side}{arc} -{CORNER}h{across:.1f}{arc} {CORNER}v{side}z"


def _bar(one: _Day, scale: Scale, day_href: Callable[[date], str] | None) -> Bar:
    top = scale.y(one.high_nano)
    outline = scale.y(one.forecast_nano) if one.forecast_nano else None
    if outline is not None and outline >= top:
        outline = None  # the day has already passed what was expected of it
    return Bar(
        iso=one.on.isoformat(),
        x_percent=round(one.index * scale.slot, 3),
        width_percent=round(scale.slot, 3),
        centre_percent=round(scale.centre(one.index), 3),
        inner_x_percent=round(scale.left(one.index), 3),
        inner_width_percent=round(scale.bar_width, 3),
        top=top,
        fill_height=round(scale.y(one.low_nano) - top, 1),
        forecast_top=outline,
        forecast_height=0.0 if outline is None else round(top - outline, 1),
        ring_y=round(top - 6.5, 1),
        label=_spoken(one),
        href=day_href(one.on) if day_href else None,
        is_today=one.is_today,
        is_revised=bool(one.note),
    )


def _row(one: _Day) -> Row:
    texts = [_amount(one, value) for value in (one.total_nano, *one.stack_nano)]
    ahead = usd(one.forecast_nano) if one.forecast_nano else ""
    return Row(one.on.isoformat(), day_long(one.on), texts[0], tuple(texts[1:]), ahead, _note(one))


def _amount(one: _Day, nano: int) -> str:
    """A day to come has no amount yet, which is not the same as nothing spent."""
    return "–" if one.is_ahead and not nano else usd(nano)


def _spoken(one: _Day) -> str:
    """What a screen reader says of a bar."""
    ahead = f"forecast {usd(one.forecast_nano)}" if one.forecast_nano else ""
    facts = filter(None, [_amount(one, one.total_nano).strip("–"), ahead, _note(one)])
    return f"{day_long(one.on)}: {', '.join(facts) or 'no amount yet'}"


def _note(one: _Day) -> str:
    return " · ".join(filter(None, ["so far" if one.is_today else "", one.note]))


def _legend(series: Sequence[Series], series_href: Callable[[str], str] | None) -> tuple[Key, ...]:
    written = usd_whole if sum(one.total_nano for one in series) >= WHOLE_DOLLARS_FROM else usd
    links = {one.key: series_href(one.key) for one in series if series_href and one.key != OTHER_KEY}
    return tuple(
        Key(colour(n, one.key), one.name, written(one.total_nano), links.get(one.key)) for n, one in enumerate(series)
    )


def colour(position: int, key: str) -> str:
    """The class that paints a series."""
    return "s-other" if key == OTHER_KEY or position >= COLOURS else f"s{position}"
