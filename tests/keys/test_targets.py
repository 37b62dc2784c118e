"""The mirror's arithmetic: what is left, what was counted, what was booked."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from tokenboard.keys.target_rules import budget, is_spent, left_of, nano_of_micros

NANO = st.integers(min_value=0, max_value=10**15)


@pytest.mark.parametrize(
    ("counted", "booked", "left", "expected"),
    [
        (0, 0, 500, 500),  # a fresh proxy: what is left
        (300, 300, 200, 500),  # all that it counted is paid for
        (300, 100, 500, 600),  # 200 are spent and not paid for: they come out of what is left
        (100, 300, 500, 600),  # it lost counts, or writes late: it compares with its own count
        (0, 300, 500, 500),  # it began anew
        (900, 100, 500, 900),  # more was spent than is left: nothing more
        (300, 300, 0, 300),
    ],
)
def test_a_budget_is_what_was_counted_plus_what_is_left(counted, booked, left, expected):
    assert budget(counted_nano=counted, counted_in_all_nano=counted, booked_nano=booked, left_nano=left) == expected


def test_two_secrets_of_a_key_share_what_was_not_booked():
    assert budget(counted_nano=100, counted_in_all_nano=300, booked_nano=100, left_nano=500) == 100 + 300


@given(counted=NANO, more=NANO, booked=NANO, left=NANO)
def test_a_proxy_never_gets_more_than_is_left(counted, more, booked, left):
    found = budget(counted_nano=counted, counted_in_all_nano=counted + more, booked_nano=booked, left_nano=left)

    assert counted <= found <= counted + left


@given(micros=st.integers(min_value=-(10**15), max_value=10**15), percent=st.integers(min_value=100, max_value=500))
def test_credits_never_pay_for_more_provider_cost_than_they_are_worth(micros, percent):
    markup = Decimal(percent) / 100
    nano = nano_of_micros(micros, credit_value_nano=10_000_000, markup=markup)

    assert nano >= 0
    assert Decimal(nano) * markup <= max(Decimal(0), Decimal(micros) * 10)


def test_the_tightest_limit_counts_and_none_is_none():
    assert left_of([None, 5, 3]) == 3
    assert left_of([None, None]) is None
    assert is_spent(0)
    assert not is_spent(None)
