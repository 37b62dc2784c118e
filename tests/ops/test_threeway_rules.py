"""The gaps between three books, by their names: whatever the books say, nothing is left over."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, strategies as st

from tokenboard.ops.threeway_rules import (
    NOTHING,
    Facts,
    Gaps,
    added,
    by_day,
    by_model,
    changed,
    difference,
    explained,
    plain_model,
)

_AMOUNT = st.integers(0, 10**15)
_FACTS = st.builds(
    Facts,
    bill_nano=st.integers(-(10**12), 10**15),
    metered_nano=_AMOUNT,
    foreign_nano=_AMOUNT,
    paid_micros=_AMOUNT,
    paid_nano=_AMOUNT,
    absorbed_nano=_AMOUNT,
    requests=_AMOUNT,
    tokens=_AMOUNT,
    is_bill_final=st.booleans(),
)


def _balances(one: Gaps) -> bool:
    gaps = one.foreign_nano + one.unpriced_nano + one.outside_nano + one.discount_nano + one.late_nano
    return (
        one.bill_nano == one.metered_nano + gaps
        and one.paid_nano == one.metered_nano + one.markup_nano - one.shrinkage_nano
    )


@given(st.lists(_FACTS, max_size=6))
def test_every_line_and_every_sum_balances_to_the_nano_dollar(found):
    lines = [explained(one) for one in found]
    assert all(map(_balances, lines))
    assert _balances(added(lines))


@pytest.mark.parametrize(
    ("facts", "name", "nano"),
    [
        (Facts(bill_nano=10, metered_nano=7), "outside_nano", 3),
        (Facts(bill_nano=7, metered_nano=10), "discount_nano", -3),
        (Facts(bill_nano=10, tokens=5), "unpriced_nano", 10),
        (Facts(bill_nano=10, metered_nano=7, is_bill_final=False), "late_nano", 3),
        (Facts(metered_nano=7, is_bill_final=False), "late_nano", -7),
        (Facts(bill_nano=3, foreign_nano=3), "foreign_nano", 3),
        (Facts(metered_nano=10, paid_nano=11), "markup_nano", 1),
        (Facts(metered_nano=10, absorbed_nano=11), "shrinkage_nano", 11),
    ],
)
def test_each_gap_has_its_name(facts: Facts, name: str, nano: int):
    assert getattr(explained(facts), name) == nano


def test_sums_by_day_and_model_are_the_lines():
    first, second = date(2026, 10, 1), date(2026, 10, 2)
    lines = {(first, "a"): Gaps(bill_nano=1), (second, "a"): Gaps(bill_nano=2), (second, "b"): Gaps(bill_nano=9)}
    assert {day: one.bill_nano for day, one in by_day(lines).items()} == {first: 1, second: 11}
    assert [(model, one.bill_nano) for model, one in by_model(lines).items()] == [("b", 9), ("a", 3)]


def test_what_came_since_is_the_difference_line_by_line():
    first, second = (date(2026, 10, 1), "a"), (date(2026, 10, 2), "a")
    then = {first: Gaps(bill_nano=1), second: Gaps(requests=2)}
    assert changed(then, then) == {}
    assert changed({second: Gaps(requests=3)}, then) == {first: Gaps(bill_nano=-1), second: Gaps(requests=1)}
    assert difference(NOTHING, Gaps(paid_nano=5)).paid_nano == -5


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("anthropic/claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("GPT-4o-mini", "gpt-4o-mini"),
        ("o1", "o1"),
        ("", "other"),
    ],
)
def test_a_model_has_one_name_on_the_bill_and_here(name: str, plain: str):
    assert plain_model(name) == plain
