"""Amounts come in exactly, are rounded once at a named place, and nothing else becomes money."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from tokenboard.core import money
from tokenboard.core.money import AmountError


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        (0, 0),
        (5, 5_000_000_000),
        (Decimal("0.06"), 60_000_000),
        ("0.0000000005", 0),  # half to even
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("-0.0000000015", -2),
        ("10.12345678949", 10_123_456_789),
        ("1E-9", 1),
        ("9223372036.854775807", 2**63 - 1),
    ],
)
def test_dollars_become_nano_dollars_rounded_half_to_even(usd: object, nano: int):
    assert money.nano_from_usd(usd) == nano


def test_fractions_of_cents_become_nano_dollars():
    assert money.nano_from_cents("123.78912") == 1_237_891_200
    assert money.nano_from_cents("0.00000005") == 0
    assert money.nano_from_cents("0.00000015") == 2


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        True,
        None,
        math.nan,
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN",
        "",
        "1_000",
        "١٢٣",
        "0x10",
        "1,5",
        "$5",
        [],
        {},
        Decimal("NaN"),
        Decimal("Infinity"),
        "9" * 65,
        "1E+30000",
        "1E+999999999",
        "9223372036.854775808",
        10**40,
    ],
)
def test_what_is_no_amount_is_refused(value: object):
    with pytest.raises(AmountError):
        money.nano_from_usd(value)


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_nano_dollars_go_out_and_come_back_unchanged(nano: int):
    assert money.nano_from_usd(money.usd_from_nano(nano)) == nano


@given(st.text() | st.decimals() | st.floats() | st.integers() | st.booleans() | st.none())
def test_any_input_gives_an_amount_or_an_amount_error(value: object):
    try:
        found = money.nano_from_usd(value)
    except AmountError:
        return
    assert -money.BIGINT_MAX <= found <= money.BIGINT_MAX


def test_credits_with_more_than_six_decimals_are_refused_not_rounded():
    assert money.micros_from_credits("12.345678") == 12_345_678
    with pytest.raises(AmountError):
        money.micros_from_credits("12.3456789")


def test_a_json_number_is_whole_where_the_amount_is():
    assert money.json_number(Decimal("12")) == 12
    assert isinstance(money.json_number(Decimal("12.00")), int)
    assert money.json_number(Decimal("0.1")) == 0.1
    assert money.credits_from_micros(1_500_000) == Decimal("1.5")
