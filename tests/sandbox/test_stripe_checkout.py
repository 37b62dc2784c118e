"""Stripe's hosted checkout in the sandbox, as a browser without scripts uses it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from tests.providers.stand_in import NOW
from tests.providers.till import Till
from tokenboard.providers.stripe_objects import CheckoutSession

RETURN = "https://shop.example/credits/return?session_id="


def page_of(session: CheckoutSession) -> str:
    assert session.url is not None
    return session.url


def test_the_page_shows_the_price_needs_no_script_and_frames_nowhere(till: Till):
    page = requests.get(page_of(till.checkout()), timeout=5)
    assert page.status_code == 200
    assert "5.00 USD" in page.text
    assert "500 credits" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    for sheet in re.findall(r'href="(/_pages/[^"]+)"', page.text):
        assert requests.get(till.url + sheet, timeout=5).headers["Content-Type"].startswith("text/css")


def test_paying_leads_back_to_the_shop_and_happens_once(till: Till):
    session = till.checkout()
    for _ in range(2):
        told = till.press(page_of(session), act="pay", method="success")
        assert (told.status_code, told.headers["Location"]) == (303, RETURN + session.id)
    paid = till.stripe().checkout_session(session.id)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert till.event_types() == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


def test_eight_clicks_at_once_are_one_payment(till: Till):
    session = till.checkout()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: till.press(page_of(session), act="pay", method="success"), range(8)))
    assert {answer.headers["Location"] for answer in answers} == {RETURN + session.id}
    assert till.event_types().count("checkout.session.completed") == 1


@pytest.mark.parametrize(
    ("card", "words"),
    [("declined", "Your card was declined."), ("insufficient_funds", "Your card has insufficient funds.")],
)
def test_a_declined_card_says_so_and_another_one_may_be_tried(till: Till, card: str, words: str):
    session = till.checkout()
    told = till.press(page_of(session), act="pay", method=card)
    assert (told.status_code, words in told.text) == (402, True)
    assert till.stripe().checkout_session(session.id).status == "open"
    assert till.press(page_of(session), act="pay", method="success").status_code == 303
    assert till.event_types().count("payment_intent.payment_failed") == 1
    [intent] = {event.object_id for event in till.stripe().events(NOW, ["payment_intent.succeeded"])}
    assert till.stripe().checkout_session(session.id).payment_intent_id == intent


@pytest.mark.parametrize(("act", "status"), [("approve", "complete"), ("refuse", "open")])
def test_the_bank_asks_first(till: Till, act: str, status: str):
    session = till.checkout()
    told = till.press(page_of(session), act="pay", method="authentication")
    assert "/stripe/authenticate/" in told.headers["Location"]
    assert "is this you?" in requests.get(told.headers["Location"], timeout=5).text
    answered = till.press(told.headers["Location"], act=act)
    assert till.stripe().checkout_session(session.id).status == status
    assert answered.status_code == (303 if act == "approve" else 402)


@pytest.mark.parametrize(
    ("method", "events", "payment_status"),
    [
        ("debit_succeeds", ["checkout.session.async_payment_succeeded"], "paid"),
        ("debit_fails", ["checkout.session.async_payment_failed"], "unpaid"),
    ],
)
def test_a_delayed_method_completes_unpaid_and_decides_in_three_days(
    till: Till, method: str, events: list[str], payment_status: str
):
    session = till.checkout()
    assert till.press(page_of(session), act="pay", method=method).status_code == 303
    waiting = till.stripe().checkout_session(session.id)
    assert (waiting.status, waiting.payment_status, waiting.is_settled) == ("complete", "unpaid", False)
    till.order("stripe/clock", seconds=3 * 86_400)
    assert [one for one in till.event_types() if ".async_payment_" in one] == events
    assert till.stripe().checkout_session(session.id).payment_status == payment_status


def test_a_delayed_method_can_be_decided_at_once(till: Till):
    session = till.bought("debit_fails")
    till.order("stripe/sessions", id=session.id, act="settle", outcome="succeeds")
    assert till.stripe().checkout_session(session.id).is_settled


def test_a_promotion_of_a_hundred_percent_needs_no_payment(till: Till):
    session = till.checkout(allow_promotion_codes=True)
    wrong = till.press(page_of(session), act="redeem", method="success", promotion_code="NONE")
    assert "This code is invalid." in wrong.text
    free = till.press(page_of(session), act="redeem", method="success", promotion_code="free100")
    assert "Pay 0.00 USD" in free.text
    till.press(page_of(session), act="pay", method="success")
    done = till.stripe().checkout_session(session.id)
    assert (done.payment_status, done.payment_intent_id, done.amount_discount) == ("no_payment_required", None, 500)
    assert done.is_settled
    assert till.event_types() == ["checkout.session.completed"]


def test_a_code_is_taken_only_where_codes_are_allowed(till: Till):
    session = till.checkout()
    assert "Promotion code" not in requests.get(page_of(session), timeout=5).text
    till.press(page_of(session), act="redeem", method="success", promotion_code="FREE100")
    assert till.stripe().checkout_session(session.id).amount_total == 500


def test_a_session_expires_by_itself_and_its_page_says_so(till: Till):
    session = till.checkout(expires_at=NOW + timedelta(minutes=30))
    till.order("stripe/clock", seconds=1_800)
    assert till.stripe().checkout_session(session.id).status == "expired"
    page = till.press(page_of(session), act="pay", method="success")
    assert (page.status_code, "has expired" in page.text) == (410, True)
    assert till.event_types() == ["checkout.session.expired"]


def test_an_invoice_beside_a_payment_hangs_on_no_subscription(till: Till, official):
    customer_id = till.customer()
    made = official.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "customer": customer_id,
            "line_items": [{"price": "price_SbxPack100", "quantity": 1}],
            "success_url": "https://shop.example/",
            "invoice_creation": {"enabled": True},
        }
    )
    till.order("stripe/sessions", id=made.id, act="pay")
    [event] = till.stripe().events(NOW, ["invoice.paid"])
    assert event.object["parent"] is None
    assert till.stripe().checkout_session(made.id).invoice_id == event.object_id


def test_a_receipt_shows_what_was_paid_and_given_back(till: Till):
    intent = till.stripe().payment_intent(till.bought().payment_intent_id or "")
    till.order("stripe/refunds", payment_intent=intent.id, amount=200)
    url = till.stripe().charge(intent.latest_charge_id or "").receipt_url
    assert url is not None
    assert re.search(r"Paid: 5\.00 USD.*Refunded: 2\.00 USD", requests.get(url, timeout=5).text, re.DOTALL)


def test_pages_that_are_not_there_say_so(till: Till):
    for path in ("pay/cs_x", "portal/bps_x", "invoice/in_x", "receipts/ch_x", "authenticate/cs_x"):
        assert requests.get(f"{till.url}/stripe/{path}", timeout=5).status_code == 404
