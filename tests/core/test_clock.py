"""Months, days and instants in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import time_machine
from hypothesis import given, strategies as st

from tokenboard.core import clock
from tokenboard.core.clock import Month

MONTHS = st.builds(Month, st.integers(2000, 2199), st.integers(1, 12))


def test_the_day_changes_at_midnight_utc_wherever_the_machine_stands():
    in_nairobi = timezone(timedelta(hours=3))

    with time_machine.travel(datetime(2026, 3, 1, 1, 30, tzinfo=in_nairobi), tick=False):
        assert clock.today() == date(2026, 2, 28)
        assert clock.this_month() == Month(2026, 2)


@given(MONTHS)
def test_a_month_reads_back_what_it_writes(month: Month):
    assert Month.parse(str(month)) == month


@pytest.mark.parametrize(
    "text",
    ["2026-7", "2026-13", "2026-00", "26-07", "2026/07", " 2026-07", "2026-07-01", "1999-12", "2200-01", "", "٢٠٢٦-07"],
)
def test_anything_but_a_month_is_refused(text: str):
    with pytest.raises(ValueError):
        Month.parse(text)


@given(MONTHS, st.integers(-1200, 1200))
def test_moving_there_and_back_is_where_one_began(month: Month, steps: int):
    assert month.shift(steps).shift(-steps) == month


def test_a_month_ends_on_its_last_day_in_leap_years_too():
    assert Month(2028, 2).last_day == date(2028, 2, 29)
    assert Month(2027, 2).length == 28
    assert Month(2026, 12).shift(1) == Month(2027, 1)
    assert Month(2026, 1).shift(-1) == Month(2025, 12)


@given(MONTHS)
def test_a_months_days_are_those_it_holds(month: Month):
    assert len(month.days) == month.length
    assert all(month.holds(day) for day in month.days)
    assert not month.holds(month.first_day - timedelta(days=1))
    assert not month.holds(month.last_day + timedelta(days=1))


def test_instants_are_written_in_utc_with_z():
    assert clock.iso(datetime(2026, 11, 20, 12, 0, tzinfo=timezone(timedelta(hours=3)))) == "2026-11-20T09:00:00Z"
    assert clock.iso(datetime(2026, 11, 20, 12, 0)) == "2026-11-20T12:00:00Z"


def test_a_days_unix_time_is_its_first_instant():
    assert clock.unix_seconds(date(2026, 1, 1)) == 1_767_225_600
    assert clock.day_of(1_767_225_600) == date(2026, 1, 1)
    assert clock.day_of(1_767_225_599) == date(2025, 12, 31)
    assert clock.midnight(date(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)


def test_days_between_holds_both_ends_and_nothing_when_turned_round():
    first, last = date(2026, 2, 27), date(2026, 3, 1)

    assert clock.days_between(first, last) == [first, date(2026, 2, 28), last]
    assert clock.days_between(last, first) == []
