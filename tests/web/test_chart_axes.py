"""Round amounts up the side, few enough days along the bottom."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from tokenboard.core.money import BIGINT_MAX, NANO_PER_USD as USD
from tokenboard.web.chart_axes import Scale, axis_label, day_labels, nice_ticks


@pytest.mark.parametrize(
    ("high_nano", "labels"),
    [
        (137 * USD, ["$0", "$50", "$100", "$150"]),
        (150 * USD, ["$0", "$50", "$100", "$150"]),
        (999 * USD, ["$0", "$250", "$500", "$750", "$1,000"]),
        (12_345 * USD, ["$0", "$5k", "$10k", "$15k"]),
        (1 * USD, ["$0", "$0.25", "$0.50", "$0.75", "$1.00"]),
        (4_200_000, ["$0", "$0.002", "$0.004", "$0.006"]),
        (0, ["$0", "$0.25", "$0.50", "$0.75", "$1.00"]),
    ],
)
def test_ticks_are_round_and_labels_carry_the_decimals_they_need(high_nano: int, labels: list[str]) -> None:
    ticks = nice_ticks(high_nano)
    assert [axis_label(nano, ticks[1] - ticks[0]) for nano in ticks] == labels


@given(st.integers(0, BIGINT_MAX), st.integers(-BIGINT_MAX, 0))
def test_ticks_hold_every_amount_between_them(high: int, low: int) -> None:
    ticks = nice_ticks(high, low)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 0 in ticks
    assert 2 <= len(ticks) <= 7
    assert len({after - before for before, after in pairwise(ticks)}) == 1


def labels(count: int, first: date = date(2026, 1, 1)) -> tuple[list[str], list[str]]:
    days = [first + timedelta(days=n) for n in range(count)]
    shown = day_labels(days, Scale(0, 1, 100, count))
    return [one.text for one in shown], [one.text for one in shown if one.on_phones]


def test_a_week_names_every_day_on_a_desk() -> None:
    wide, narrow = labels(7)
    assert len(wide) == 7
    assert len(narrow) == 4


def test_a_month_names_every_third_day() -> None:
    wide, narrow = labels(31)
    assert wide[:3] == ["1\N{NO-BREAK SPACE}Jan", "4\N{NO-BREAK SPACE}Jan", "7\N{NO-BREAK SPACE}Jan"]
    assert set(narrow) < set(wide)


def test_a_year_names_its_months_and_says_the_year_in_january() -> None:
    wide, _ = labels(365, first=date(2025, 11, 1))
    assert wide[:4] == ["Nov", "Dec", "Jan 2026", "Feb"]
    assert len(wide) == 12
