"""Buying through the sandbox's Paystack: dollars, shillings, M-Pesa, refunds and disputes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.market import PACK, Market
from tokenboard.billing import reconciling, tasks
from tokenboard.billing.models import Payment
from tokenboard.core.db import db


def start(market: Market, **body: Any) -> str:
    return str(market.post("/api/checkout/start", **({"packageId": PACK, "currency": "KES"} | body))["reference"])


def mpesa(market: Market) -> str:
    asked = market.post("/api/checkout/mpesa", packageId=PACK, phone="0712 345 678")
    assert asked["status"] == "pending"
    return str(asked["reference"])


def state(market: Market, reference: str) -> str:
    return str(market.alice.get(f"/api/checkout/{reference}").json["status"])


def ask(market: Market, reference: str) -> None:
    """The sweeper's next question about this order is due."""
    with market.app.app_context():
        db.session.execute(db.update(Payment).where(Payment.id == reference).values(next_check_at=Payment.created_at))
        db.session.commit()
        tasks.sweep()


def test_a_pack_in_shillings_freezes_its_rate_and_is_credited_by_the_callback(market: Market):
    reference = start(market)
    order = market.payment(reference)
    assert (order.amount_minor, order.currency, order.exchange_rate) == (12_900, "kes", "129")
    market.control("paystack/pay", reference=reference, outcome="success")

    answers = [market.app.test_client().get(f"/payments/paystack/callback?reference={reference}") for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == ["/credits?payment=success"] * 2
    assert market.credits == 100


def test_the_webhook_and_the_callback_together_make_one_grant(market: Market):
    reference = start(market, currency="USD")
    market.control("paystack/pay", reference=reference, outcome="success")

    market.deliver()
    market.app.test_client().get(f"/payments/paystack/callback?trxref={reference}")

    assert market.credits == 100


def test_a_typed_amount_buys_credits_at_their_value(market: Market):
    asked = {"amountUsd": 12.5, "currency": "USD"}
    reference = str(market.post("/api/checkout/start", **asked)["reference"])
    market.control("paystack/pay", reference=reference, outcome="success")

    market.deliver()

    assert market.credits == 1_250


def test_a_payment_of_another_amount_brings_nothing(market: Market):
    reference = start(market)
    market.control("paystack/pay", reference=reference, outcome="success", amount=100)

    market.deliver()
    shown = market.app.test_client().get(f"/payments/paystack/callback?reference={reference}")

    assert shown.headers["Location"] == "/credits?payment=pending"
    assert (market.credits, market.payment(reference).credited_at) == (0, None)


def test_a_declined_card_is_found_by_asking(market: Market):
    reference = start(market)
    market.control("paystack/pay", reference=reference, outcome="failed")

    shown = market.app.test_client().get(f"/payments/paystack/callback?reference={reference}")

    assert shown.headers["Location"] == "/credits?payment=failed"
    assert (market.credits, state(market, reference)) == (0, "failed")


@pytest.mark.parametrize("reference", ["", "nobody", "00000000-0000-4000-8000-000000000000"])
def test_a_made_up_reference_leads_back_and_nowhere_else(market: Market, reference: str):
    shown = market.app.test_client().get(f"/payments/paystack/callback?reference={reference}")

    assert (shown.status_code, shown.headers["Location"]) == (303, "/credits?payment=failed")


def test_mpesa_is_accepted(market: Market):
    reference = mpesa(market)
    market.control("paystack/phone", reference=reference, answer="accept")

    market.deliver()

    assert (market.credits, state(market, reference)) == (100, "credited")


@pytest.mark.parametrize("answer", ["decline", "expire"])
def test_mpesa_that_is_not_accepted_ends_without_credits(market: Market, answer: str):
    reference = mpesa(market)
    market.control("paystack/phone", reference=reference, answer=answer)

    ask(market, reference)

    assert market.credits == 0
    assert state(market, reference) in ("failed", "expired")


def test_a_number_that_is_none_is_refused(market: Market):
    answer = market.alice.post("/api/checkout/mpesa", json={"packageId": PACK, "phone": "12345"})

    assert answer.status_code == 422


def test_a_refund_takes_its_share_when_it_is_processed(market: Market):
    reference = start(market, currency="USD")
    market.control("paystack/pay", reference=reference, outcome="success")
    market.deliver()
    ada = market.people.bearer(market.people.ada)

    asked = ada.post(f"/api/admin/payments/{reference}/refund", json={"amountCents": 50})
    assert (asked.status_code, asked.json["refund"]["status"]) == (202, "pending")
    market.deliver()
    assert market.credits == 100

    number = _refund_number(market, reference)
    market.control("paystack/refunds", id=number, status="processed")
    market.deliver()
    assert market.credits == 50


def _refund_number(market: Market, reference: str) -> str:
    with market.app.app_context():
        found = db.session.execute(db.text("SELECT provider_id FROM refund WHERE provider = 'paystack'")).scalar()
    return str(found)


@pytest.mark.parametrize(("act", "left"), [("merchant-accepted", 0), ("declined", 100)])
def test_a_dispute_takes_the_credits_and_its_end_decides(market: Market, act: str, left: int):
    reference = start(market, currency="USD")
    market.control("paystack/pay", reference=reference, outcome="success")
    market.deliver()

    opened = market.control("paystack/disputes", reference=reference)
    market.deliver()
    assert market.credits == 0

    market.control("paystack/disputes", id=opened["object"]["id"], act=act)
    market.deliver()
    assert market.credits == left


def test_a_lost_webhook_is_mended_by_the_reconciler(market: Market):
    market.control("webhooks", provider="paystack", lose=5)
    reference = start(market)
    market.control("paystack/pay", reference=reference, outcome="success")
    market.deliver()
    assert market.credits == 0

    with market.app.app_context():
        assert [one.object_id for one in reconciling.reconcile(is_healing=False) if one.provider == "paystack"] == [
            reference
        ]
        reconciling.reconcile(is_healing=True)

    assert market.credits == 100
