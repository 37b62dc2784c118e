"""Packs through Stripe: cases 1 to 7 of the reference, each with its ledger effect."""

from __future__ import annotations

import pytest

from tests.billing.events import NOON, event, session
from tests.billing.shop import Shop

COMPLETED, SUCCEEDED = "checkout.session.completed", "checkout.session.async_payment_succeeded"
FAILED, EXPIRED = "checkout.session.async_payment_failed", "checkout.session.expired"
UNPAID = {"payment_status": "unpaid"}


def test_a_paid_pack_is_credited_once_however_often_it_is_told(shop: Shop):
    order = shop.order()
    told = event(COMPLETED, session())

    assert shop.tell(told, told, event(COMPLETED, session())) == ["done", "done", "done"]

    assert shop.credits == 100
    assert shop.grant_keys() == ["stripe:cs_pack"]
    assert shop.payment(order).state == "credited"


def test_a_session_finds_its_order_before_its_own_answer_was_stored(shop: Shop):
    order = shop.order(session_id=None)

    shop.tell(event(COMPLETED, session(client_reference_id=order)))

    assert shop.credits == 100
    assert shop.payment(order).object_id == "cs_pack"


def test_a_delayed_method_is_credited_when_the_money_comes(shop: Shop):
    order = shop.order()

    shop.tell(event(COMPLETED, session(**UNPAID)))
    assert (shop.credits, shop.payment(order).state) == (0, "pending")

    shop.tell(event(SUCCEEDED, session(), created=NOON + 500), event(SUCCEEDED, session(), created=NOON + 500))
    assert (shop.credits, shop.payment(order).state) == (100, "credited")


def test_success_before_completed_is_not_set_back(shop: Shop):
    order = shop.order()

    shop.tell(event(SUCCEEDED, session()), event(COMPLETED, session(**UNPAID)))

    assert (shop.credits, shop.payment(order).state) == (100, "credited")


def test_a_delayed_method_that_fails_brings_nothing(shop: Shop):
    order = shop.order()

    shop.tell(event(COMPLETED, session(**UNPAID)), event(FAILED, session(**UNPAID)))

    assert (shop.credits, shop.payment(order).state) == (0, "failed")


def test_a_failure_after_success_takes_nothing_back(shop: Shop):
    order = shop.order()

    shop.tell(event(SUCCEEDED, session()), event(FAILED, session(**UNPAID)))

    assert (shop.credits, shop.payment(order).state) == (100, "credited")


@pytest.mark.parametrize("is_first", [True, False])
def test_an_expiry_changes_nothing_once_it_was_paid(shop: Shop, is_first: bool):
    order = shop.order()
    gone = event(EXPIRED, session(status="expired", **UNPAID))
    paid = event(COMPLETED, session())

    shop.tell(*((gone, paid) if is_first else (paid, gone)))

    assert (shop.credits, shop.payment(order).state) == (100, "credited")


def test_an_expired_checkout_ends_the_order(shop: Shop):
    order = shop.order()

    shop.tell(event(EXPIRED, session(status="expired", **UNPAID)))

    assert (shop.credits, shop.payment(order).state) == (0, "expired")


def test_a_free_order_by_promotion_is_credited_without_a_payment_intent(shop: Shop):
    shop.order()
    free = session(
        payment_status="no_payment_required",
        payment_intent=None,
        amount_total=0,
        total_details={"amount_discount": 999, "amount_shipping": 0, "amount_tax": 0},
    )

    shop.tell(event(COMPLETED, free), event(COMPLETED, free))

    assert shop.credits == 100


def test_quantity_counts_and_discount_and_tax_do_not(shop: Shop):
    shop.order(quantity=3)
    details = {"amount_discount": 897, "amount_shipping": 0, "amount_tax": 500}
    about = session(total_details=details, amount_subtotal=2_997, amount_total=2_600)

    shop.tell(event(COMPLETED, about))

    assert shop.credits == 300


def test_yen_have_no_cents(shop: Shop):
    order = shop.order("price_yen")

    shop.tell(event(COMPLETED, session(amount_subtotal=1_500, amount_total=1_500, currency="jpy")))

    assert shop.credits == 100
    assert shop.payment(order).charged_minor == 1_500


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_subtotal": 1, "amount_total": 1},
        {"amount_subtotal": 99_900},
        {"amount_total": 1},
        {"amount_total": 1, "total_details": {"amount_discount": 900, "amount_shipping": 0, "amount_tax": 0}},
        {"currency": "jpy"},
        {"id": "cs_other", "client_reference_id": "ours"},
    ],
)
def test_what_was_not_ordered_is_refused_visibly(shop: Shop, wrong: dict[str, object]):
    order = shop.order()
    about = session() | wrong
    if about["client_reference_id"]:
        about["client_reference_id"] = order

    assert shop.tell(event(COMPLETED, about)) == ["ignored"]

    assert (shop.credits, shop.payment(order).credited_at) == (0, None)


def test_a_plans_order_is_not_paid_by_a_checkout_for_credits(shop: Shop):
    order = shop.order("price_month", "cs_plan")

    assert shop.tell(event(COMPLETED, session("cs_plan", amount_subtotal=1_999, amount_total=1_999))) == ["ignored"]

    assert (shop.credits, shop.payment(order).credited_at) == (0, None)


def test_an_expired_order_whose_money_is_on_its_way_is_asked_about_again(shop: Shop):
    order = shop.order()
    shop.tell(event(EXPIRED, session(status="expired", **UNPAID)), event(COMPLETED, session(**UNPAID)))

    assert shop.payment(order).state == "pending"
    assert shop.payment(order).next_check_at is not None
