"""What goes wrong at Stripe has a name, says whether it may have happened, and never tells a secret."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.providers.till import BRISK, STRIPE_KEY, Till
from tokenboard.providers.payment_wire import Limits
from tokenboard.providers.payments import (
    BadAnswer,
    InvalidRequest,
    KeyRefused,
    NotFound,
    PaymentError,
    RateLimited,
    TimedOut,
    Unavailable,
)
from tokenboard.providers.stripe_client import StripeClient

FAULTS = [
    ("500", Unavailable, 500, True),
    ("503", Unavailable, 503, True),
    ("429", RateLimited, 429, False),
    ("429-long", RateLimited, 429, False),
    ("revoked", KeyRefused, 401, False),
    ("hangup", Unavailable, None, True),
    ("slow", TimedOut, None, True),
    ("garbage", BadAnswer, 200, True),
    ("html", BadAnswer, 200, True),
    ("list", BadAnswer, None, True),
    ("deep", BadAnswer, None, True),
    ("redirect", BadAnswer, 302, True),
    ("huge", BadAnswer, 200, True),
]


@pytest.mark.parametrize(("fault", "kind", "status", "is_unknown"), FAULTS, ids=[row[0] for row in FAULTS])
def test_every_fault_has_its_name(
    till: Till, fault: str, kind: type[PaymentError], status: int | None, is_unknown: bool
):
    with pytest.raises(PaymentError) as caught:
        till.stripe(f"{STRIPE_KEY}-{fault}", BRISK).create_refund("pi_x", metadata={}, idempotency_key="k")
    assert type(caught.value) is kind
    assert caught.value.is_outcome_unknown is is_unknown
    assert STRIPE_KEY not in f"{caught.value} {caught.value!r} {caught.value.user_message}"
    assert caught.value.user_message.endswith(".")
    if status is not None:
        assert caught.value.status in (status, None)


def test_an_unknown_key_is_the_operators_affair(till: Till, caplog: pytest.LogCaptureFixture):
    with pytest.raises(KeyRefused) as caught:
        till.stripe("sk_test_" + "q" * 24).price("price_SbxPack100")
    assert "the operator must act" in caught.value.user_message
    assert "q" * 24 not in caplog.text


def test_what_stripe_does_not_know_is_not_found(till: Till):
    client = till.stripe()
    asks: list[Callable[[str], object]] = [client.price, client.customer, client.checkout_session, client.subscription]
    asks += [client.invoice, client.payment_intent, client.charge, client.refund, client.dispute, client.event]
    for ask in asks:
        with pytest.raises(NotFound):
            ask("nothing")


def test_nobody_listens_is_unavailable():
    client = StripeClient(STRIPE_KEY, "http://127.0.0.1:1", retries=0)
    with pytest.raises(Unavailable) as caught:
        client.price("price_x")
    assert "nothing is lost" in caught.value.user_message


@pytest.mark.parametrize("fault", ["500", "503", "hangup"])
def test_a_short_outage_is_survived_with_the_same_key(till: Till, fault: str):
    till.order("faults", path="/stripe/v1/customers", fault=fault, times=2)
    made = till.stripe(retries=2).create_customer(email="a@example.com", metadata={}, idempotency_key="k")
    assert len(till.stand_in.calls()) == 3
    assert till.stripe().create_customer(email="a@example.com", metadata={}, idempotency_key="k") == made


def test_retries_are_bounded(till: Till):
    till.order("faults", path="/stripe/v1/customers", fault="500", times=9)
    with pytest.raises(Unavailable):
        till.stripe(retries=2).create_customer(email="a@example.com", metadata={}, idempotency_key="k")
    assert len(till.stand_in.calls()) == 3


def test_too_many_calls_are_not_made_more(till: Till):
    till.order("faults", path="/stripe/v1/customers", fault="429", times=1)
    with pytest.raises(RateLimited):
        till.stripe(retries=2).create_customer(email="a@example.com", metadata={}, idempotency_key="k")
    assert len(till.stand_in.calls()) == 1


@pytest.mark.parametrize("fault", ["after-500", "after-hangup", "after-slow"])
def test_an_answer_that_got_lost_is_found_again_and_nothing_happens_twice(till: Till, fault: str):
    intent_id = till.bought().payment_intent_id
    assert intent_id is not None
    till.order("faults", path="/stripe/v1/refunds", fault=fault, times=1)
    refund = till.stripe(limits=BRISK, retries=1).create_refund(
        intent_id, amount=100, metadata={}, idempotency_key="refund-1"
    )
    assert till.stripe().refunds(intent_id) == [refund]
    assert till.event_types().count("refund.created") == 1


def test_the_hurried_client_tries_twice(till: Till):
    till.order("faults", path="/stripe/v1/prices", fault="500", times=9)
    with pytest.raises(Unavailable):
        till.stripe(retries=5).hurried().price("price_SbxPack100")
    assert len(till.stand_in.calls()) == 2


def test_an_answer_larger_than_accepted_is_not_read(till: Till):
    with pytest.raises(BadAnswer) as caught:
        till.stripe(limits=Limits(answer_bytes_max=200)).price("price_SbxPack100")
    assert "too large" in caught.value.detail


def test_a_parameter_stripe_no_longer_knows_is_refused_by_name(till: Till, official):
    # The sandbox is as strict as the pinned version: `payment_method_types` is gone from Checkout.
    with pytest.raises(Exception, match="payment_method_types"):
        official.v1.checkout.sessions.create({"mode": "payment", "payment_method_types": ["card"]})
    with pytest.raises(InvalidRequest):
        till.stripe().create_refund("", metadata={}, idempotency_key="k")
