"""How a charge was computed: tokens × price → cost × markup → credits, rounded once, and who paid what."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.metering.calling import Told, begin, price, record, settle
from tests.people import People
from tokenboard.core.errors import NotFound
from tokenboard.metering.facts import OutcomeKind
from tokenboard.metering.receipt_queries import UsageReceipt, receipt


def after(shop: People, told: Told | None, *, kind: OutcomeKind = "ok", text: str = "Yes.", **more) -> UsageReceipt:
    call = begin(shop, **more)
    if text:
        record(call, text)
    settle(call, kind, usage=told)
    return receipt(workspace_id=shop.team_id, call_id=call.id)


def test_the_lines_are_the_tokens_at_their_prices(shop: People):
    found = after(shop, Told(80, 51, cached_tokens=60, reasoning_tokens=40))
    assert [(line.words, line.tokens, line.nano_usd) for line in found.lines] == [
        ("Input", 20, Decimal(50_000)),
        ("Cached input", 60, Decimal(75_000)),
        ("Output", 51, Decimal(510_000)),
    ]
    assert found.computed_nano_usd == found.record.cost_nano_usd == 635_000
    assert (found.exact_micros, found.record.credits_micros) == (Decimal(63_500), 63_500)
    assert (found.is_cost_told, found.is_waived, found.is_capped) == (False, False, False)


def test_the_markup_and_the_one_rounding_are_shown(shop: People):
    price(markup=Decimal("1.2"))
    found = after(shop, Told(3, 0))
    assert (found.markup, found.exact_micros, found.record.credits_micros) == (Decimal("1.2"), Decimal(900), 900)
    price(markup=Decimal("1.0001"))
    found = after(shop, Told(3, 0))
    assert (found.exact_micros, found.record.credits_micros) == (Decimal("750.075"), 751)


def test_a_cost_that_litellm_told_is_named_as_such(shop: People):
    found = after(shop, Told(9, 4, cost_nano_usd=12_345))
    assert (found.is_cost_told, found.computed_nano_usd, found.record.cost_nano_usd) == (True, 62_500, 12_345)


def test_an_answer_that_delivered_nothing_was_waived(shop: People):
    found = after(shop, Told(9, 4), kind="failed", text="")
    assert (found.is_waived, found.record.credits_micros, found.full_micros) == (True, 0, 6_250)


def test_what_the_house_paid_past_the_hold_is_shown(shop: People):
    found = after(shop, Told(91, 30), max_output_tokens=20)
    assert (found.is_capped, found.full_micros - found.record.credits_micros) == (True, 10_000)
    assert found.held_micros == found.record.credits_micros


def test_it_names_the_version_of_the_price_also_when_that_has_been_replaced(shop: People):
    call = begin(shop)
    price(input_nano_per_mtok=9 * 10**9)
    record(call, "Yes.")
    settle(call, usage=Told(9, 4))
    found = receipt(workspace_id=shop.team_id, call_id=call.id)
    assert (found.price.version, found.computed_nano_usd) == (1, 62_500)
    assert receipt(workspace_id=shop.team_id, record_id=found.record.id).record.id == found.record.id


def test_another_workspaces_receipt_does_not_exist(shop: People):
    call = begin(shop)
    settle(call, "stopped")
    with pytest.raises(NotFound):
        receipt(workspace_id=shop.charlie.workspace_id, call_id=call.id)
