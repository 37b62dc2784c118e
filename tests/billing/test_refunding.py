"""The operator gives money back while the provider breaks: once, however often it is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.billing.market import PACK, Market
from tokenboard.billing import reconciling, tasks
from tokenboard.billing.models import Refund
from tokenboard.core.clock import now
from tokenboard.core.db import db

STRIPE, PAYSTACK = "stripe", "paystack"


def bought(market: Market, provider: str) -> str:
    if provider == STRIPE:
        reference = str(market.post("/api/billing/checkout", packageId=PACK)["reference"])
        market.control("stripe/sessions", id=str(market.payment(reference).object_id))
    else:
        reference = str(market.post("/api/checkout/start", packageId=PACK, currency="USD")["reference"])
        market.control("paystack/pay", reference=reference, outcome="success")
    market.deliver()
    assert market.credits == 100
    return reference


def click(market: Market, reference: str, key: str | None = None) -> int:
    ada = market.people.bearer(market.people.ada)
    wanted = {"amountCents": 40} | ({"idempotencyKey": key} if key else {})
    return ada.post(f"/api/admin/payments/{reference}/refund", json=wanted).status_code


def later(market: Market, **age: Any) -> None:
    """So much time passes over the refunds that were ordered."""
    with market.app.app_context():
        moment = now() - timedelta(**age)
        waiting = db.update(Refund).where(Refund.next_ask_at.is_not(None)).values(next_ask_at=moment)
        db.session.execute(waiting)
        db.session.execute(db.update(Refund).values(created_at=moment))
        db.session.commit()


def rows(market: Market) -> list[Refund]:
    with market.app.app_context():
        wanted = db.select(Refund).where(Refund.payment_id.is_not(None))  # the sandbox tells of other tests' too
        return list(db.session.scalars(wanted.order_by(Refund.created_at)))


def made_at_the_provider(market: Market, provider: str, reference: str) -> int:
    with market.app.app_context():
        clients = market.app.extensions["clients"]
        if provider == STRIPE:
            return len(clients.stripe().refunds(market.payment(reference).payment_intent_id))
        listed = clients.paystack().refunds(now() - timedelta(days=2), now() + timedelta(days=1))
        return sum(one.reference == reference for one in listed)


def let_it_be_processed(market: Market, provider: str) -> None:
    if provider == PAYSTACK:
        market.control("paystack/refunds", id=rows(market)[0].provider_id, status="processed")
    market.deliver()


@pytest.mark.parametrize("fault", ["after-500", "after-hangup"])
@pytest.mark.parametrize("provider", [STRIPE, PAYSTACK])
def test_a_refund_whose_answer_was_lost_is_not_made_again(market: Market, provider: str, fault: str):
    reference = bought(market, provider)
    market.control("faults", path=f"/{provider}/v1/refunds" if provider == STRIPE else "/paystack/refund", fault=fault)
    if provider == STRIPE:  # the library asks again by itself
        market.control("faults", path="/stripe/v1/refunds", fault="500", times=2)
    assert click(market, reference) == 502

    assert click(market, reference) == 202  # too soon to ask again: it is still under way
    later(market, minutes=3)
    assert click(market, reference) == 202

    assert made_at_the_provider(market, provider, reference) == 1
    let_it_be_processed(market, provider)
    assert market.credits == 60
    assert [row.state for row in rows(market)] == ["succeeded"]


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "never begun"])
@pytest.mark.parametrize("provider", [STRIPE, PAYSTACK])
def test_a_refund_that_was_left_is_finished_by_the_sweeper(market: Market, provider: str, is_begun: bool):
    reference = bought(market, provider)
    path = "/stripe/v1/refunds" if provider == STRIPE else "/paystack/refund"
    if is_begun:
        market.control("faults", path=path, fault="after-500")
    market.control("faults", path=path, fault="500", times=(3 if provider == STRIPE else 1) - is_begun)
    assert click(market, reference) == 502
    later(market, minutes=3)

    market.sweep()

    assert made_at_the_provider(market, provider, reference) == 1
    let_it_be_processed(market, provider)
    assert market.credits == 60


def test_the_same_click_after_a_day_finds_what_the_event_told(market: Market):
    reference = bought(market, STRIPE)
    market.control("faults", path="/stripe/v1/refunds", fault="after-500")
    market.control("faults", path="/stripe/v1/refunds", fault="500", times=2)
    assert click(market, reference, "half-a-pack-back") == 502
    market.deliver()  # the event of the refund tells what the answer did not

    later(market, hours=30)
    assert click(market, reference, "half-a-pack-back") == 202

    assert made_at_the_provider(market, STRIPE, reference) == 1
    assert market.credits == 60


def test_an_event_before_the_answer_does_not_leave_the_order_waiting(market: Market):
    reference = bought(market, PAYSTACK)
    market.control("faults", path="/paystack/refund", fault="after-500")
    assert click(market, reference) == 502
    market.deliver()  # `refund.pending`, by which the list is read
    later(market, minutes=3)

    assert click(market, reference) == 202

    assert [(row.state, row.actor != "") for row in rows(market)] == [("pending", True)]
    let_it_be_processed(market, PAYSTACK)
    assert market.credits == 60


def test_a_refused_refund_can_be_tried_again(market: Market):
    reference = bought(market, PAYSTACK)
    market.control("faults", path="/paystack/refund", fault="revoked")
    assert click(market, reference) == 502
    assert [row.state for row in rows(market)] == ["failed"]

    assert click(market, reference) == 202

    assert sorted(row.state for row in rows(market)) == ["failed", "pending"]
    assert made_at_the_provider(market, PAYSTACK, reference) == 1


def test_a_lost_refund_and_a_lost_dispute_are_found_by_the_reconciler(market: Market):
    reference = bought(market, PAYSTACK)
    market.control("webhooks", provider="paystack", lose=10)
    made = market.control("paystack/refunds", transaction=reference, amount=40)
    market.control("paystack/refunds", id=made["object"]["id"], status="processed")
    market.control("paystack/disputes", reference=reference, amount=30)
    market.deliver()
    assert market.credits == 100

    with market.app.app_context():
        found = [one.what for one in reconciling.reconcile(is_healing=False) if one.provider == PAYSTACK]
        assert len(found) == 2
    assert market.credits == 100
    with market.app.app_context():
        reconciling.reconcile(is_healing=True)
        assert [one for one in reconciling.reconcile(is_healing=True) if one.provider == PAYSTACK] == []
    assert market.credits == 30


@pytest.mark.parametrize("is_found", [True, False])
def test_a_charge_that_a_day_has_passed_over_is_looked_for_and_not_repeated(market: Market, is_found: bool):
    bought(market, STRIPE)
    rule = {"enabled": True, "thresholdCredits": 1_000_000, "packageId": PACK, "monthlyCapCents": 150}
    market.alice.put("/api/credits/auto-topup", json=rule)
    if is_found:
        market.control("faults", path="/stripe/v1/payment_intents", fault="after-500")
    market.control("faults", path="/stripe/v1/payment_intents", fault="500", times=3 - is_found)
    with market.app.app_context():
        tasks.top_up(market.people.alice.workspace_id)
        day_before = now() - timedelta(hours=30)
        db.session.execute(
            db.text("UPDATE payment SET created_at = :then, next_check_at = :then WHERE kind = 'top_up'"),
            {"then": day_before},
        )
        db.session.commit()
        tasks.check_open_orders()
        states = db.session.scalars(db.text("SELECT state FROM payment WHERE kind = 'top_up'")).all()

    assert states == ["credited" if is_found else "expired"]
    assert market.credits == (200 if is_found else 100)
