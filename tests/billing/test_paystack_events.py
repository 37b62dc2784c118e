"""Paystack's events without a network: duplicates, other states, lists without names, late reminders."""

from __future__ import annotations

import pytest

from tests.billing.events import deliver_paystack, event, session
from tests.billing.paystack_shop import (
    charge_success,
    dispute_event,
    listed_refund,
    paystack_order,
    paystack_paid,
    refund_event,
    verified,
)
from tests.billing.shop import Shop
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing import reconciling
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.core.db import db
from tokenboard.providers.paystack_objects import PaystackStatus


def tell(shop: Shop, *told: dict[str, object]) -> None:
    """Events arrive and the sweeper handles them."""
    for one in told:
        assert deliver_paystack(shop.app, one).status_code == 200
        shop.due()


def bought(shop: Shop) -> str:
    reference = paystack_paid(shop)
    tell(shop, charge_success(reference))
    assert shop.credits == 100
    return reference


def test_a_duplicate_in_other_words_is_one_grant(shop: Shop):
    reference = bought(shop)

    tell(shop, charge_success(reference), charge_success(reference, status="SUCCESS"), charge_success(reference, 2))

    assert shop.credits == 100


@pytest.mark.parametrize("number", [1, 2], ids=["the same event", "another event"])
def test_an_event_that_verify_does_not_confirm_waits(shop: Shop, number: int):
    reference = paystack_order(shop)
    shop.providers.paystack().verified[reference] = verified(reference, status=PaystackStatus.PENDING)
    tell(shop, charge_success(reference))
    assert shop.credits == 0

    shop.providers.paystack().verified[reference] = verified(reference)
    tell(shop, charge_success(reference, number))

    assert shop.credits == 100


def test_an_order_of_stripe_is_not_paid_through_paystack(shop: Shop):
    order = shop.order()
    shop.providers.paystack().verified[order] = verified(order)

    tell(shop, charge_success(order))

    assert shop.credits == 0
    with shop.app.app_context():
        assert "billing.event_refused" in {one.kind for one in open_alerts()}


def test_an_order_of_paystack_is_not_paid_through_stripe(shop: Shop):
    reference = paystack_paid(shop)

    assert shop.tell(event("checkout.session.completed", session(client_reference_id=reference))) == ["ignored"]

    assert shop.credits == 0


def test_a_refund_is_found_in_a_list_that_names_payments_by_number_only(shop: Shop):
    reference = bought(shop)
    shop.providers.paystack().listed_refunds = [
        listed_refund(7, None, "processed"),
        listed_refund(8, None, "processed", 900, transaction=2),  # somebody else's
    ]

    tell(shop, refund_event(reference, "processed", "TRF_7"))

    assert shop.credits == 69


def test_an_older_list_does_not_call_a_refund_pending_again(shop: Shop):
    reference = bought(shop)
    shop.providers.paystack().listed_refunds = [listed_refund(7, reference, "processed")]
    tell(shop, refund_event(reference, "processed", "TRF_7"))
    assert shop.credits == 69

    shop.providers.paystack().listed_refunds = [listed_refund(7, reference, "processing")]
    tell(shop, refund_event(reference, "processing"))

    assert shop.credits == 69


def test_two_refunds_told_in_the_same_bytes_both_count_in_the_end(shop: Shop):
    reference = bought(shop)
    shop.providers.paystack().listed_refunds = [listed_refund(7, reference, "processed")]
    tell(shop, refund_event(reference, "processed"))
    assert shop.credits == 69

    shop.providers.paystack().listed_refunds.append(listed_refund(8, reference, "processed"))
    tell(shop, refund_event(reference, "processed"))  # the same event, as far as anybody can see
    with shop.app.app_context():
        reconciling.reconcile(is_healing=True)

    assert shop.credits == 39  # 100 × 600 / 999 is 60.06


@pytest.mark.parametrize(("resolution", "left"), [("declined", 100), ("merchant-accepted", 0)])
def test_a_reminder_after_the_decision_changes_nothing(shop: Shop, resolution: str, left: int):
    reference = bought(shop)

    tell(
        shop,
        dispute_event(reference, "create", "awaiting-merchant-feedback"),
        dispute_event(reference, "resolve", "resolved", resolution),
        dispute_event(reference, "remind", "awaiting-merchant-feedback"),
    )

    assert shop.credits == left


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)], ids=str)
def test_a_won_dispute_ends_the_same_in_every_order(shop: Shop, order: tuple[int, ...]):
    reference = bought(shop)
    told = [
        dispute_event(reference, "create", "awaiting-merchant-feedback"),
        dispute_event(reference, "remind", "awaiting-merchant-feedback"),
        dispute_event(reference, "resolve", "resolved", "declined"),
    ]

    tell(shop, *(told[number] for number in order), *told)

    assert shop.credits == 100


def test_a_live_event_at_a_test_key_brings_nothing_and_is_seen(shop: Shop):
    told = charge_success(paystack_paid(shop))
    told["data"]["domain"] = "live"

    tell(shop, told)

    assert shop.credits == 0
    with shop.app.app_context():
        assert db.session.scalars(db.select(InboxEvent.state)).one() == "ignored"
        assert "billing.event_refused" in {one.kind for one in open_alerts()}
