"""A call's money from hold to record, as worked examples: what is held, what is charged, what the house absorbs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.metering.calling import CREDIT, MODEL, Told, begin, held_and_posted, order, price, record, settle, user
from tests.people import People
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.ledger import totals
from tokenboard.ledger.accounts import House
from tokenboard.ledger.errors import InsufficientCredits
from tokenboard.metering import queries, service
from tokenboard.metering.errors import CallExists, CallNotFound, ContextTooLong, ModelNotOffered
from tokenboard.metering.facts import Outcome
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.workspaces.models import Workspace

# "Hello there" is 11 bytes: at most 11 + 16 + 64 = 91 prompt tokens of 250 micro-credits.
BOUND = 91 * 250


def wallet(people: People) -> str:
    return db.session.get_one(Workspace, people.team_id).ledger_account_id


def test_a_call_holds_the_most_it_can_cost_and_pays_what_it_did_cost(shop: People):
    call = begin(shop, max_output_tokens=100)
    assert (call.prompt_tokens_bound, call.held_micros) == (91, BOUND + 100 * 1_000)
    assert held_and_posted(wallet(shop)) == (call.held_micros, 100 * CREDIT)

    record(call, "Good morning!")
    settled = settle(call, usage=Told(prompt_tokens=9, completion_tokens=4))

    assert (settled.credits_micros, settled.cost_nano_usd) == (9 * 250 + 4 * 1_000, 9 * 2_500 + 4 * 10_000)
    assert settled.balance_after_micros == 100 * CREDIT - 6_250
    assert held_and_posted(wallet(shop)) == (0, 100 * CREDIT - 6_250)


def test_cached_tokens_cost_their_own_price_and_reasoning_is_output(shop: People):
    call = begin(shop)
    record(call, "Yes.")
    settled = settle(call, usage=Told(80, 50, cached_tokens=60, reasoning_tokens=40))
    assert settled.credits_micros == 20 * 250 + 60 * 125 + 50 * 1_000
    assert (settled.cached_tokens, settled.reasoning_tokens) == (60, 40)


def test_litellms_own_cost_wins_over_price_times_tokens(shop: People):
    call = begin(shop)
    record(call, "Yes.")
    assert settle(call, usage=Told(9, 4, cost_nano_usd=12_345)).credits_micros == 1_235  # rounded up once


def test_a_cost_of_nothing_is_believed_only_where_the_price_is_litellms_own(shop: People):
    call = begin(shop)
    record(call, "Yes.")
    assert settle(call, usage=Told(9, 4, cost_nano_usd=0)).credits_micros == 6_250


def test_the_markup_is_frozen_when_the_call_begins(shop: People):
    price(markup=Decimal("1.5"))
    call = begin(shop)
    price(markup=Decimal(3))
    record(call, "Yes.")
    assert settle(call, usage=Told(9, 4)).credits_micros == 9_375
    again = begin(shop)
    record(again, "Yes.")
    assert settle(again, usage=Told(9, 4)).credits_micros == 18_750


def test_an_answer_that_delivered_nothing_costs_nothing_and_the_house_pays_the_provider(shop: People):
    call = begin(shop)
    settled = settle(call, "failed", usage=Told(9, 4), error_code="upstream_error")
    assert (settled.credits_micros, settled.status) == (0, "failed")
    assert held_and_posted(wallet(shop)) == (0, 100 * CREDIT)
    houses = totals.house_totals()
    assert (houses[House.SHRINKAGE], houses[House.USAGE]) == (-6_250, 6_250)


def test_without_usage_the_own_count_is_charged_and_marked_as_estimated(shop: People):
    call = begin(shop, "x" * 400)
    record(call, "y" * 41)
    settled = settle(call, "interrupted")
    assert (settled.prompt_tokens, settled.completion_tokens) == (100, 11)  # bytes by four, rounded up
    assert (settled.credits_micros, settled.is_estimated) == (100 * 250 + 11 * 1_000, True)


def test_usage_of_nothing_is_a_value_and_not_a_missing_one(shop: People):
    call = begin(shop)
    record(call, "Cached answer")
    settled = settle(call, usage=Told(0, 0))
    assert (settled.credits_micros, settled.is_estimated) == (0, False)


@pytest.mark.parametrize("told", [Told(-5, 4), Told(9, 10**9), Told(10**12, 4), Told(0, 0, is_odd=True)])
def test_odd_usage_gives_way_to_the_own_count_and_raises_an_alert(shop: People, told: Told):
    call = begin(shop, "x" * 400)
    record(call, "y" * 40)
    settled = settle(call, usage=told)
    assert (settled.credits_micros, settled.is_estimated) == (100 * 250 + 10 * 1_000, True)
    assert [alert.kind for alert in open_alerts()] == ["metering.odd_usage"]


def test_what_the_provider_bills_past_the_hold_is_the_houses(shop: People):
    call = begin(shop, max_output_tokens=20)
    record(call, "a long answer")
    settled = settle(call, usage=Told(91, 30))
    assert settled.credits_micros == call.held_micros == BOUND + 20_000
    assert totals.house_totals()[House.SHRINKAGE] == -10_000


def test_settling_again_shows_the_first_result(shop: People):
    call = begin(shop)
    record(call, "Yes.")
    first = settle(call, usage=Told(9, 4))
    again = settle(call, "interrupted", usage=Told(90, 400))
    assert again.is_replay
    assert not first.is_replay
    assert (again.credits_micros, again.status, again.transaction_id) == (6_250, "ok", first.transaction_id)
    assert held_and_posted(wallet(shop)) == (0, 100 * CREDIT - 6_250)


def test_a_wallet_that_can_pay_for_a_part_gets_a_shorter_answer(shop: People):
    call = begin(shop, max_output_tokens=4_096_000)
    assert call.is_shortened
    assert call.max_output_tokens == (100 * CREDIT - BOUND) // 1_000
    assert call.held_micros <= 100 * CREDIT


def test_a_wallet_that_cannot_pay_for_a_short_answer_is_refused_before_anything(shop: People):
    begin(shop, max_output_tokens=99_960)  # leaves about 0.017 credits
    with pytest.raises(InsufficientCredits) as refused:
        begin(shop)
    db.session.rollback()
    assert refused.value.required_micros == BOUND + 16 * 1_000
    assert refused.value.details["required"] == 0.03875


def test_a_model_without_a_price_is_not_offered(shop: People):
    with pytest.raises(ModelNotOffered):
        begin(shop, model="unknown")


def test_a_model_that_is_free_on_purpose_holds_and_costs_nothing(shop: People):
    free = {"input_nano_per_mtok": 0, "output_nano_per_mtok": 0, "cached_input_nano_per_mtok": None}
    price("llama-at-home", is_free=True, **free)
    call = begin(shop, model="llama-at-home")
    assert (call.hold_id, call.held_micros) == (None, 0)
    record(call, "Yes.")
    assert settle(call, usage=Told(9, 4)).credits_micros == 0


def test_more_than_a_model_can_read_is_refused(shop: People):
    price("short", max_input_tokens=10)
    with pytest.raises(ContextTooLong):
        begin(shop, "x" * 161, model="short")


def test_pictures_are_refused(shop: People):
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}
    with pytest.raises(ValidationFailed):
        service.begin(order=order(shop, messages=[user("Look"), picture]))


def test_a_calls_id_is_used_once(shop: People):
    call = begin(shop)
    with pytest.raises(CallExists):
        begin(shop, call_id=call.id)


def test_an_estimate_holds_nothing_and_is_never_above_the_hold(shop: People):
    told = service.estimate(order=order(shop, max_output_tokens=100))
    db.session.rollback()
    assert held_and_posted(wallet(shop))[0] == 0
    call = begin(shop, max_output_tokens=100)
    assert told.low_micros == 3 * 250 + 16 * 1_000
    assert told.high_micros == call.held_micros
    assert told.is_affordable


def test_stopping_is_asked_for_once_and_only_of_open_calls(shop: People):
    call = begin(shop)
    assert service.request_stop(call_id=call.id)
    db.session.commit()
    asked_at = db.session.get_one(MeteredCall, call.id, populate_existing=True).stop_requested_at
    assert service.request_stop(call_id=call.id)
    assert db.session.get_one(MeteredCall, call.id, populate_existing=True).stop_requested_at == asked_at
    settle(call, "stopped")
    assert not service.request_stop(call_id=call.id)


def test_what_is_not_there_cannot_be_settled(shop: People):
    with pytest.raises(CallNotFound):
        service.settle(call_id=shop.team_id, outcome=Outcome("ok"))


def test_a_record_says_who_asked_what_and_what_it_cost(shop: People):
    call = begin(shop)
    record(call, "Yes.")
    settle(call, usage=Told(9, 4))
    kept = db.session.query(UsageRecord).one()
    assert (kept.dedupe_key, kept.person_id, kept.model) == (f"call:{call.id}", shop.bob.id, MODEL)
    assert (kept.credits_micros, kept.price_id, kept.markup) == (6_250, call.price.id, "1")
    assert kept.latency_ms is not None
    assert queries.spent_this_month(shop.bob.id) == 6_250
