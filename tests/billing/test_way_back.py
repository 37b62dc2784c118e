"""`/credits?payment=…`: the way back from Paystack, and from a checkout that was left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.billing.buying import Buyer, plain
from tests.billing.market import Market
from tokenboard.billing.models import Payment
from tokenboard.core.clock import now
from tokenboard.core.db import db


@pytest.fixture
def alice(market: Market) -> Buyer:
    return Buyer(market, market.people.alice)


def test_the_banner_tells_what_the_order_is_and_not_what_the_address_says(alice: Buyer):
    assert "Your credits are here" not in plain(alice.open("payment=success"))
    alice.buy("currency=KES")
    order = alice.orders()[0]

    waiting = plain(alice.open("payment=success"))
    assert "The payment is on its way" in waiting
    assert "Your credits are here" not in waiting

    alice.market.control("paystack/pay", reference=order.id, outcome="success")
    there = alice.market.app.test_client().get(f"/payments/paystack/callback?reference={order.id}")
    assert there.headers["Location"] == "/credits?payment=success"
    assert "Your credits are here 100 credits for KES 129.00." in plain(alice.open("payment=success"))


def test_a_failed_one_is_one_press_away_in_the_same_basket(alice: Buyer):
    alice.buy("currency=KES", pack=alice.tile("currency=KES", "500 credits"))
    order = alice.orders()[0]
    alice.market.control("paystack/pay", reference=order.id, outcome="failed")
    alice.market.app.test_client().get(f"/payments/paystack/callback?reference={order.id}")

    page = alice.open("payment=failed")

    assert "The payment did not go through Declined. Nothing was charged." in plain(page)
    assert f'action="/credits/payments/{order.id}/again"' in page
    assert "Try again for KES 645.00" in plain(page)
    assert "Total KES 645.00 for 500 credits" in plain(page)


def test_who_left_the_checkout_can_go_back_to_it(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]

    page = alice.open("payment=canceled")

    assert "You left the checkout Nothing was charged. 100 credits for $1.00 can still be paid." in plain(page)
    assert f'href="{order.url}"' in page


@pytest.mark.parametrize("told", ["canceled", "failed", "success", "pending"])
def test_without_an_order_the_banner_is_a_plain_sentence(alice: Buyer, told: str):
    page = plain(alice.open(f"payment={told}"))

    assert any(words in page for words in ("Nothing was charged.", "Your credits come by themselves"))


def test_an_outcome_that_does_not_exist_shows_no_banner(alice: Buyer):
    assert "callout" not in alice.open("payment=won")


def test_an_old_order_is_not_what_somebody_comes_back_from(alice: Buyer):
    alice.buy()
    with alice.market.app.app_context():
        long_ago = now() - timedelta(hours=3)
        db.session.execute(db.update(Payment).values(created_at=long_ago))
        db.session.commit()

    assert "can still be paid" not in plain(alice.open("payment=canceled"))
