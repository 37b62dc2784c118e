"""Stacked bars: days and amounts in, places and finished texts out."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from tokenboard.core.money import NANO_PER_USD as USD
from tokenboard.web.charts import OTHER_KEY, PATH_WIDTH, Chart, Series, fold_series, stacked_bars

FIRST = date(2026, 10, 1)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(count)]


def week(**more: object) -> Chart:
    """Seven days of two models; the fourth day is a zero day."""
    gpt = Series("gpt", "gpt-5.2", [10 * USD, 20 * USD, 30 * USD, 0, 50 * USD, 60 * USD, 70 * USD])
    tts = Series("tts", "tts-2", [5 * USD, 5 * USD, 5 * USD, 0, 5 * USD, 5 * USD, 5 * USD])
    return stacked_bars(days=days(7), series=[gpt, tts], **more)  # type: ignore[arg-type]


def boxes(path: str) -> list[tuple[float, float, float]]:
    """(left, bottom, height) of every box of a layer; heights of rounded ones include their shoulders."""
    found = re.findall(r"M([\d.]+) ([\d.]+)v-([\d.]+)(a2.5)?", path)
    return [(float(x), float(y), float(v) + (2.5 if arc else 0)) for x, y, v, arc in found]


def test_the_six_largest_series_keep_their_names_and_the_rest_becomes_one() -> None:
    series = [Series(str(n), f"model {n}", [n * USD, n]) for n in range(1, 10)]
    folded = fold_series(series)
    assert [one.name for one in folded] == [*(f"model {n}" for n in range(9, 3, -1)), "3 others"]
    assert folded[-1] == Series(OTHER_KEY, "3 others", [6 * USD, 6])


def test_folding_loses_no_nano_dollar() -> None:
    series = [Series(str(n), str(n), [n * 7, n * 11]) for n in range(40)]
    assert sum(one.total_nano for one in fold_series(series)) == sum(one.total_nano for one in series)


def test_few_series_are_only_sorted() -> None:
    assert [one.key for one in fold_series([Series("a", "a", [1]), Series("b", "b", [2])])] == ["b", "a"]


def test_every_day_has_a_bar_a_row_and_its_share_of_the_width() -> None:
    chart = week()
    assert [bar.iso for bar in chart.bars] == [on.isoformat() for on in days(7)]
    assert [row.iso for row in chart.rows] == [on.isoformat() for on in days(7)]
    assert chart.bars[0].x_percent == 0
    assert chart.bars[-1].x_percent + chart.bars[-1].width_percent == pytest.approx(100, abs=0.01)


def test_a_zero_day_has_a_bar_that_answers_but_no_box() -> None:
    chart = week()
    assert chart.bars[3].fill_height == 0
    assert chart.rows[3].total == "$0.00"
    assert [len(boxes(layer.path)) for layer in chart.layers] == [6, 6]


def test_boxes_stand_on_each_other_in_the_order_of_the_series() -> None:
    chart = week()
    lower, upper = (boxes(layer.path) for layer in chart.layers)
    for below, above in zip(lower, upper, strict=True):
        assert above[0] == below[0]
        assert above[1] == pytest.approx(below[1] - below[2] - 1.0, abs=0.11)  # a hairline between them


def test_the_height_of_a_bar_is_proportional_to_its_amount() -> None:
    chart = week()  # the axis ends at $75 or above; 75 dollars is the last day
    last, first = chart.bars[6], chart.bars[0]
    assert last.fill_height == pytest.approx(5 * first.fill_height, abs=0.6)


def test_texts_are_finished() -> None:
    chart = week()
    assert chart.total == "$270.00"
    assert [(key.css, key.name, key.total) for key in chart.legend] == [
        ("s0", "gpt-5.2", "$240"),
        ("s1", "tts-2", "$30"),
    ]
    assert chart.rows[0].cells == ("$10.00", "$5.00")
    assert chart.bars[0].label == "Thu 1 Oct 2026: $15.00"


def test_today_is_marked_and_said_to_be_unfinished() -> None:
    chart = week(today=days(7)[6])
    assert [bar.is_today for bar in chart.bars] == [False] * 6 + [True]
    assert chart.bars[6].label == "Wed 7 Oct 2026: $75.00, so far"
    assert chart.has_today


def test_the_forecast_is_an_outline_above_what_is_spent_and_over_the_days_to_come() -> None:
    ahead = [None] * 4 + [60 * USD, 100 * USD, 100 * USD]
    chart = stacked_bars(
        days=days(7), series=[Series("a", "a", [9 * USD] * 5 + [0, 0])], today=days(7)[4], forecast=ahead
    )
    assert [bar.forecast_top is not None for bar in chart.bars] == [False] * 4 + [True] * 3
    today, tomorrow = chart.bars[4], chart.bars[5]
    assert today.forecast_top is not None
    assert today.forecast_top + today.forecast_height == pytest.approx(today.top)
    assert tomorrow.label == "Tue 6 Oct 2026: forecast $100.00"
    assert (chart.rows[5].total, chart.rows[5].cells, chart.rows[5].forecast) == ("–", ("–",), "$100.00")


def test_a_day_beyond_its_forecast_has_no_outline() -> None:
    assert week(today=days(7)[6], forecast=[None] * 6 + [10 * USD]).bars[6].forecast_top is None


def test_the_forecast_raises_the_axis() -> None:
    assert week(forecast=[None] * 6 + [990 * USD]).ticks[-1].label == "$1,000"


def test_a_revised_day_carries_a_ring_and_its_note() -> None:
    chart = week(revised={days(7)[1]: "was $41.20"})
    assert [bar.is_revised for bar in chart.bars] == [False, True, False, False, False, False, False]
    assert chart.rows[1].note == "was $41.20"
    assert "was $41.20" in chart.bars[1].label


def test_days_and_series_may_be_links_but_the_rest_is_not_one() -> None:
    series = [*(Series(str(n), str(n), [USD]) for n in range(8))]
    chart = stacked_bars(
        days=days(1),
        series=fold_series(series),
        day_href=lambda on: f"/?day={on}",
        series_href=lambda key: f"/?model={key}",
    )
    assert chart.bars[0].href == "/?day=2026-10-01"
    assert chart.legend[0].href == "/?model=0"
    assert chart.legend[-1].href is None
    assert chart.legend[-1].css == "s-other"


def test_a_credit_note_hangs_below_the_zero_line() -> None:
    chart = stacked_bars(days=days(2), series=[Series("a", "a", [30 * USD, -10 * USD])])
    zero = next(tick.y for tick in chart.ticks if tick.is_zero)
    assert chart.ticks[0].label.startswith("−$")
    assert chart.bars[1].top == zero
    assert boxes(chart.layers[0].path)[1][1] > zero


def test_nothing_spent_is_still_a_chart() -> None:
    chart = stacked_bars(days=days(31), series=[])
    assert chart.is_empty
    assert len(chart.bars) == 31
    assert [tick.label for tick in chart.ticks] == ["$0", "$0.25", "$0.50", "$0.75", "$1.00"]


@pytest.mark.parametrize("count", [7, 31, 90, 366])
def test_a_year_is_drawn_with_few_elements(count: int) -> None:
    series = [Series(str(n), str(n), [USD * (n + 1)] * count) for n in range(7)]
    chart = stacked_bars(days=days(count), series=series)
    assert len(chart.layers) == 7
    assert len(chart.bars) == count
    assert 2 <= len([label for label in chart.day_labels if label.on_phones]) <= 6
    assert len(chart.day_labels) <= 14


def test_a_bar_in_a_year_keeps_its_colours_without_gaps() -> None:
    series = [Series(str(n), str(n), [USD] * 366) for n in range(2)]
    lower, upper = (boxes(layer.path)[0] for layer in stacked_bars(days=days(366), series=series).layers)
    assert upper[1] == pytest.approx(lower[1] - lower[2], abs=0.11)


@pytest.mark.parametrize("count", [0, 367])
def test_periods_have_a_limit(count: int) -> None:
    with pytest.raises(ValueError, match="a chart shows 1 to 366 days"):
        stacked_bars(days=days(count), series=[])


def test_a_series_with_a_missing_day_is_refused() -> None:
    with pytest.raises(ValueError, match="one amount for every day"):
        stacked_bars(days=days(7), series=[Series("a", "a", [1] * 6)])


amounts = st.integers(min_value=-(10**13), max_value=10**15)


@given(st.lists(st.lists(amounts, min_size=5, max_size=5), min_size=0, max_size=8))
def test_whatever_the_amounts_all_is_inside_the_picture(values: list[list[int]]) -> None:
    chart = stacked_bars(days=days(5), series=[Series(str(n), str(n), row) for n, row in enumerate(values)])
    assert not any(isinstance(value, float) and value != value for value in asdict(chart).values())
    for layer in chart.layers:
        for left, bottom, height in boxes(layer.path):
            assert 0 <= left <= PATH_WIDTH
            assert -1 <= bottom - height <= bottom <= chart.height
