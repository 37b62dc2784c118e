"""What people and programs send is read strictly, the same on every database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tokenboard.core import parsing

AN_ID = "0b6ae7e2-3f0e-4c6d-9a51-2f4f6f1f7a11"

READ: list[tuple[Callable[[Any], object], Any, object]] = [
    (parsing.parse_email, " Alice@Example.COM ", "alice@example.com"),
    (parsing.parse_email, "ａlice@example.com", "alice@example.com"),
    (parsing.parse_amount, "12.50", Decimal("12.50")),
    (parsing.parse_amount, "0", Decimal(0)),
    (parsing.parse_cents, "$12.5", 1250),
    (parsing.parse_cents, " 7 ", 700),
    (parsing.parse_id, AN_ID, AN_ID),
    (parsing.parse_id, AN_ID.upper(), AN_ID),
    (parsing.parse_day, "2026-02-28", date(2026, 2, 28)),
    (parsing.parse_day, "2026-02-28T23:59:59.999Z", date(2026, 2, 28)),
    (parsing.parse_json, b'{"a": 1.10, "b": [null, true]}', {"a": Decimal("1.10"), "b": [None, True]}),
    (parsing.parse_json, b'"[[[["', "[[[["),
]
REFUSED: list[tuple[Callable[[Any], object], Any]] = [
    (parsing.parse_email, "alice"),
    (parsing.parse_email, "alice@localhost"),
    (parsing.parse_email, "a..b@example.com"),
    (parsing.parse_email, ".a@example.com"),
    (parsing.parse_email, "a.@example.com"),
    (parsing.parse_email, "straße@example.com"),
    (parsing.parse_email, "alice@example.com\nBcc: bob@example.com"),
    (parsing.parse_email, "a" * 250 + "@example.com"),
    (parsing.parse_email, "alice@exämple.com"),
    (parsing.parse_amount, "-1"),
    (parsing.parse_amount, "1e3"),
    (parsing.parse_amount, "1_000"),
    (parsing.parse_amount, "١٢٣"),
    (parsing.parse_amount, "1.1234567"),
    (parsing.parse_amount, "1" * 13),
    (parsing.parse_amount, "1\n"),
    (parsing.parse_amount, "NaN"),
    (parsing.parse_cents, "1.005"),
    (parsing.parse_id, AN_ID.replace("-", "")),
    (parsing.parse_id, "{" + AN_ID[:34] + "}"),
    (parsing.parse_id, "urn:uuid:" + AN_ID[:27]),
    (parsing.parse_id, 7),
    (parsing.parse_id, "' OR 1=1 --".ljust(36)),
    (parsing.parse_day, "2026-02-30"),
    (parsing.parse_day, "2026-2-3"),
    (parsing.parse_day, "1999-12-31"),
    (parsing.parse_day, "2026-02-28 10:00"),
    (parsing.parse_day, "2026-02-28T" + "0" * 40),
    (parsing.parse_json, b'{"a": 1, "a": 2}'),
    (parsing.parse_json, b"NaN"),
    (parsing.parse_json, b"[Infinity]"),
    (parsing.parse_json, b"[" * 100_000),
    (parsing.parse_json, b"9" * 5_000),
    (parsing.parse_json, b"\xff"),
    (parsing.parse_json, b""),
    (parsing.parse_json, b"{'a': 1}"),
]


@pytest.mark.parametrize(("read", "given_", "expected"), READ)
def test_what_is_well_written_is_read(read: Callable[[Any], object], given_: Any, expected: object):
    assert read(given_) == expected


@pytest.mark.parametrize(("read", "given_"), REFUSED)
def test_what_is_not_is_refused_with_a_sentence(read: Callable[[Any], object], given_: Any):
    with pytest.raises(ValueError):
        read(given_)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\u202eb", "a\u2066b", "two\nlines", "\x1b[31m"])
def test_text_that_one_database_would_refuse_is_refused_before_both(text: str):
    with pytest.raises(ValueError):
        parsing.clean_text(text, longest=80)


def test_text_is_trimmed_composed_and_bounded():
    assert parsing.clean_text("  Cafe\u0301  ", longest=80) == "Café"
    assert parsing.clean_text("two\nlines", longest=80, single_line=False) == "two\nlines"
    with pytest.raises(ValueError, match="At most 3"):
        parsing.clean_text("four", longest=3)
    with pytest.raises(ValueError, match="fill this in"):
        parsing.clean_text("   ", longest=3, shortest=1)


@given(st.text())
def test_any_text_is_kept_or_refused_and_what_is_kept_can_be_stored(text: str):
    kept = parsing.or_none(lambda given_: parsing.clean_text(given_, longest=200), text)

    assert kept is None or ("\x00" not in kept and kept.encode("utf-8").decode("utf-8") == kept)


@given(st.text(), st.sampled_from([parsing.parse_email, parsing.parse_amount, parsing.parse_id, parsing.parse_day]))
def test_no_text_makes_a_reader_fail_in_another_way(text: str, read: Callable[[str], object]):
    parsing.or_none(read, text)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_json_reader_fail_in_another_way(body: bytes):
    parsing.or_none(parsing.parse_json, body)  # type: ignore[arg-type]
