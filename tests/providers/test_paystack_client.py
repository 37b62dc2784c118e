"""PaystackClient against the sandbox, over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.providers.stand_in import NOW
from tests.providers.till import BRISK, PAYSTACK_KEY, Till
from tokenboard.providers.payments import (
    BadAnswer,
    DuplicateReference,
    InvalidRequest,
    KeyRefused,
    NotFound,
    PaymentError,
    RateLimited,
    TimedOut,
    Unavailable,
)
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.paystack_objects import PaystackStart, PaystackStatus

YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)


def begin(till: Till, reference: str = "tb-0001", amount: int = 65_000, currency: str = "KES") -> PaystackStart:
    return till.paystack().initialize(
        email="alice@example.com",
        amount=amount,
        currency=currency,
        reference=reference,
        callback_url="https://shop.example/payments/paystack/callback",
        channels=("card", "mobile_money"),
        metadata={"order_id": "o1"},
    )


def test_a_payment_is_begun_with_our_reference(till: Till):
    started = begin(till)
    assert started.reference == "tb-0001"
    assert started.authorization_url == f"{till.url}/paystack/checkout/{started.access_code}"
    found = till.paystack().verify("tb-0001")
    assert (found.status, found.raw_status) == (PaystackStatus.ABANDONED, "abandoned")
    assert (found.amount, found.currency, found.paid_at, found.is_live) == (65_000, "kes", None, False)
    assert found.metadata == {"order_id": "o1"}


def test_a_reference_is_used_once(till: Till):
    begin(till)
    with pytest.raises(DuplicateReference) as caught:
        begin(till)
    assert caught.value.code == "duplicate_reference"
    with pytest.raises(DuplicateReference):
        till.paystack().charge_mpesa(email="a@example.com", amount=1, phone="+254712345678", reference="tb-0001")


def test_a_paid_order_is_verified(till: Till):
    begin(till, currency="USD", amount=500)
    till.order("paystack/pay", reference="tb-0001")
    found = till.paystack().verify("tb-0001")
    assert (found.status, found.channel, found.paid_at, found.email) == (
        PaystackStatus.SUCCEEDED,
        "card",
        NOW,
        "alice@example.com",
    )
    assert found.id > 2**31
    assert found.fees == 14
    assert found.mismatch(reference="tb-0001", amount=500, currency="USD") is None
    assert "reference" in (found.mismatch(reference="tb-2", amount=500, currency="USD") or "")
    assert "currency" in (found.mismatch(reference="tb-0001", amount=500, currency="KES") or "")
    assert "asked for" in (found.mismatch(reference="tb-0001", amount=501, currency="USD") or "")


def test_another_amount_is_noticed(till: Till):
    begin(till)
    till.order("paystack/pay", reference="tb-0001", amount=100)
    found = till.paystack().verify("tb-0001")
    assert found.status is PaystackStatus.SUCCEEDED
    assert found.mismatch(reference="tb-0001", amount=65_000, currency="KES") is not None


def test_a_buyer_who_bears_the_fees_pays_more_and_that_is_right(till: Till):
    till.order("paystack/settings", customer_bears_fees=True)
    begin(till, amount=10_000)
    till.order("paystack/pay", reference="tb-0001")
    found = till.paystack().verify("tb-0001")
    assert (found.amount, found.requested_amount) == (10_290, 10_000)
    assert found.mismatch(reference="tb-0001", amount=10_000, currency="KES") is None


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        ("accept", PaystackStatus.SUCCEEDED, "madePayment"),
        ("decline", PaystackStatus.FAILED, "Request cancelled by user"),
        ("expire", PaystackStatus.FAILED, "Transaction timed out"),
    ],
)
def test_a_phone_rings_and_answers(till: Till, answer: str, status: PaystackStatus, message: str):
    client = till.paystack()
    asked = client.charge_mpesa(email="a@example.com", amount=65_000, phone="+254712345678", reference="tb-9")
    assert (asked.status, asked.raw_status) == (PaystackStatus.PENDING, "pay_offline")
    assert "mobile phone" in (asked.display_text or "")
    assert client.check_charge("tb-9").status is PaystackStatus.PENDING
    assert client.verify("tb-9").status is PaystackStatus.PENDING
    till.order("paystack/phone", reference="tb-9", answer=answer)
    said = client.check_charge("tb-9")
    assert (said.status, said.message) == (status, message)
    assert client.verify("tb-9").status is status


def test_a_phone_nobody_answers_rings_three_minutes(till: Till):
    client = till.paystack()
    client.charge_mpesa(
        email="a@example.com", amount=65_000, phone="0712345678".replace("0", "+254", 1), reference="tb"
    )
    till.order("clock", now=(NOW + timedelta(seconds=179)).isoformat())
    assert client.check_charge("tb").status is PaystackStatus.PENDING
    till.order("clock", now=(NOW + timedelta(seconds=180)).isoformat())
    assert client.check_charge("tb").status is PaystackStatus.FAILED


def test_a_number_that_is_no_phone_is_refused_and_its_reference_stays_free(till: Till):
    client = till.paystack()
    with pytest.raises(InvalidRequest):
        client.charge_mpesa(email="a@example.com", amount=1_000, phone="12", reference="tb-3")
    assert client.charge_mpesa(email="a@example.com", amount=1_000, phone="+254112345678", reference="tb-3").reference


def test_refunds_begin_pending_and_count_when_processed(till: Till):
    client = till.paystack()
    begin(till)
    till.order("paystack/pay", reference="tb-0001")
    part = client.create_refund("tb-0001", amount=20_000, currency="KES", note="half")
    assert (part.status, part.amount, part.reference, part.currency) == ("pending", 20_000, "tb-0001", "kes")
    till.order("paystack/refunds", id=part.id, status="processed")
    assert client.refund(part.id or "").status == "processed"
    assert client.verify("tb-0001").status is PaystackStatus.SUCCEEDED
    rest = client.create_refund("tb-0001")
    assert rest.amount == 45_000
    till.order("paystack/refunds", id=rest.id, status="processed")
    assert client.verify("tb-0001").status is PaystackStatus.REVERSED
    listed = list(client.refunds(YESTERDAY, TOMORROW))
    assert [(one.id, one.status, one.reference) for one in listed] == [
        (rest.id, "processed", "tb-0001"),
        (part.id, "processed", "tb-0001"),
    ]
    with pytest.raises(InvalidRequest):
        client.create_refund("tb-0001")


def test_disputes_are_listed_with_what_became_of_them(till: Till):
    begin(till)
    till.order("paystack/pay", reference="tb-0001")
    opened = till.order("paystack/disputes", reference="tb-0001", amount=30_000)["object"]
    [waiting] = till.paystack().disputes(YESTERDAY, TOMORROW)
    assert (waiting.id, waiting.reference, waiting.amount) == (opened["id"], "tb-0001", 30_000)
    assert not waiting.is_lost
    till.order("paystack/disputes", id=opened["id"], act="merchant-accepted")
    [lost] = till.paystack().disputes(YESTERDAY, TOMORROW)
    assert (lost.status, lost.resolution, lost.is_lost) == ("resolved", "merchant-accepted", True)


def test_many_transactions_are_read_page_after_page(till: Till):
    for number in range(105):
        begin(till, reference=f"tb-{number:04d}")
    till.order("paystack/pay", reference="tb-0007")
    client = till.paystack()
    found = [one.reference for one in client.transactions(YESTERDAY, TOMORROW)]
    assert found == [f"tb-{number:04d}" for number in reversed(range(105))]
    assert [one.reference for one in client.transactions(YESTERDAY, TOMORROW, "success")] == ["tb-0007"]
    assert list(client.transactions(TOMORROW, TOMORROW + timedelta(days=1))) == []


FAULTS = [
    ("500", Unavailable, True),
    ("503", Unavailable, True),
    ("429", RateLimited, False),
    ("revoked", KeyRefused, False),
    ("hangup", Unavailable, True),
    ("slow", TimedOut, True),
    ("garbage", BadAnswer, True),
    ("html", BadAnswer, True),
    ("list", BadAnswer, True),
    ("deep", BadAnswer, True),
    ("redirect", BadAnswer, True),
    ("huge", BadAnswer, True),
]


@pytest.mark.parametrize(("fault", "kind", "is_unknown"), FAULTS, ids=[row[0] for row in FAULTS])
def test_every_fault_has_its_name(till: Till, fault: str, kind: type[PaymentError], is_unknown: bool):
    with pytest.raises(PaymentError) as caught:
        till.paystack(f"{PAYSTACK_KEY}-{fault}", BRISK).create_refund("tb-0001")
    assert type(caught.value) is kind
    assert caught.value.is_outcome_unknown is is_unknown
    assert PAYSTACK_KEY not in f"{caught.value} {caught.value!r} {caught.value.user_message}"


def test_a_currency_the_merchant_has_not_is_said_in_paystacks_words(till: Till):
    till.order("paystack/settings", currencies=["KES"])
    with pytest.raises(InvalidRequest) as caught:
        begin(till, currency="USD")
    assert caught.value.detail == "Currency not supported by merchant"


def test_a_reference_nobody_began_is_not_found(till: Till):
    for ask in (till.paystack().verify, till.paystack().check_charge):
        with pytest.raises(NotFound):
            ask("tb-none/../x")


def test_questions_are_asked_again_and_acts_are_not(till: Till):
    begin(till)
    till.order("faults", path="/paystack/transaction/verify", fault="500", times=2)
    assert till.paystack(retries=2).verify("tb-0001").reference == "tb-0001"
    till.order("faults", path="/paystack/refund", fault="500", times=1)
    before = len(till.stand_in.calls())
    with pytest.raises(Unavailable):
        till.paystack(retries=2).create_refund("tb-0001")
    assert len(till.stand_in.calls()) == before + 1


def test_an_answer_that_got_lost_is_verified_not_repeated(till: Till):
    till.order("faults", path="/paystack/transaction/initialize", fault="after-hangup", times=1)
    with pytest.raises(Unavailable) as caught:
        begin(till)
    assert caught.value.is_outcome_unknown
    with pytest.raises(DuplicateReference):
        begin(till)
    assert till.paystack().verify("tb-0001").amount == 65_000


@pytest.mark.parametrize("key", ["", " ", "sk_ünlike"])
def test_no_key_is_no_client(key: str):
    with pytest.raises(ValueError, match="secret key"):
        PaystackClient(key)


def test_the_key_says_whether_it_is_live_and_is_not_shown():
    assert PaystackClient("sk_live_abc").is_live
    assert not PaystackClient("sk_test_abc").is_live
    assert "abc" not in repr(PaystackClient("sk_test_abc"))
