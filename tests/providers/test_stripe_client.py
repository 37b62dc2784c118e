"""StripeClient against the sandbox, over real HTTP and the official library: catalogue, customers, checkout, plans."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
import stripe

from tests.providers.stand_in import NOW
from tests.providers.till import SUCCESS_URL, Till
from tokenboard.providers.payments import IdempotencyMismatch, InvalidRequest, NotFound
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_requests import CatalogueLine, CheckoutRequest, CustomLine

PACK = (CatalogueLine("price_SbxPack500"),)


def test_the_catalogue_comes_with_its_products(till: Till):
    found = {price.id: price for price in till.stripe().prices(is_active=True)}
    assert {key: price.unit_amount for key, price in found.items()} == {
        "price_SbxPack100": 100,
        "price_SbxPack500": 500,
        "price_SbxPack2000": 2_000,
        "price_SbxProMonth": 1_999,
        "price_SbxProYear": 19_900,
    }
    plan = found["price_SbxProMonth"]
    assert (plan.interval, plan.interval_count, plan.currency, plan.usage_type) == ("month", 1, "usd", "licensed")
    assert plan.product is not None
    assert plan.product.metadata == {"includedCredits": "2000"}
    assert found["price_SbxPack100"].interval is None


def test_archived_prices_come_too_and_many_pages_are_read(till: Till, official: stripe.StripeClient):
    for number in range(103):
        official.v1.prices.create(
            params={
                "currency": "jpy",
                "product": "prod_SbxPack100",
                "unit_amount": number + 1,
                "active": number % 2 == 0,
            }
        )
    found = list(till.stripe().prices())
    assert len(found) == 108
    assert sum(not price.is_active for price in found) == 51
    assert len({price.id for price in found}) == 108


def test_one_price_and_all_products(till: Till):
    assert till.stripe().price("price_SbxPack100").product_id == "prod_SbxPack100"
    assert {product.name for product in till.stripe().products()} >= {"100 credits", "Pro yearly"}


def test_a_customer_is_made_once_for_a_key(till: Till):
    first = till.stripe().create_customer(email="a@example.com", metadata={"w": "1"}, idempotency_key="k")
    again = till.stripe().create_customer(email="a@example.com", metadata={"w": "1"}, idempotency_key="k")
    assert first == again
    with pytest.raises(IdempotencyMismatch):
        till.stripe().create_customer(email="b@example.com", metadata={"w": "1"}, idempotency_key="k")


def test_a_customer_is_read_changed_and_gone(till: Till, official: stripe.StripeClient):
    customer_id = till.customer()
    changed = till.stripe().update_customer(customer_id, email="new@example.com", metadata={"plan": "pro"})
    assert changed.email == "new@example.com"
    assert changed.metadata == {"workspace_id": "w1", "plan": "pro"}
    official.v1.customers.delete(customer_id)
    assert till.stripe().customer(customer_id).is_deleted
    with pytest.raises(NotFound):
        till.checkout(customer_id=customer_id)


def test_a_checkout_says_what_it_sells_and_where_to_go(till: Till):
    session = till.checkout(lines=(CatalogueLine("price_SbxPack500", 3),), metadata={"order_id": "o1"})
    assert session.url == f"{till.url}/stripe/pay/{session.id}"
    assert (session.mode, session.status, session.payment_status) == ("payment", "open", "unpaid")
    assert (session.amount_total, session.currency) == (1_500, "usd")
    assert session.client_reference_id == "order-1"
    assert session.metadata == {"order_id": "o1"}
    assert session.expires_at == NOW + timedelta(days=1)
    assert session.line_items is not None
    [line] = session.line_items
    assert (line.price_id, line.product_id, line.quantity) == ("price_SbxPack500", "prod_SbxPack500", 3)
    assert till.stripe().line_items(session.id) == [line]
    assert not session.is_settled


def test_the_metadata_reaches_what_the_session_makes(till: Till):
    session = till.bought(metadata={"order_id": "o1"})
    assert session.payment_intent_id is not None
    intent = till.stripe().payment_intent(session.payment_intent_id)
    assert intent.metadata == {"order_id": "o1"}
    assert (intent.status, intent.amount_received) == ("succeeded", 500)
    plan = till.subscribed(metadata={"workspace_id": "w9"})
    assert plan.subscription_id is not None
    assert till.stripe().subscription(plan.subscription_id).metadata == {"workspace_id": "w9"}
    assert plan.invoice_id is not None
    assert till.stripe().invoice(plan.invoice_id).subscription_metadata == {"workspace_id": "w9"}


def test_an_own_amount_in_yen_is_yen(till: Till):
    session = till.bought(lines=(CustomLine("Top-up", "jpy", 1_500),))
    assert (session.amount_total, session.currency, session.is_settled) == (1_500, "jpy", True)


def test_tax_is_told_beside_the_total(till: Till):
    session = till.checkout(automatic_tax=True, customer_id=till.customer())
    assert (session.amount_subtotal, session.amount_tax, session.amount_total) == (500, 50, 550)


def test_the_same_order_twice_is_one_session(till: Till):
    first = till.checkout(idempotency_key="order-7")
    assert till.checkout(idempotency_key="order-7") == first
    with pytest.raises(IdempotencyMismatch) as caught:
        till.checkout(idempotency_key="order-7", client_reference_id="other")
    assert "Start again" in caught.value.user_message


def test_a_session_can_be_closed_once(till: Till):
    session = till.checkout()
    assert till.stripe().expire_checkout(session.id).status == "expired"
    with pytest.raises(InvalidRequest):
        till.stripe().expire_checkout(session.id)


def test_sessions_are_found_by_time_and_payment(till: Till):
    paid, still_open = till.bought(), till.checkout()
    client = till.stripe()
    assert [one.id for one in client.checkout_sessions(since=NOW)] == [still_open.id, paid.id]
    assert list(client.checkout_sessions(since=NOW + timedelta(seconds=1))) == []
    [found] = client.checkout_sessions(payment_intent_id=paid.payment_intent_id)
    assert found.id == paid.id
    assert found.line_items is None


def test_an_archived_price_is_refused_with_stripes_words(till: Till, official: stripe.StripeClient):
    official.v1.prices.update("price_SbxPack500", params={"active": False})
    with pytest.raises(InvalidRequest) as caught:
        till.checkout()
    assert "inactive" in caught.value.detail
    assert caught.value.request_id.startswith("req_")


def test_a_subscription_can_be_ended_later_kept_and_ended_now(till: Till):
    subscription_id = till.subscribed().subscription_id
    assert subscription_id is not None
    client = till.stripe()
    ending = client.cancel_at_period_end(subscription_id)
    assert ending.cancel_at_period_end
    assert ending.cancel_at == ending.items[0].period_end
    assert not client.cancel_at_period_end(subscription_id, False).cancel_at_period_end
    ended = client.cancel_now(subscription_id)
    assert (ended.status, ended.is_live_one) == ("canceled", False)
    with pytest.raises(NotFound):
        client.cancel_now(subscription_id)
    assert [one.status for one in client.subscriptions(ended.customer_id)] == ["canceled"]


def test_the_portal_has_an_address(till: Till):
    url = till.stripe().portal_url(till.customer(), "https://shop.example/subscription")
    assert url.startswith(f"{till.url}/stripe/portal/bps_")


def test_events_come_oldest_first_and_by_type(till: Till):
    till.bought()
    client = till.stripe()
    types = [event.type for event in client.events(NOW - timedelta(hours=1))]
    assert types == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    wanted = [f"made.up.{number}" for number in range(25)] + ["checkout.session.completed"]
    [event] = client.events(NOW - timedelta(hours=1), wanted)
    assert client.event(event.id) == event
    assert (event.foreign, event.is_live, event.object["object"]) == (None, False, "checkout.session")
    assert client.events(NOW + timedelta(hours=1)) == []


def test_the_client_leaves_no_trace_and_shows_no_key(
    till: Till, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(os.environ, "HOME", str(tmp_path))
    monkeypatch.setitem(os.environ, "XDG_CONFIG_HOME", str(tmp_path / "config"))
    client = till.stripe()
    with caplog.at_level("INFO"):
        client.price("price_SbxPack100")
    assert list(tmp_path.iterdir()) == []
    assert "sk_test" not in repr(client) + caplog.text


@pytest.mark.parametrize("key", ["", "  ", "sk_test_ünlike"])
def test_no_key_is_no_client(key: str):
    with pytest.raises(ValueError, match="secret key"):
        StripeClient(key)


@pytest.mark.parametrize(("key", "is_live"), [("sk_live_x", True), ("rk_live_x", True), ("sk_test_x", False)])
def test_the_key_says_whether_it_is_live(key: str, is_live: bool):
    assert StripeClient(key).is_live is is_live


@pytest.mark.parametrize(
    "wrong",
    [
        {"success_url": SUCCESS_URL.replace("{", "%7B").replace("}", "%7D")},
        {"lines": ()},
        {"customer_id": "cus_1", "customer_email": "a@example.com"},
    ],
)
def test_a_checkout_that_cannot_work_is_refused_before_it_is_sent(wrong: dict[str, object]):
    facts = {
        "mode": "payment",
        "lines": PACK,
        "success_url": SUCCESS_URL,
        "cancel_url": "x",
        "client_reference_id": "o",
    }
    with pytest.raises(ValueError):
        CheckoutRequest(**(facts | wrong))  # type: ignore[arg-type]
