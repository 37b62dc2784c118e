"""StripeClient where money moves: saved cards, refunds, disputes, invoices."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.providers.stand_in import NOW
from tests.providers.till import Till
from tokenboard.providers.payments import AuthenticationRequired, CardDeclined, IdempotencyMismatch, InvalidRequest
from tokenboard.providers.stripe_objects import PaymentIntent


def _top_up(till: Till, customer_id: str, key: str = "topup-1") -> PaymentIntent:
    client = till.stripe()
    card = client.saved_card(customer_id)
    assert card is not None
    return client.charge_saved_card(
        customer_id=customer_id,
        payment_method_id=card.id,
        amount=500,
        currency="usd",
        description="Automatic top-up",
        metadata={"order_id": key},
        idempotency_key=key,
    )


def test_a_card_saved_at_checkout_pays_the_next_top_up_once(till: Till):
    customer_id = till.customer()
    assert till.stripe().saved_card(customer_id) is None
    till.bought(customer_id=customer_id, save_card=True)
    paid = _top_up(till, customer_id)
    assert (paid.status, paid.amount_received, paid.metadata) == ("succeeded", 500, {"order_id": "topup-1"})
    assert _top_up(till, customer_id) == paid
    assert till.event_types().count("payment_intent.succeeded") == 2


def test_a_card_that_is_not_to_be_kept_is_not_kept(till: Till):
    customer_id = till.customer()
    till.bought(customer_id=customer_id)
    assert till.stripe().saved_cards(customer_id) == []


def test_the_newest_card_chosen_is_the_one_that_is_charged(till: Till):
    customer_id = till.customer()
    till.order("stripe/cards", customer=customer_id, card="success")
    till.order("stripe/cards", customer=customer_id, card="insufficient_funds")
    card = till.stripe().saved_card(customer_id)
    assert card is not None
    assert (card.brand, card.last4) == ("visa", "9995")


@pytest.mark.parametrize(
    ("card", "kind", "code", "words"),
    [
        ("fails_later", CardDeclined, "generic_decline", "The bank declined the card. Nothing was charged."),
        ("insufficient_funds", CardDeclined, "insufficient_funds", "The card has insufficient funds."),
        ("authenticates_later", AuthenticationRequired, "authentication_required", "wants you to confirm"),
    ],
)
def test_a_decline_has_its_name_and_stays_the_same_under_its_key(
    till: Till, card: str, kind: type[CardDeclined], code: str, words: str
):
    customer_id = till.customer()
    till.order("stripe/cards", customer=customer_id, card=card)
    for _ in range(2):
        with pytest.raises(CardDeclined) as caught:
            _top_up(till, customer_id)
        assert type(caught.value) is kind
        assert caught.value.code == code
        assert words in caught.value.user_message
        assert not caught.value.is_outcome_unknown
        assert till.stripe().payment_intent(caught.value.payment_intent_id).status == "requires_payment_method"
    assert till.event_types().count("payment_intent.payment_failed") == 1


def test_refunds_add_up_and_stop_at_what_was_paid(till: Till):
    intent_id = till.bought().payment_intent_id
    assert intent_id is not None
    client = till.stripe()
    part = client.create_refund(intent_id, amount=150, metadata={"row": "1"}, idempotency_key="refund-1")
    assert (part.status, part.amount, part.payment_intent_id, part.metadata) == (
        "succeeded",
        150,
        intent_id,
        {"row": "1"},
    )
    assert client.create_refund(intent_id, amount=150, metadata={"row": "1"}, idempotency_key="refund-1") == part
    with pytest.raises(IdempotencyMismatch):
        client.create_refund(intent_id, amount=151, metadata={"row": "1"}, idempotency_key="refund-1")
    with pytest.raises(InvalidRequest) as caught:
        client.create_refund(intent_id, amount=351, metadata={}, idempotency_key="refund-2")
    assert "greater than unrefunded amount" in caught.value.detail
    rest = client.create_refund(intent_id, metadata={}, idempotency_key="refund-3")
    assert rest.amount == 350
    assert client.refunds(intent_id) == [rest, part]
    assert client.refund(rest.id) == rest
    charge = client.charge(part.charge_id or "")
    assert (charge.amount, charge.amount_refunded, charge.is_refunded) == (500, 500, True)
    with pytest.raises(InvalidRequest):
        client.create_refund(intent_id, metadata={}, idempotency_key="refund-4")


def test_a_refund_may_wait_and_may_fail(till: Till):
    intent_id = till.bought().payment_intent_id
    assert intent_id is not None
    client = till.stripe()
    till.order("stripe/next_refund", status="pending")
    waiting = client.create_refund(intent_id, metadata={}, idempotency_key="r1")
    assert waiting.status == "pending"
    till.order("stripe/refunds", id=waiting.id, status="failed")
    failed = client.refund(waiting.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert client.charge(failed.charge_id or "").amount_refunded == 0


def test_disputes_are_read(till: Till):
    intent_id = till.bought().payment_intent_id
    assert intent_id is not None
    opened = till.order("stripe/disputes", payment_intent=intent_id, amount=400)["object"]
    client = till.stripe()
    [dispute] = client.disputes(intent_id)
    assert client.dispute(opened["id"]) == dispute
    assert (dispute.status, dispute.amount, dispute.is_inquiry) == ("needs_response", 400, False)
    assert client.charge(dispute.charge_id or "").is_disputed
    till.order("stripe/disputes", id=dispute.id, status="won")
    assert client.dispute(dispute.id).status == "won"


def test_a_payment_leads_to_its_invoice_and_a_packs_to_none(till: Till):
    client = till.stripe()
    plan, pack = till.subscribed(), till.bought()
    [paid] = client.invoice_payments(invoice_id=plan.invoice_id)
    assert paid.payment_intent_id is not None
    invoice = client.invoice_of_payment(paid.payment_intent_id)
    assert invoice is not None
    assert (invoice.id, invoice.billing_reason, invoice.amount_paid) == (plan.invoice_id, "subscription_create", 1_999)
    assert invoice.subscription_id == plan.subscription_id
    assert client.invoice_of_payment(pack.payment_intent_id or "") is None


def test_an_invoices_lines_say_what_was_bought_for_when(till: Till):
    client = till.stripe()
    plan = till.subscribed()
    assert plan.subscription_id is not None
    till.renew(plan.subscription_id)
    renewal, first = client.invoices(since=NOW - timedelta(days=1), status="paid", subscription_id=plan.subscription_id)
    [line] = renewal.lines
    assert client.invoice_lines(renewal.id) == [line]
    assert (line.amount, line.price_id, line.quantity, line.is_proration) == (1_999, "price_SbxProMonth", 1, False)
    assert line.period_start == first.lines[0].period_end
    [item] = client.subscription(plan.subscription_id).items
    assert (line.subscription_item_id, line.period_end) == (item.id, item.period_end)
    assert renewal.paid_at is not None
    assert renewal.hosted_url == f"{till.url}/stripe/invoice/{renewal.id}"
    assert not renewal.has_more_lines
