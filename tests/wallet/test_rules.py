"""Pure decisions: amounts, e-mails that are one mailbox, expiry, pace and runway."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tokenboard.wallet import rules
from tokenboard.wallet.rules import Pace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        (1, 1_000_000),
        (Decimal("0.25"), 250_000),
        (Decimal("0.000001"), 1),
        (Decimal("1E+2"), 100_000_000),
        (10**9, 10**15),
    ],
)
def test_a_json_number_of_credits_is_read_exactly(amount: int | Decimal, micros: int):
    assert rules.read_credits(amount) == micros


@pytest.mark.parametrize(
    "amount",
    [0, -1, True, "5", None, [], Decimal("1E+3000000"), Decimal("0.0000001"), Decimal("NaN"), 2**63, 10**9 + 1],
)
def test_what_is_no_amount_of_credits_is_refused(amount: object):
    with pytest.raises(ValueError, match=r"\.$"):
        rules.read_credits(amount)


@pytest.mark.parametrize(
    ("typed", "micros"), [("1,000", 10**9), ("+12.5", 12_500_000), ("-3", -3_000_000), (" −0.5 ", -500_000)]
)
def test_people_type_amounts_with_signs_and_thousands(typed: str, micros: int):
    assert rules.read_signed_credits(typed) == micros


@pytest.mark.parametrize("typed", ["", "-", "--1", "1e3", "١٢", "0", "abc", "1.2345678"])
def test_what_cannot_be_read_as_typed_is_refused(typed: str):
    with pytest.raises(ValueError, match=r"\."):
        rules.read_signed_credits(typed)


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("Alice@Example.com", "alice@example.com"),
        ("alice+second@example.com", "alice@example.com"),
        ("a.li.ce+x@gmail.com", "alice@gmail.com"),
        ("a.lice@googlemail.com", "alice@gmail.com"),
        ("a.lice@example.com", "a.lice@example.com"),
        ("+tag@example.com", "+tag@example.com"),
    ],
)
def test_the_spellings_of_one_mailbox_are_one(email: str, mailbox: str):
    assert rules.normalised_email(email) == mailbox


def test_a_bare_day_counts_to_its_end():
    assert rules.read_expiry("2026-11-30", NOW) == datetime(2026, 12, 1, tzinfo=UTC)
    assert rules.read_expiry("2027-01-31T12:00:00+02:00", NOW) == datetime(2027, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-11-19", "2026-11-20T12:00:00Z", "9999-12-31", "٢٠٢٧-01-01", 5, None]
)
def test_an_expiry_lies_in_the_future_and_can_be_read(text: object):
    with pytest.raises(ValueError, match=r"\."):
        rules.read_expiry(text, NOW)


def test_the_pace_is_the_use_since_the_first_day_that_has_any():
    today = date(2026, 11, 20)
    spent = {today - timedelta(days=4): 30, today: 20, today - timedelta(days=14): 1_000}

    assert rules.pace(spent, today) == Pace(50, 5)
    assert rules.pace({}, today) is None
    assert rules.pace({today: -5}, today) is None


@pytest.mark.parametrize(
    ("available", "words"),
    [
        (90, "About 9 days at your pace"),
        (19, "About 1 day at your pace"),
        (9, "Less than a day at your pace"),
        (-50, "Less than a day at your pace"),
        (9_000, "More than a year at your pace"),
    ],
)
def test_the_runway_is_told_as_people_say_it(available: int, words: str):
    assert rules.runway_words(rules.runway_days(available, Pace(140, 14))) == words


def test_without_a_pace_there_is_no_runway():
    assert rules.runway_words(rules.runway_days(90, None)) == "Nothing used in the last 14 days"


def test_credits_are_worth_what_the_setting_says():
    assert rules.value_nano(1_500_000, 10_000_000) == 15_000_000
    assert rules.value_nano(1, 1_500) == 0
