"""Trend lines, shares, and the bar of a budget."""

from __future__ import annotations

from hypothesis import given, strategies as st

from tokenboard.web.meters import Share, budget_bar, shares, sparkline


def test_a_trend_ends_where_its_last_value_lies() -> None:
    line = sparkline([0, 5, 10], width=104, height=24)
    assert line.line == "M2.0 22.0L52.0 12.0L102.0 2.0"
    assert (line.last_x, line.last_y) == (102.0, 2.0)


def test_no_values_and_one_value_are_flat_lines() -> None:
    assert sparkline([]).line == "M2.0 30.0L118.0 30.0"
    assert sparkline([7]).line == "M2.0 2.0L118.0 2.0"


def test_shares_lie_end_to_end() -> None:
    assert shares([1, 1, 2]) == [Share(0.0, 25.0), Share(25.0, 25.0), Share(50.0, 50.0)]


def test_shares_of_nothing_have_no_width() -> None:
    assert shares([0, 0]) == [Share(0.0, 0.0), Share(0.0, 0.0)]


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=20).filter(any))
def test_shares_fill_the_bar(parts: list[int]) -> None:
    last = shares(parts)[-1]
    assert round(last.x_percent + last.width_percent, 6) == 100


def test_a_budget_is_in_order_near_its_limit_or_over_it() -> None:
    assert budget_bar(spent=1, forecast=2, limit=4).state == "ok"
    assert budget_bar(spent=1, forecast=5, limit=4).state == "near"
    assert budget_bar(spent=5, forecast=9, limit=4).state == "over"


def test_the_largest_of_the_three_fills_the_scale() -> None:
    bar = budget_bar(spent=1284, forecast=2010, limit=1800)
    assert (bar.spent_percent, bar.forecast_percent, bar.limit_percent) == (63.88, 100.0, 89.55)


def test_a_budget_without_anything_is_empty() -> None:
    assert budget_bar(spent=0, forecast=0, limit=0).spent_percent == 0
