"""What changed between two periods, and which days stand out: worked examples."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as some

from tokenboard.core.clock import Month, days_between, midnight
from tokenboard.costs.change_rules import Course, movers, unusual_days
from tokenboard.costs.period_rules import (
    Period,
    State,
    booked_part,
    days_before,
    last_days,
    month_before,
    month_period,
    settled_to,
    state_of,
)

USD = 1_000_000_000
CURRENT, PREVIOUS = Period(date(2026, 11, 1), date(2026, 11, 20)), Period(date(2026, 10, 1), date(2026, 10, 20))


def _flat(nano: int, *periods: Period) -> dict[date, int]:
    return {day: nano for period in periods for day in period.days}


def _only(days: dict[date, int]):
    (found,) = movers({"it": days}, CURRENT, PREVIOUS)
    return found


def test_the_largest_changes_come_first_and_three_are_told():
    daily = {f"p{n}": _flat(USD, PREVIOUS) | _flat((1 + n) * USD, CURRENT) for n in range(5)}

    found = movers(daily, CURRENT, PREVIOUS)

    assert [(one.key, one.change_nano) for one in found] == [("p4", 80 * USD), ("p3", 60 * USD), ("p2", 40 * USD)]


def test_what_grew_all_along_grew_all_along():
    assert _only(_flat(USD, PREVIOUS) | _flat(2 * USD, CURRENT)).course is Course.STEADY


def test_a_shift_is_told_with_its_first_day():
    shifted = _flat(USD, PREVIOUS, CURRENT) | _flat(3 * USD, Period(date(2026, 11, 12), date(2026, 11, 20)))
    shifted |= _flat(USD - 1, Period(date(2026, 11, 1), date(2026, 11, 11)))

    found = _only(shifted)

    assert (found.course, found.on) == (Course.SHIFTED, date(2026, 11, 12))


def test_a_spike_is_told_with_its_day_and_amount():
    found = _only(_flat(USD, PREVIOUS, CURRENT) | {date(2026, 11, 11): 90 * USD})

    assert (found.course, found.on, found.on_nano) == (Course.SPIKED, date(2026, 11, 11), 90 * USD)


def test_a_new_part_and_one_that_stopped():
    new = _only(_flat(USD, Period(date(2026, 11, 9), date(2026, 11, 20))))
    gone = _only(_flat(USD, Period(date(2026, 10, 1), date(2026, 10, 14))))

    assert (new.course, new.on) == (Course.STARTED, date(2026, 11, 9))
    assert (gone.course, gone.on, gone.change_nano) == (Course.STOPPED, date(2026, 10, 14), -14 * USD)


def test_quiet_weekends_are_no_shift():
    def weekly(factor: int) -> dict[date, int]:
        return {
            day: factor * (10 if day.weekday() < 5 else 1) * USD for day in days_between(date(2026, 9, 1), CURRENT.last)
        }

    days = {day: nano for day, nano in weekly(1).items() if PREVIOUS.holds(day)}
    days |= {day: nano for day, nano in weekly(2).items() if CURRENT.holds(day)}

    assert _only(days).course is Course.STEADY


def test_less_than_a_cent_is_no_change():
    assert movers({"it": _flat(10, PREVIOUS) | _flat(11, CURRENT)}, CURRENT, PREVIOUS) == []


def test_a_day_twice_its_weekdays_usual_stands_out():
    days = _flat(10 * USD, Period(date(2026, 8, 1), CURRENT.last)) | {date(2026, 11, 11): 20 * USD}

    (found,) = unusual_days(days, CURRENT, date(2026, 8, 1))

    assert (found.on, found.nano, found.usual_nano) == (date(2026, 11, 11), 20 * USD, 10 * USD)
    assert unusual_days(days, CURRENT, date(2026, 11, 1)) == []  # too young to say what is usual


@given(
    some.dictionaries(some.dates(date(2026, 9, 1), date(2026, 12, 1)), some.integers(-(10**15), 10**15), max_size=60)
)
def test_any_bill_has_a_course(days: dict[date, int]):
    for found in movers({"it": days}, CURRENT, PREVIOUS):
        assert found.change_nano == sum(n for d, n in days.items() if CURRENT.holds(d)) - sum(
            n for d, n in days.items() if PREVIOUS.holds(d)
        )


# Periods


def test_a_month_under_way_is_compared_with_as_many_days():
    assert month_before(Month(2026, 11), date(2026, 11, 20)) == PREVIOUS
    assert month_before(Month(2026, 10), date(2026, 11, 20)) == month_period(Month(2026, 9))
    assert month_before(Month(2026, 3), date(2026, 3, 31)) == month_period(Month(2026, 2))
    assert month_before(Month(2026, 1), date(2026, 1, 2)) == Period(date(2025, 12, 1), date(2025, 12, 2))


def test_so_many_days_are_compared_with_as_many_before():
    week = last_days(7, date(2026, 3, 3))

    assert week == Period(date(2026, 2, 25), date(2026, 3, 3))
    assert days_before(week) == Period(date(2026, 2, 18), date(2026, 2, 24))


def test_only_days_up_to_today_are_booked():
    assert booked_part(month_period(Month(2026, 11)), date(2026, 11, 20)) == CURRENT
    assert booked_part(month_period(Month(2026, 10)), date(2026, 11, 20)) == month_period(Month(2026, 10))


@pytest.mark.parametrize(
    ("day", "state"),
    [(21, State.ESTIMATED), (20, State.SETTLING), (17, State.SETTLING), (16, State.SETTLED), (1, State.SETTLED)],
)
def test_days_settle_after_three_days(day: int, state: State):
    today = date(2026, 11, 20)
    settled = settled_to(today, midnight(today))

    assert state_of(date(2026, 11, day), today, settled) is state


def test_what_was_not_read_since_is_not_settled():
    read_at = datetime(2026, 11, 10, 23, tzinfo=timezone(timedelta(0)))

    assert settled_to(date(2026, 11, 20), read_at) == date(2026, 11, 6)
    assert settled_to(date(2026, 11, 20), None) is None
    assert state_of(date(2026, 11, 1), date(2026, 11, 20), None) is State.SETTLING
