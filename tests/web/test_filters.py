"""How amounts, counts and times are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from tokenboard.core.clock import Month
from tokenboard.core.money import BIGINT_MAX, nano_from_usd
from tokenboard.web.filters import (
    FILTERS,
    ago,
    credit_amount,
    credits_exact,
    day,
    day_long,
    day_range,
    instant,
    iso,
    milliseconds,
    money,
    month_name,
    number,
    percent,
    percent_signed,
    plural,
    tokens,
    usd,
    usd_exact,
    usd_signed,
    usd_whole,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def spaced(text: str) -> str:
    """No-break spaces as plain ones, for the reader of these tests."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        ("0", "$0.00"),
        ("1284.1", "$1,284.10"),
        ("1", "$1.00"),
        ("0.99994", "$0.9999"),
        ("0.99996", "$1.00"),
        ("0.0042", "$0.0042"),
        ("0.42", "$0.4200"),
        ("0.00005", "$0.0001"),
        ("0.000049", "<$0.0001"),
        ("2.345", "$2.35"),
        ("-18.4", "−$18.40"),
        ("1234567.891", "$1,234,567.89"),
    ],
)
def test_money_has_two_decimals_from_a_dollar_on_and_four_below(dollars: str, text: str) -> None:
    assert usd(nano_from_usd(dollars)) == text


@given(st.integers(-BIGINT_MAX, BIGINT_MAX).filter(bool))
def test_an_amount_that_is_there_is_never_shown_as_zero(nano: int) -> None:
    assert usd(nano).strip("−") not in {"$0.00", "$0.0000"}
    assert usd_whole(nano).strip("−") not in {"$0", "$0.00"}


@given(st.integers(-BIGINT_MAX, BIGINT_MAX))
def test_the_exact_amount_reads_back_as_the_same(nano: int) -> None:
    assert nano_from_usd(usd_exact(nano).replace("−", "-").replace("$", "").replace(",", "")) == nano


def test_exact_amounts_show_at_least_cents() -> None:
    assert usd_exact(125) == "$0.000000125"
    assert usd_exact(1_500_000_000) == "$1.50"


def test_a_change_always_has_a_sign() -> None:
    assert [usd_signed(nano_from_usd(n)) for n in (212, -3, 0)] == ["+$212.00", "−$3.00", "±$0.00"]


def test_headlines_are_whole_dollars_unless_there_is_no_whole_one() -> None:
    assert [usd_whole(nano_from_usd(n)) for n in ("2010.4", "0.5", "0.0031")] == ["$2,010", "$1", "$0.0031"]


@pytest.mark.parametrize(
    ("micros", "short", "exact"),
    [
        (1_000_000_000, "1,000", "1,000"),
        (975_100_000, "975.10", "975.1"),
        (4_200, "0.0042", "0.0042"),
        (1, "<0.0001", "0.000001"),
        (-2_140_000_000, "−2,140", "−2,140"),
    ],
)
def test_credits(micros: int, short: str, exact: str) -> None:
    assert credits_exact(micros) == exact
    assert credit_amount(micros) == short


def test_payments_are_written_in_their_own_currency() -> None:
    assert spaced(money(1250, "usd")) == "$12.50"
    assert spaced(money(-150_000, "KES")) == "−KES 1,500.00"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (1204, "1,204"),
        (9999, "9,999"),
        (12_449, "12.4 k"),
        (950_000, "950.0 k"),
        (999_949, "999.9 k"),
        (999_950, "1.0 M"),
        (1_234_567, "1.2 M"),
        (3_000_000_000, "3.0 B"),
        (5_000_000_000_000, "5,000.0 B"),
        (-12_000, "−12.0 k"),
    ],
)
def test_tokens_are_short_and_small_counts_exact(count: int, text: str) -> None:
    assert spaced(tokens(count)) == text


def test_numbers_have_separators_and_a_true_minus() -> None:
    assert number(182_904) == "182,904"
    assert number(-5) == "−5"


@pytest.mark.parametrize(
    ("ratio", "text", "signed"),
    [
        (Decimal("0.384"), "38 %", "+38 %"),
        (Fraction(1, 3), "33 %", "+33 %"),
        (Decimal("0.001"), "<1 %", "±0 %"),
        (0, "0 %", "±0 %"),
        (Decimal("-0.04"), "−4 %", "−4 %"),
        (12, "1,200 %", "+1,200 %"),
    ],
)
def test_percentages(ratio: Decimal | Fraction | int, text: str, signed: str) -> None:
    assert spaced(percent(ratio)) == text
    assert spaced(percent_signed(ratio)) == signed


def test_percentages_may_have_digits() -> None:
    assert spaced(percent(Decimal("0.1244"), 1)) == "12.4 %"


def test_plurals() -> None:
    assert [spaced(plural(n, "key")) for n in (0, 1, 1200)] == ["0 keys", "1 key", "1,200 keys"]
    assert spaced(plural(2, "entry", "entries")) == "2 entries"


def test_days_and_months_are_english_words() -> None:
    on = date(2026, 11, 17)
    assert spaced(day(on)) == "17 Nov"
    assert day_long(on) == "Tue 17 Nov 2026"
    assert month_name(on) == "November 2026"
    assert month_name(Month(2027, 1)) == "January 2027"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 10, 1), date(2026, 10, 31), "1–31 Oct 2026"),
        (date(2026, 10, 28), date(2026, 11, 3), "28 Oct – 3 Nov 2026"),
        (date(2026, 12, 30), date(2027, 1, 2), "30 Dec 2026 – 2 Jan 2027"),
        (date(2026, 10, 5), date(2026, 10, 5), "5 Oct 2026"),
    ],
)
def test_a_period_says_each_part_once(first: date, last: date, text: str) -> None:
    assert spaced(day_range(first, last)) == text


def test_instants_are_written_in_utc_wherever_they_come_from() -> None:
    nairobi = datetime(2026, 11, 20, 17, 5, tzinfo=timezone(timedelta(hours=3)))
    assert instant(nairobi) == "20 Nov 2026, 14:05 UTC"
    assert instant(datetime(2026, 11, 20, 14, 5)) == "20 Nov 2026, 14:05 UTC"
    assert iso(nairobi) == "2026-11-20T14:05:00Z"
    assert iso(date(2026, 11, 20)) == "2026-11-20"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (44, "just now"),
        (45, "1 min ago"),
        (12 * 60, "12 min ago"),
        (3599, "60 min ago"),
        (3 * 3600 + 5, "3 h ago"),
        (26 * 3600, "1 day ago"),
        (14 * 86_400, "14 days ago"),
        (15 * 86_400, "5 Nov 2026"),
        (-300, "in 5 min"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert spaced(ago(NOW - timedelta(seconds=seconds), NOW)) == text


def test_durations() -> None:
    assert [spaced(milliseconds(n)) for n in (840, 2140, 200_000)] == ["840 ms", "2.1 s", "3 min 20 s"]


def test_the_templates_know_every_filter_by_its_name() -> None:
    assert {"usd", "credits", "tokens", "percent", "day", "ago", "month_name"} <= FILTERS.keys()
    assert FILTERS["credits"](1_000_000) == "1"
