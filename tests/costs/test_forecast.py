"""Where a month will end: worked examples, told with their numbers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as some

from tokenboard.core.clock import Month, days_between
from tokenboard.costs.forecast_rules import breaking_day, forecast, usual_day

NOVEMBER = Month(2026, 11)
TODAY = date(2026, 11, 20)  # a Friday
LONG_AGO = date(2026, 1, 1)
USD = 1_000_000_000


def _steady(nano: int, first: date = date(2026, 9, 1), last: date = TODAY) -> dict[date, int]:
    return dict.fromkeys(days_between(first, last - timedelta(days=1)), nano)


def test_steady_days_go_on_as_they_were():
    outlook = forecast(NOVEMBER, TODAY, _steady(10 * USD), LONG_AGO)

    assert outlook.booked_nano == 190 * USD
    assert outlook.total_nano == 300 * USD
    assert (outlook.low_nano, outlook.high_nano) == (300 * USD, 300 * USD)  # nothing ever scattered
    assert len(outlook.expected) == 11


def test_weekends_are_expected_to_be_quiet():
    days = {day: 10 * USD if day.weekday() < 5 else 2 * USD for day in _steady(0)}

    outlook = forecast(NOVEMBER, TODAY, days, LONG_AGO)

    assert outlook.expected[date(2026, 11, 21)] == 2 * USD
    assert outlook.expected[date(2026, 11, 23)] == 10 * USD
    assert outlook.total_nano == outlook.booked_nano + (7 * 10 + 4 * 2) * USD


def test_today_counts_with_what_it_should_reach_and_never_with_less_than_it_has():
    days = _steady(10 * USD)

    so_far = forecast(NOVEMBER, TODAY, days | {TODAY: 4 * USD}, LONG_AGO)
    past_it = forecast(NOVEMBER, TODAY, days | {TODAY: 25 * USD}, LONG_AGO)

    assert so_far.booked_nano == 194 * USD
    assert so_far.total_nano == 300 * USD
    assert past_it.expected[TODAY] == 25 * USD
    assert past_it.total_nano == 315 * USD


def test_one_runaway_day_does_not_run_away_with_the_forecast():
    runaway = date(2026, 11, 11)  # a Wednesday

    outlook = forecast(NOVEMBER, TODAY, _steady(10 * USD) | {runaway: 1_000 * USD}, LONG_AGO)

    assert 10 * USD < outlook.expected[date(2026, 11, 25)] <= 12 * USD
    assert outlook.high_nano - outlook.total_nano > 100 * USD  # but the band knows that such days happen


def test_scattering_days_make_a_band_and_booked_money_is_its_floor():
    days = {day: (5 + 10 * (day.day % 2)) * USD for day in _steady(0)}

    outlook = forecast(NOVEMBER, TODAY, days, LONG_AGO)

    assert outlook.booked_nano <= outlook.low_nano < outlook.total_nano < outlook.high_nano


def test_a_young_account_is_guessed_from_its_few_days():
    first = TODAY - timedelta(days=3)

    outlook = forecast(NOVEMBER, TODAY, _steady(6 * USD, first), first)

    assert outlook.total_nano == (3 + 11) * 6 * USD
    assert not outlook.is_sure
    assert outlook.high_nano - outlook.total_nano == 33 * USD  # half of what is still to come


def test_the_very_first_day_is_all_there_is_to_go_by():
    outlook = forecast(NOVEMBER, TODAY, {TODAY: 2 * USD}, TODAY)

    assert outlook.total_nano == 22 * USD
    assert not outlook.is_sure


def test_nothing_spent_forecasts_nothing():
    for known_since in (None, LONG_AGO):
        outlook = forecast(NOVEMBER, TODAY, {}, known_since)
        assert (outlook.total_nano, outlook.low_nano, outlook.high_nano) == (0, 0, 0)


def test_a_month_just_begun_is_forecast_from_the_one_before():
    outlook = forecast(Month(2026, 12), date(2026, 12, 1), _steady(10 * USD, last=date(2026, 12, 1)), LONG_AGO)

    assert outlook.booked_nano == 0
    assert outlook.total_nano == 310 * USD


def test_a_month_that_is_over_is_what_it_cost():
    outlook = forecast(Month(2026, 10), TODAY, _steady(10 * USD), LONG_AGO)

    assert outlook.is_over
    assert outlook.booked_nano == outlook.total_nano == outlook.low_nano == outlook.high_nano == 310 * USD


def test_the_last_three_days_are_still_settling_and_teach_nothing():
    late = {TODAY - timedelta(days=n): 0 for n in (1, 2, 3)}

    outlook = forecast(NOVEMBER, TODAY, _steady(10 * USD) | late, LONG_AGO)

    assert set(outlook.expected.values()) == {10 * USD}


@pytest.mark.parametrize(
    ("limit", "on"),
    [(100, date(2026, 11, 11)), (190, TODAY), (240, date(2026, 11, 25)), (299, date(2026, 11, 30)), (300, None)],
)
def test_the_day_on_which_a_budget_breaks(limit: int, on: date | None):
    days = _steady(10 * USD)

    assert breaking_day(limit * USD, days, forecast(NOVEMBER, TODAY, days, LONG_AGO)) == on


def test_a_credit_note_takes_a_broken_budget_back():
    days = _steady(10 * USD) | {date(2026, 11, 3): 500 * USD, date(2026, 11, 5): -490 * USD}
    outlook = forecast(NOVEMBER, TODAY, days, LONG_AGO)

    assert breaking_day(400 * USD, days, outlook) is None
    assert breaking_day(185 * USD, days, outlook) == TODAY


def test_a_usual_day_needs_two_weeks_of_history():
    days = _steady(10 * USD)

    assert usual_day(TODAY, days, LONG_AGO) == 10 * USD
    assert usual_day(TODAY, days, TODAY - timedelta(days=10)) is None


@given(
    totals=some.dictionaries(some.dates(date(2026, 9, 1), date(2026, 11, 20)), some.integers(-(10**12), 10**15)),
    month=some.sampled_from([Month(2026, 9), Month(2026, 10), Month(2026, 11), Month(2026, 12), Month(2027, 2)]),
    known_since=some.one_of(some.none(), some.dates(date(2026, 8, 1), TODAY)),
)
def test_whatever_was_billed_a_forecast_never_takes_it_back(totals, month, known_since):
    outlook = forecast(month, TODAY, totals, known_since)

    assert outlook.booked_nano == sum(nano for day, nano in totals.items() if month.holds(day))
    assert (
        outlook.booked_nano <= outlook.low_nano <= outlook.total_nano <= outlook.high_nano or min(totals.values()) < 0
    )
    assert outlook.booked_nano <= outlook.total_nano or totals.get(TODAY, 0) < 0
