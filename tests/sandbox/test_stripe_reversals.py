"""Refunds, disputes and odd objects in the sandbox, with the events they cause."""

from __future__ import annotations

import pytest
import requests

from tests.providers.stand_in import NOW
from tests.providers.till import Till


def paid(till: Till) -> tuple[str, int]:
    """A payment, and how many events there were until then."""
    intent_id = till.bought().payment_intent_id
    assert intent_id is not None
    return intent_id, len(till.event_types())


def test_a_partial_refund_tells_the_sum_so_far(till: Till):
    intent_id, mark = paid(till)
    for amount in (150, 350):
        till.order("stripe/refunds", payment_intent=intent_id, amount=amount)
    assert till.event_types()[mark:] == ["charge.refunded", "refund.created"] * 2
    first, second = till.stripe().events(NOW, ["charge.refunded"])
    assert (first.object["amount_refunded"], first.object["refunded"]) == (150, False)
    assert (second.object["amount_refunded"], second.object["refunded"]) == (500, True)
    assert second.previous == {"amount_refunded": 150}


@pytest.mark.parametrize(
    ("status", "events"),
    [
        ("succeeded", ["refund.updated"]),
        ("failed", ["refund.failed", "refund.updated"]),
        ("canceled", ["refund.updated"]),
    ],
)
def test_a_pending_refund_ends_in_one_of_three_ways(till: Till, status: str, events: list[str]):
    intent_id, _ = paid(till)
    till.order("stripe/next_refund", status="pending")
    made = till.stripe().create_refund(intent_id, metadata={}, idempotency_key="r")
    mark = len(till.event_types())
    for _ in range(2):
        till.order("stripe/refunds", id=made.id, status=status)
    assert till.event_types()[mark:] == events


def test_a_refund_that_had_succeeded_may_still_fail(till: Till):
    intent_id, _ = paid(till)
    made = till.stripe().create_refund(intent_id, metadata={}, idempotency_key="r")
    till.order("stripe/refunds", id=made.id, status="failed")
    assert till.stripe().charge(made.charge_id or "").amount_refunded == 0
    assert till.event_types()[-2:] == ["refund.failed", "refund.updated"]


@pytest.mark.parametrize(
    ("is_inquiry", "ending", "events"),
    [
        (
            False,
            "won",
            ["created", "funds_withdrawn", "closed", "funds_reinstated"],
        ),
        (False, "lost", ["created", "funds_withdrawn", "closed"]),
        (True, "warning_closed", ["created", "closed"]),
    ],
)
def test_a_dispute_moves_money_there_and_back(till: Till, is_inquiry: bool, ending: str, events: list[str]):
    intent_id, mark = paid(till)
    made = till.order("stripe/disputes", payment_intent=intent_id, inquiry=is_inquiry)["object"]
    till.order("stripe/disputes", id=made["id"], status=ending)
    assert till.event_types()[mark:] == [f"charge.dispute.{name}" for name in events]
    [closed] = till.stripe().events(NOW, ["charge.dispute.closed"])
    assert (closed.object["status"], closed.object["amount"]) == (ending, 500)


def test_a_dispute_under_review_is_only_updated(till: Till):
    intent_id, _ = paid(till)
    made = till.order("stripe/disputes", payment_intent=intent_id)["object"]
    mark = len(till.event_types())
    till.order("stripe/disputes", id=made["id"], status="under_review")
    assert till.event_types()[mark:] == ["charge.dispute.updated"]


def test_a_closed_dispute_stays_closed(till: Till):
    intent_id, _ = paid(till)
    made = till.order("stripe/disputes", payment_intent=intent_id)["object"]
    till.order("stripe/disputes", id=made["id"], status="lost")
    again = requests.post(f"{till.url}/_control/stripe/disputes", json={"id": made["id"], "status": "won"}, timeout=5)
    assert again.status_code == 422


def test_a_manual_invoice_hangs_on_nothing(till: Till):
    made = till.order("stripe/manual_invoice", customer=till.customer(), amount=4_200)["object"]
    invoice = till.stripe().invoice(made["id"])
    assert (invoice.status, invoice.subscription_id, invoice.amount_paid) == ("paid", None, 4_200)
    [line] = invoice.lines
    assert (line.subscription_item_id, line.is_proration) == (None, False)


def test_the_catalogue_tells_of_its_changes(till: Till, official):
    made = official.v1.products.create({"name": "Extra", "metadata": {"includedCredits": "50"}})
    price = official.v1.prices.create({"currency": "usd", "unit_amount": 50, "product": made.id})
    official.v1.products.update(made.id, {"metadata": {"includedCredits": "60"}})
    official.v1.prices.update(price.id, {"active": False})
    with pytest.raises(Exception, match="user-created prices"):
        official.v1.products.delete(made.id)
    till.order("stripe/prices/delete", id=price.id)
    official.v1.products.delete(made.id)
    events = till.stripe().events(NOW)
    assert [event.type for event in events] == [
        "product.created",
        "price.created",
        "product.updated",
        "price.updated",
        "price.deleted",
        "product.deleted",
    ]
    assert events[2].previous["metadata"] == {"includedCredits": "50"}
    assert events[3].previous == {"active": True}


def test_a_deleted_customer_loses_its_subscriptions(till: Till, official):
    session = till.subscribed()
    official.v1.customers.delete(session.customer_id)
    assert till.event_types()[-2:] == ["customer.subscription.deleted", "customer.deleted"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("stripe/clock", {"seconds": -1}),
        ("stripe/clock", {"to": "2027-01-01T00:00:00"}),
        ("stripe/clock", {"to": "next_renewal", "subscription": "sub_x"}),
        ("stripe/sessions", {"id": "cs_x"}),
        ("stripe/cards", {"customer": "cus_x", "card": "gold"}),
        ("stripe/disputes", {"id": "dp_x", "status": "thrown"}),
        ("stripe/next_refund", {"status": "soon"}),
        ("stripe/refunds", {"payment_intent": "pi_x"}),
        ("webhooks", {"provider": "bank"}),
        ("webhooks", {"provider": "stripe", "mode": "sometimes"}),
        ("webhooks", {"provider": "stripe", "colour": "red"}),
        ("webhooks/resend", {"provider": "stripe", "event_id": "evt_x"}),
        ("paystack/pay", {"reference": "x"}),
        ("paystack/refunds", {"id": 7, "status": "processed"}),
        ("paystack/disputes", {"id": 7, "act": "remind"}),
    ],
)
def test_a_control_call_that_makes_no_sense_is_refused(till: Till, path: str, body: dict[str, object]):
    answer = requests.post(f"{till.url}/_control/{path}", json=body, timeout=5)
    assert answer.status_code == 422
    assert answer.json()["error"]
