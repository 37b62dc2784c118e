"""The sandbox's webhooks: signed, tried again, and as disorderly as asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import stripe

from tests.providers.stand_in import NOW
from tests.providers.till import PAYSTACK_KEY, STRIPE_SECRET, Shop, Till
from tokenboard.providers.paystack_events import check_signature

PATH = "/api/webhooks/stripe"
PURCHASE = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def real_now() -> datetime:
    return datetime.now(UTC)


def to_shop(till: Till, shop: Shop, **wanted: object) -> None:
    till.order("webhooks", provider="stripe", url=shop.url + PATH, **wanted)


def deliver(till: Till, **wanted: object) -> list[dict[str, object]]:
    told: list[dict[str, object]] = till.order("webhooks/deliver", **wanted)["deliveries"]
    return told


def types_of(shop: Shop) -> list[str]:
    return [json.loads(one.body)["type"] for one in shop.all()]


def test_events_arrive_by_themselves_signed_for_the_official_library(till: Till, shop: Shop):
    to_shop(till, shop)
    till.bought()
    for kind in PURCHASE:
        arrived = shop.next()
        assert arrived.path == PATH
        assert stripe.WebhookSignature.verify_header(
            arrived.body, arrived.headers["Stripe-Signature"], STRIPE_SECRET, 300
        )
        event = till.stripe().verify_event(arrived.body, arrived.headers["Stripe-Signature"], real_now())
        assert (event.type, event.foreign) == (kind, None)


def test_without_an_address_nothing_is_sent_but_everything_is_listed(till: Till):
    till.bought()
    assert len(till.stripe().events(NOW)) == 3
    assert deliver(till) == []


def test_while_secrets_are_exchanged_both_sign(till: Till, shop: Shop):
    to_shop(till, shop, secrets=["whsec_new", STRIPE_SECRET], mode="held")
    till.bought()
    deliver(till)
    arrived = shop.next()
    assert arrived.headers["Stripe-Signature"].count("v1=") == 2
    assert till.stripe().verify_event(arrived.body, arrived.headers["Stripe-Signature"], real_now())


def test_a_failed_delivery_is_tried_again_until_it_is_taken(till: Till, shop: Shop):
    to_shop(till, shop, retry_seconds=[0, 0, 0])
    shop.statuses += [500, 302]
    till.customer()
    attempts = [shop.next() for _ in range(3)]
    assert len({one.body for one in attempts}) == 1
    for _ in range(500):  # the shop has the third attempt a moment before the postman has its answer
        [delivery] = till.stand_in.get("/_control/webhooks").json()["deliveries"]
        if delivery["state"] == "sent":
            break
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("sent", 3, 200)
    assert shop.all() == []


def test_retries_end_and_the_event_is_undelivered_until_somebody_sends_it(till: Till, shop: Shop):
    to_shop(till, shop, mode="held", retry_seconds=[0])
    till.bought()
    shop.statuses += [500] * 6
    assert {one["state"] for one in deliver(till)} == {"held"}
    assert {one["state"] for one in deliver(till)} == {"failed"}
    client = till.stripe()
    assert len(client.events(NOW, only_undelivered=True)) == 3
    assert {one["state"] for one in deliver(till)} == {"sent"}
    assert client.events(NOW, only_undelivered=True) == []


def test_held_events_come_in_the_order_asked_for(till: Till, shop: Shop):
    to_shop(till, shop, mode="held")
    till.bought()
    deliver(till, order="reversed")
    assert types_of(shop) == PURCHASE[::-1]
    for _ in range(5):
        till.bought()
    deliver(till, order="shuffled", seed=7)
    shuffled = types_of(shop)
    assert sorted(shuffled) == sorted(
        ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"] * 5
    )
    assert shuffled != ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"] * 5


def test_events_can_be_doubled_lost_found_and_sent_again(till: Till, shop: Shop):
    to_shop(till, shop, mode="held", copies=2, lose=1)
    till.bought()
    deliver(till)
    assert types_of(shop) == ["payment_intent.succeeded"] * 2 + ["checkout.session.completed"] * 2
    [lost] = till.stripe().events(NOW, only_undelivered=True)
    assert lost.type == "charge.succeeded"
    deliver(till, include_lost=True)
    assert types_of(shop) == ["charge.succeeded"] * 2
    till.order("webhooks/resend", provider="stripe", event_id=lost.id)
    assert [one["event_id"] for one in deliver(till)] == [lost.id]


def test_only_the_events_named_are_sent(till: Till, shop: Shop):
    to_shop(till, shop, mode="held")
    till.bought()
    done = till.stripe().events(NOW, ["checkout.session.completed"])[0]
    deliver(till, event_ids=[done.id])
    assert types_of(shop) == ["checkout.session.completed"]


@pytest.mark.parametrize("is_ordered_by_fault", [True, False])
def test_a_webhook_may_come_before_the_answer(till: Till, shop: Shop, is_ordered_by_fault: bool):
    intent_id = till.bought().payment_intent_id or ""
    to_shop(till, shop, mode="held", is_early=not is_ordered_by_fault)
    if is_ordered_by_fault:
        till.order("faults", path="/stripe/v1/refunds", fault="early", times=1)
    till.stripe().create_refund(intent_id, metadata={}, idempotency_key="r")
    assert types_of(shop) == ["charge.refunded", "refund.created"]


def test_a_webhook_may_come_late(till: Till, shop: Shop):
    to_shop(till, shop, delay_seconds=60)
    till.bought()
    assert shop.all() == []
    assert [one["state"] for one in deliver(till)] == ["sent"] * 3
    assert len(shop.all()) == 3


def test_an_endpoint_made_by_the_api_is_where_events_go(till: Till, shop: Shop, official):
    made = official.v1.webhook_endpoints.create({"url": shop.url + "/elsewhere", "enabled_events": ["*"]})
    assert made.secret == STRIPE_SECRET
    till.bought()
    assert shop.next().path == "/elsewhere"


def test_paystacks_events_are_signed_with_its_key(till: Till, shop: Shop):
    till.order("webhooks", provider="paystack", url=shop.url + "/api/webhooks/paystack", copies=2)
    till.paystack().initialize(
        email="a@example.com", amount=100, currency="KES", reference="tb-1", callback_url="https://shop.example/"
    )
    till.order("paystack/pay", reference="tb-1")
    first, second = shop.next(), shop.next()
    assert first.body == second.body
    check_signature(first.body, first.headers["x-paystack-signature"], [PAYSTACK_KEY])
    event = till.paystack().verify_event(first.body, first.headers["x-paystack-signature"])
    assert (event.type, event.reference, event.foreign) == ("charge.success", "tb-1", None)


def test_the_state_of_deliveries_is_shown_without_bodies_and_secrets(till: Till, shop: Shop):
    to_shop(till, shop, mode="held")
    till.bought()
    shown = till.stand_in.get("/_control/webhooks").json()
    assert shown["endpoints"]["stripe"]["url"] == shop.url + PATH
    assert shown["endpoints"]["stripe"]["secrets"] == 1
    assert [one["state"] for one in shown["deliveries"]] == ["held"] * 3
    assert "body" not in shown["deliveries"][0]
