"""The page of one payment: its steps, the phone that rings, the same basket again, its receipt; and the way back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from werkzeug.test import TestResponse

from tests.billing.buying import Buyer, plain
from tests.billing.market import PLAN, Market
from tokenboard.billing import catalogue_queries
from tokenboard.billing.models import Payment
from tokenboard.core.clock import now


@pytest.fixture
def alice(market: Market) -> Buyer:
    return Buyer(market, market.people.alice)


def page_of(buyer: Buyer, order: Payment, query: str = "") -> str:
    answer = buyer.browser.get(f"/credits/payments/{order.id}{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def done_steps(page: str) -> list[str]:
    return re.findall(r'<li class="done">(\w+)', page)


def again(buyer: Buyer, order: Payment, **more: str) -> TestResponse:
    """Press *Try again* for the order's own total."""
    form = {"total": str(order.amount_minor)} | more
    return buyer.browser.post(f"/credits/payments/{order.id}/again", form)


def decline(buyer: Buyer, order: Payment) -> None:
    """The buyer's phone says no, and the page's next look asks Paystack."""
    buyer.market.control("paystack/phone", reference=order.id, answer="decline")
    buyer.browser.post(f"/credits/payments/{order.id}/check")


def test_the_steps_follow_the_money(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]
    assert done_steps(page_of(alice, order)) == ["Started"]

    returned = page_of(alice, order, "?session_id=cs_x")
    assert done_steps(returned) == ["Started", "Paid"]
    assert "Thank you. The payment is being looked up" in returned
    assert f'hx-post="/credits/payments/{order.id}/check?session_id=1"' in returned
    assert 'hx-trigger="load delay:800ms, every 5s, shown"' in returned
    assert "Go to the checkout" not in returned

    alice.pay(order)
    there = page_of(alice, order)
    assert done_steps(there) == ["Started", "Paid", "Received", "Credited"]
    assert "Brought 100 credits In the ledger" in plain(there)
    assert "hx-trigger" not in there.partition('id="payment_state"')[2].partition("</section>")[0]


def test_who_comes_back_has_the_provider_asked_and_not_only_the_webhook_awaited(alice: Buyer):
    alice.market.control("webhooks", provider="stripe", lose=10)
    alice.buy()
    order = alice.orders()[0]
    alice.pay(order)
    assert alice.market.credits == 0

    headers = {"HX-Request": "true", "HX-Target": "payment_state"}
    block = alice.browser.post(f"/credits/payments/{order.id}/check?session_id=1", headers=headers)

    assert (block.status_code, alice.market.credits) == (200, 100)
    assert block.text.strip().startswith('<section id="payment_state"')
    assert "Your credits are here" in block.text
    assert 'id="balance_pill"' in block.text  # and the pill follows at once


@pytest.mark.parametrize(
    ("age", "pace", "offers"), [(0, 2, False), (30, 4, False), (61, 10, True), (600, 30, True), (7_200, 60, True)]
)
def test_the_page_looks_ever_less_often_and_offers_to_look_itself(alice: Buyer, age: int, pace: int, offers: bool):
    alice.buy()
    order = alice.orders()[0]

    with time_machine.travel(now() + timedelta(seconds=age), tick=False):
        shown = page_of(alice, order)

    assert f'hx-trigger="every {pace}s, shown"' in shown
    assert ("Check now" in shown) is offers
    assert "Closing it loses nothing" in shown


@pytest.mark.parametrize(
    ("age", "words"),
    [(0, "3 min 0 s more"), (50, "2 min 10 s more"), (179, "1 s more"), (181, "The prompt has run out")],
)
def test_a_phone_that_rings_is_told_with_the_time_that_is_left(alice: Buyer, age: int, words: str):
    alice.buy("currency=KES", method="mpesa", phone="0712345678")
    order = alice.orders()[0]

    with time_machine.travel(order.created_at + timedelta(seconds=age), tick=False):
        shown = page_of(alice, order)

    assert "Look at your phone" in shown
    assert words in plain(shown)
    assert done_steps(shown) == ["Started"]
    assert f'hx-post="/credits/payments/{order.id}/check"' in shown


def test_a_declined_prompt_gives_its_reason_and_asks_again_with_one_press(alice: Buyer):
    alice.buy("currency=KES", method="mpesa", phone="0712345678")
    order = alice.orders()[0]
    decline(alice, order)

    shown = plain(page_of(alice, order))
    assert "The payment did not go through Request cancelled by user. Nothing was charged." in shown
    assert "Try again for KES 129.00" in shown

    refused = again(alice, order, phone="1")
    assert (refused.status_code, "Write a Kenyan mobile number" in refused.text) == (422, True)
    answers = [again(alice, order, phone="0712345678") for _ in range(2)]

    second = alice.orders()[1]
    assert [one.headers["Location"] for one in answers] == [f"/credits/payments/{second.id}"] * 2
    assert len(alice.orders()) == 2
    alice.market.control("paystack/phone", reference=second.id, answer="accept")
    alice.market.deliver()
    assert alice.market.credits == 100


def test_an_expired_checkout_is_ordered_again_once(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]
    alice.pay(order, act="expire")
    shown = page_of(alice, order)
    assert "The checkout was left" in shown
    assert "?currency=USD&amp;pack=price_SbxPack100&amp;method=stripe#add_credits" in shown

    answers = [again(alice, order) for _ in range(2)]

    assert len({one.headers["Location"] for one in answers}) == 1
    assert answers[0].headers["Location"].startswith(alice.market.sandbox_url)
    assert len(alice.orders()) == 2


def test_a_basket_that_costs_something_else_today_is_not_ordered_before_that_is_said(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]
    alice.pay(order, act="expire")

    answer = again(alice, order, total="99")

    assert answer.headers["Location"] == f"/credits/payments/{order.id}"
    assert "Try again for $1.00" in plain(page_of(alice, order))
    assert len(alice.orders()) == 1


def test_again_is_for_what_came_to_nothing(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]
    alice.pay(order)

    answer = again(alice, order)

    assert answer.headers["Location"] == f"/credits/payments/{order.id}"
    assert len(alice.orders()) == 1


def test_a_provider_that_is_down_is_said_where_it_was_tried_again(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]
    alice.pay(order, act="expire")
    alice.order_fault("/stripe/v1/checkout")

    down = again(alice, order)

    assert down.status_code == 503
    assert "It could not be tried again" in down.text
    assert again(alice, order).status_code == 303
    assert len(alice.orders()) == 2


def test_a_plans_checkout_ends_where_its_invoice_begins(alice: Buyer):
    with alice.market.app.app_context():
        plan = catalogue_queries.offer(PLAN).price.id
    alice.browser.post("/credits/subscribe", {"workspace_id": alice.workspace_id, "plan": plan})
    order = alice.orders()[0]
    alice.pay(order)

    shown = page_of(alice, order)

    assert "Your plan has begun" in shown
    assert "Credited" not in done_steps(shown)


def test_a_team_sees_its_payments_and_viewers_do_nothing_about_them(market: Market):
    bob = Buyer(market, market.people.bob, market.people.team_id)
    bob.buy()
    order = bob.orders()[0]
    vera, charlie = market.people.browser(market.people.vera), market.people.browser(market.people.charlie)

    seen = vera.get(f"/credits/payments/{order.id}").text
    assert "Waiting for your payment" in seen
    assert "Go to the checkout" not in seen
    for act in ("check", "again"):
        assert vera.post(f"/credits/payments/{order.id}/{act}").status_code == 403
        assert charlie.post(f"/credits/payments/{order.id}/{act}").status_code == 404


def test_a_receipt_says_what_was_charged_and_what_went_back(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]
    path = f"/credits/payments/{order.id}/receipt"
    assert alice.browser.get(path).status_code == 404
    alice.pay(order)
    ada = alice.market.people.bearer(alice.market.people.ada)
    ada.post(f"/api/admin/payments/{order.id}/refund", json={"amountCents": 40})

    shown = plain(alice.browser.get(path).text)

    assert f"Number {order.id}" in shown
    assert "Credits, bought once: 100 credits $1.00" in shown
    assert "Charged $1.00 Sent back −$0.40 Kept $0.60" in shown
    assert alice.market.people.browser(alice.market.people.charlie).get(path).status_code == 404


def test_a_receipt_of_half_price_names_the_discount(alice: Buyer):
    alice.buy()
    order = alice.orders()[0]
    alice.pay(order, promotion_code="HALF")

    shown = plain(alice.browser.get(f"/credits/payments/{order.id}/receipt").text)

    assert "Discount −$0.50 Charged $0.50" in shown
