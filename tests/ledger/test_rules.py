"""The burn order, the split of a hold, and what an amount, key or text must look like."""

from __future__ import annotations

import itertools
import time
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from tests.ledger.stories import day
from tokenboard.ledger.book_rows import Lot
from tokenboard.ledger.errors import EntryRefused
from tokenboard.ledger.rules import (
    LARGEST_ENTRY_MICROS,
    Share,
    allocate,
    burn_key,
    input_hash,
    is_expired,
    require_amount,
    require_key,
    require_text,
    split,
)

ids = itertools.count()


def lot(remaining: int, *, expires=None, priority: int = 30, number: int | None = None, held: int = 0) -> Lot:
    key = next(ids)
    return Lot(f"grant-{key}", number or key, "paid", priority, expires, remaining, remaining, held)


def test_soonest_expiry_burns_first_and_never_expiring_last():
    never, late, soon = lot(1), lot(1, expires=day(60)), lot(1, expires=day(30))
    assert sorted([never, late, soon], key=burn_key) == [soon, late, never]


def test_among_equal_expiry_gifts_burn_before_included_before_bought_then_the_oldest():
    bought, older = lot(1, number=2), lot(1, number=1)
    included, gift = lot(1, priority=20), lot(1, priority=10)
    assert sorted([bought, older, included, gift], key=burn_key) == [gift, included, older, bought]


def test_a_grant_is_over_at_its_expiry_and_not_before():
    assert is_expired(day(30), day(30))
    assert not is_expired(day(30), day(29.99))
    assert not is_expired(None, day(9999))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=6), st.integers(0, 100))
def test_an_allocation_takes_what_is_asked_or_all_there_is_and_never_what_is_held(pairs, wanted):
    lots = [lot(free + held, held=held) for free, held in pairs]
    shares = allocate(lots, wanted)
    assert sum(share.amount_micros for share in shares) == min(wanted, sum(free for free, _ in pairs))
    assert all(share.amount_micros > 0 for share in shares)
    free = {one.id: one.available_micros for one in lots}
    assert all(share.amount_micros <= free[share.grant_id] for share in shares)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.data())
def test_a_split_hold_is_taken_in_order_and_the_rest_is_freed(amounts, data):
    allocations = [Share(str(n), amount) for n, amount in enumerate(amounts)]
    captured = data.draw(st.integers(0, sum(amounts)))
    taken, freed = split(allocations, captured)
    assert sum(share.amount_micros for share in taken) == captured
    sums = {share.grant_id: share.amount_micros for share in taken}
    for share in freed:
        sums[share.grant_id] = sums.get(share.grant_id, 0) + share.amount_micros
    assert sums == {share.grant_id: share.amount_micros for share in allocations}


def test_the_hash_of_inputs_tells_types_and_places_apart():
    assert input_hash(1, "a") == input_hash(1, "a")
    assert (
        len({input_hash(1, "a"), input_hash("1", "a"), input_hash("a", 1), input_hash(1, "a", ""), input_hash(1)}) == 5
    )


ODD_AMOUNTS = [
    True,
    False,
    0,
    -1,
    1.0,
    float("nan"),
    float("inf"),
    Decimal("1e3000000"),
    Decimal("NaN"),
    "1",
    "١٢٣",
    None,
    2**63,
    LARGEST_ENTRY_MICROS + 1,
    [1],
]


@pytest.mark.parametrize("amount", ODD_AMOUNTS)
def test_an_amount_is_a_whole_number_of_micro_credits_and_nothing_else(amount):
    began = time.thread_time()
    with pytest.raises(EntryRefused) as refused:
        require_amount(amount)
    assert refused.value.status == 422
    assert time.thread_time() - began < 0.1


no_numbers = st.one_of(st.booleans(), st.text(), st.binary(), st.none(), st.lists(st.integers()))


@given(st.one_of(st.integers(), st.floats(), st.decimals(), no_numbers))
def test_whatever_comes_as_an_amount_is_kept_exactly_or_refused(amount):
    try:
        kept = require_amount(amount)
    except EntryRefused:
        is_whole = isinstance(amount, int) and not isinstance(amount, bool)
        assert not (is_whole and 1 <= amount <= LARGEST_ENTRY_MICROS)
    else:
        assert kept == amount
        assert type(kept) is int


@pytest.mark.parametrize("key", ["test-123", "k", "k" * 255, "with space", "~!@#$%^&*()"])
def test_printable_ascii_is_a_key(key):
    assert require_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "a\nb", "a\x00", None, 7])
def test_everything_else_is_no_key(key):
    with pytest.raises(EntryRefused):
        require_key(key)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\nb", "x" * 11, "\u202ereversed"])
def test_text_one_of_the_databases_could_not_keep_is_refused(text):
    with pytest.raises(EntryRefused):
        require_text("description", text, 10)
