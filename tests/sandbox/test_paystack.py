"""Paystack's hosted pages and events in the sandbox."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import requests

from tests.providers.stand_in import NOW
from tests.providers.till import PAYSTACK_KEY, Shop, Till
from tokenboard.providers.paystack_objects import PaystackStatus

CALLBACK = "https://shop.example/payments/paystack/callback"


def begin(till: Till, currency: str = "KES", channels: tuple[str, ...] = (), reference: str = "tb-1") -> str:
    started = till.paystack().initialize(
        email="alice@example.com",
        amount=65_000,
        currency=currency,
        reference=reference,
        callback_url=CALLBACK,
        channels=channels,
    )
    return started.authorization_url


def held(till: Till, shop: Shop) -> None:
    till.order("webhooks", provider="paystack", url=shop.url, mode="held")


def events_of(till: Till, shop: Shop) -> list[dict[str, object]]:
    till.order("webhooks/deliver", provider="paystack")
    return [json.loads(one.body) for one in shop.all()]


def test_a_card_pays_once_and_leads_back(till: Till, shop: Shop):
    held(till, shop)
    url = begin(till)
    assert "650.00 KES" in requests.get(url, timeout=5).text
    for _ in range(2):
        told = till.press(url, act="card")
        assert (told.status_code, told.headers["Location"]) == (303, f"{CALLBACK}?trxref=tb-1&reference=tb-1")
    [event] = events_of(till, shop)
    assert event["event"] == "charge.success"


def test_a_declined_card_may_be_followed_by_another(till: Till, shop: Shop):
    held(till, shop)
    url = begin(till)
    assert till.press(url, act="card_declined").status_code == 402
    assert till.paystack().verify("tb-1").status is PaystackStatus.FAILED
    assert events_of(till, shop) == [], "Paystack has no event for a failure"
    till.press(url, act="card")
    assert till.paystack().verify("tb-1").status is PaystackStatus.SUCCEEDED


@pytest.mark.parametrize(("act", "status"), [("accept", PaystackStatus.SUCCEEDED), ("decline", PaystackStatus.FAILED)])
def test_mpesa_rings_a_phone_that_answers(till: Till, act: str, status: PaystackStatus):
    url = begin(till, channels=("mobile_money",))
    assert "by card" not in requests.get(url, timeout=5).text
    assert till.press(url, act="phone", phone="12").status_code == 402
    told = till.press(url, act="phone", phone="+254712345678")
    phone_url = told.headers["Location"]
    assert "Phone +254712345678" in requests.get(phone_url, timeout=5).text
    assert "254712345678" in requests.get(f"{till.url}/paystack/phones", timeout=5).text
    answered = till.press(phone_url, act=act)
    assert till.paystack().verify("tb-1").status is status
    assert answered.headers.get("Location") == (f"{CALLBACK}?trxref=tb-1&reference=tb-1" if act == "accept" else None)


def test_mpesa_is_not_offered_in_dollars(till: Till):
    assert "M-Pesa" not in requests.get(begin(till, currency="USD"), timeout=5).text


def test_whoever_leaves_has_not_paid(till: Till):
    page = requests.get(begin(till), timeout=5).text
    assert f"{CALLBACK}?trxref=tb-1&amp;reference=tb-1" in page
    assert till.paystack().verify("tb-1").status is PaystackStatus.ABANDONED


def test_a_refund_goes_its_way_by_itself(till: Till, shop: Shop):
    begin(till)
    till.order("paystack/pay", reference="tb-1")
    held(till, shop)
    till.paystack().create_refund("tb-1")
    for minutes in (1, 2, 3):
        till.order("clock", now=(NOW + timedelta(minutes=minutes)).isoformat())
        till.paystack().verify("tb-1")
    events = events_of(till, shop)
    assert [event["event"] for event in events] == ["refund.pending", "refund.processing", "refund.processed"]
    assert {event["data"]["amount"] for event in events} == {"65000"}  # type: ignore[index]
    assert till.paystack().verify("tb-1").status is PaystackStatus.REVERSED


@pytest.mark.parametrize(
    ("status", "amount"), [("processed", "65000"), ("failed", 65_000), ("needs-attention", 65_000)]
)
def test_a_refund_ends_as_ordered(till: Till, shop: Shop, status: str, amount: object):
    begin(till)
    till.order("paystack/pay", reference="tb-1")
    held(till, shop)
    made = till.paystack().create_refund("tb-1")
    till.order("paystack/refunds", id=made.id, status=status)
    event = events_of(till, shop)[-1]
    assert event["event"] == f"refund.{status}"
    assert event["data"]["amount"] == amount  # type: ignore[index]


@pytest.mark.parametrize(
    ("act", "status"),
    [("declined", PaystackStatus.SUCCEEDED), ("auto-accepted", PaystackStatus.REVERSED)],
)
def test_a_dispute_is_opened_reminded_and_resolved(till: Till, shop: Shop, act: str, status: PaystackStatus):
    begin(till)
    till.order("paystack/pay", reference="tb-1")
    held(till, shop)
    made = till.order("paystack/disputes", reference="tb-1")["object"]
    for step in ("remind", act):
        till.order("paystack/disputes", id=made["id"], act=step)
    names = [event["event"] for event in events_of(till, shop)]
    assert names == ["charge.dispute.create", "charge.dispute.remind", "charge.dispute.resolve"]
    assert till.paystack().verify("tb-1").status is status


def test_an_amount_may_come_as_text(till: Till):
    headers = {"Authorization": f"Bearer {PAYSTACK_KEY}"}
    body = {"email": "a@example.com", "amount": "20000", "currency": "KES"}
    url = f"{till.url}/paystack/transaction/initialize"
    assert requests.post(url, json=body, headers=headers, timeout=5).status_code == 200
    for wrong in ({"amount": "1e3"}, {"amount": 0}, {"email": "nobody"}, {"reference": "a b"}, {"amount": True}):
        assert requests.post(url, json=body | wrong, headers=headers, timeout=5).status_code == 400
    assert requests.post(url, json=body, timeout=5).json() == {"status": False, "message": "Invalid key"}


def test_what_is_not_there_is_not_found(till: Till):
    for path in ("checkout/x", "phone/x"):
        assert requests.get(f"{till.url}/paystack/{path}", timeout=5).status_code in (400, 404)
    headers = {"Authorization": f"Bearer {PAYSTACK_KEY}"}
    for path in ("refund/7", "dispute/7", "nothing/here"):
        answer = requests.get(f"{till.url}/paystack/{path}", headers=headers, timeout=5)
        assert (answer.status_code, answer.json()["status"]) == (404, False)
