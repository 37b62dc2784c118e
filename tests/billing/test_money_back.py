"""Refunds and disputes: cases 16 to 18 of the reference, each with its ledger effect."""

from __future__ import annotations

import itertools

import pytest

from tests.billing.events import NOON, charge, dispute, event, invoice, line, refund, session
from tests.billing.shop import Shop
from tokenboard.core.db import db
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.ledger import service as ledger
from tokenboard.providers import stripe_billing_answers as read
from tokenboard.workspaces.models import Workspace


def buy(shop: Shop) -> str:
    order = shop.order()
    shop.tell(event("checkout.session.completed", session()))
    return order


def spend(shop: Shop, amount: int) -> None:
    with shop.app.app_context():
        wallet = db.session.get_one(Workspace, shop.home).ledger_account_id
        ledger.spend(wallet_id=wallet, amount_micros=amount * MICROS_PER_CREDIT, key=f"test-{amount}")
        db.session.commit()


def partial(at: int = NOON + 100) -> list[dict[str, object]]:
    return [
        event("charge.refunded", charge(300), created=at),
        event("refund.created", refund("re_1", "succeeded"), created=at),
    ]


def full(at: int = NOON + 200) -> list[dict[str, object]]:
    return [
        event("charge.refunded", charge(999), created=at),
        event("refund.created", refund("re_2", "succeeded", 699) | {"created": at}, created=at),
    ]


def test_a_partial_refund_takes_its_share_rounded_up_and_the_rest_exactly_the_rest(shop: Shop):
    order = buy(shop)

    shop.tell(*partial())
    assert (shop.credits, shop.payment(order).state) == (69, "partly_refunded")

    shop.tell(*full())
    assert (shop.credits, shop.payment(order).state) == (0, "refunded")


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3], ids=str)
def test_refunds_in_every_order_take_everything_once(shop: Shop, order: tuple[int, ...]):
    buy(shop)
    told = partial() + full()

    shop.tell(*(told[number] for number in order), *told)

    assert shop.credits == 0


@pytest.mark.parametrize("kept", [[0, 2], [1, 3], [0, 3], [1, 2]], ids=str)
def test_either_kind_of_event_is_enough(shop: Shop, kept: list[int]):
    buy(shop)
    told = partial() + full()

    shop.tell(*(told[number] for number in kept))

    assert shop.credits == 0


def test_a_refund_that_is_told_before_the_payment_still_counts(shop: Shop):
    shop.order()

    shop.tell(*partial(), event("checkout.session.completed", session()))

    assert shop.credits == 69


def test_only_a_refund_that_succeeded_counts(shop: Shop):
    buy(shop)

    shop.tell(event("refund.created", refund("re_p", "pending"), created=NOON + 100))
    shop.tell(event("charge.refunded", charge(300), created=NOON + 100))
    assert shop.credits == 100

    shop.tell(event("refund.updated", refund("re_p", "succeeded"), created=NOON + 300))
    assert shop.credits == 69


@pytest.mark.parametrize("failing", ["failed", "canceled"])
def test_a_refund_that_fails_gives_back_exactly_what_it_took(shop: Shop, failing: str):
    buy(shop)
    shop.tell(*partial())
    assert shop.credits == 69

    shop.tell(event("refund.failed", refund("re_1", failing), created=NOON + 400))
    assert shop.credits == 100

    shop.tell(event("refund.created", refund("re_1", "succeeded"), created=NOON + 100))
    assert shop.credits == 100


def test_credits_that_were_spent_leave_a_debt_that_blocks(shop: Shop):
    buy(shop)
    with shop.app.app_context():
        left = shop.start_micros // MICROS_PER_CREDIT
    spend(shop, left + 90)
    assert shop.credits == 10 - left

    shop.tell(*full())

    assert shop.credits == -90 - left


def test_a_dispute_takes_all_and_a_won_one_gives_exactly_that_back(shop: Shop):
    order = buy(shop)

    shop.tell(event("charge.dispute.created", dispute("needs_response"), created=NOON + 100))
    shop.tell(event("charge.dispute.funds_withdrawn", dispute("needs_response"), created=NOON + 100))
    assert (shop.credits, shop.payment(order).state) == (0, "disputed")

    shop.tell(event("charge.dispute.closed", dispute("won"), created=NOON + 200))
    shop.tell(event("charge.dispute.funds_reinstated", dispute("won"), created=NOON + 200))
    assert (shop.credits, shop.payment(order).state) == (100, "credited")


def test_a_lost_dispute_is_final(shop: Shop):
    order = buy(shop)

    shop.tell(event("charge.dispute.closed", dispute("lost"), created=NOON + 200))
    shop.tell(event("charge.dispute.created", dispute("needs_response"), created=NOON + 100))

    assert (shop.credits, shop.payment(order).state) == (0, "lost")


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_under_review", "warning_closed", "prevented"])
def test_an_inquiry_moves_nothing(shop: Shop, status: str):
    buy(shop)

    shop.tell(event("charge.dispute.created", dispute(status), created=NOON + 100))

    assert shop.credits == 100


def test_an_appeal_keeps_what_was_taken_until_it_is_won(shop: Shop):
    buy(shop)
    shop.tell(event("charge.dispute.closed", dispute("lost"), created=NOON + 200))

    shop.tell(event("charge.dispute.updated", dispute("appeal_under_review"), created=NOON + 300))
    assert shop.credits == 0

    shop.tell(event("charge.dispute.closed", dispute("won"), created=NOON + 400))
    assert shop.credits == 100


def test_refund_and_dispute_together_never_take_more_than_was_granted(shop: Shop):
    buy(shop)

    shop.tell(*partial(), event("charge.dispute.created", dispute("needs_response"), created=NOON + 150))
    assert shop.credits == 0

    shop.tell(event("charge.dispute.closed", dispute("won"), created=NOON + 250))
    assert shop.credits == 69


def test_a_refund_after_a_won_dispute_takes_the_full_share_again(shop: Shop):
    buy(shop)
    shop.tell(event("charge.dispute.created", dispute("needs_response"), created=NOON + 100))
    shop.tell(event("charge.dispute.closed", dispute("won"), created=NOON + 200))

    shop.tell(event("charge.refunded", charge(999), created=NOON + 300))

    assert shop.credits == 0


@pytest.mark.parametrize("is_refund_first", [True, False])
def test_the_refund_of_an_invoice_finds_it_through_stripe(shop: Shop, is_refund_first: bool):
    bill = invoice("in_first", [line("il_first")], "subscription_create")
    shop.providers.stripe().things["invoice_of_payment", "pi_bill"] = read.invoice(bill)
    paid = event("invoice.paid", bill)
    half = event("refund.created", refund("re_bill", "succeeded", 1_000, intent="pi_bill"), created=NOON + 90)

    shop.tell(*((half, paid) if is_refund_first else (paid, half)))

    assert shop.credits == 2_000 - 1_001  # 2000 × 1000 / 1999 is 1000.5


def test_a_refund_of_something_else_touches_nothing(shop: Shop):
    buy(shop)

    shop.tell(event("refund.created", refund("re_else", "succeeded", 999, intent="pi_else")))

    assert shop.credits == 100
