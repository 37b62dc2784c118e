"""Buying through the sandbox's Stripe, from the JSON call to the credits."""

from __future__ import annotations

import threading

import pytest

from tests.billing.market import PACK, PLAN, Market
from tests.conftest import ADMIN_API_KEY
from tokenboard.billing import opening, reconciling, tasks
from tokenboard.billing.models import Customer, Payment
from tokenboard.core.db import db


def session_of(market: Market, reference: str) -> str:
    return str(market.payment(reference).object_id)


def test_a_pack_is_bought_refunded_by_half_and_disputed(market: Market):
    bought = market.post("/api/billing/checkout", packageId=PACK)
    assert bought["url"].startswith(market.sandbox_url)
    market.control("stripe/sessions", id=session_of(market, bought["reference"]))
    market.deliver()
    assert market.credits == 100

    ada = market.people.bearer(market.people.ada)
    path = f"/api/admin/payments/{bought['reference']}/refund"
    answers = [ada.post(path, json={"amountCents": 50, "idempotencyKey": "half"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert market.credits == 50
    market.deliver()
    assert market.credits == 50

    intent = market.payment(bought["reference"]).payment_intent_id
    disputed = market.control("stripe/disputes", payment_intent=intent)
    market.deliver()
    assert market.credits == 0
    market.control("stripe/disputes", id=disputed["object"]["id"], status="lost")
    market.deliver()
    assert (market.credits, market.payment(bought["reference"]).state) == (0, "lost")


def test_a_plan_is_begun_renewed_and_refused_a_second_time(market: Market):
    begun = market.post("/api/billing/checkout", packageId=PLAN)
    market.control("stripe/sessions", id=session_of(market, begun["reference"]))
    market.deliver()
    assert market.credits == 2_000

    found = market.alice.get("/api/subscription").json["subscription"]
    assert (found["status"], found["interval"], found["includedCredits"]) == ("active", "month", 2_000)
    again = market.alice.post("/api/billing/checkout", json={"packageId": PLAN})
    assert (again.status_code, again.json["code"]) == (409, "subscription_exists")
    assert market.alice.get("/api/billing/portal-link").json["url"].startswith(market.sandbox_url)

    market.control("stripe/clock", to="next_renewal", subscription=found["id"])
    market.deliver(order="shuffled", seed=7)
    with market.app.app_context():
        db.session.execute(db.text("UPDATE inbox_event SET next_attempt_at = received_at WHERE state = 'retry'"))
        db.session.commit()
    market.sweep()
    assert market.credits == 4_000


def test_two_tabs_and_a_double_click_are_one_order_and_one_customer(market: Market):
    references: list[str] = []
    barrier = threading.Barrier(4)
    buyers = [market.alice for _ in range(4)]

    def click(number: int) -> None:
        barrier.wait()
        references.append(buyers[number].post("/api/billing/checkout", json={"packageId": PACK}).json["reference"])

    threads = [threading.Thread(target=click, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(references)) == 1
    with market.app.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(Customer)) == 1
        assert db.session.scalar(db.select(db.func.count()).select_from(Payment)) == 1


def test_a_key_names_one_order_and_another_basket_under_it_is_refused(market: Market):
    first = market.post("/api/billing/checkout", packageId=PACK, idempotencyKey="one")
    assert market.post("/api/billing/checkout", packageId=PACK, idempotencyKey="one") == first

    other = market.alice.post("/api/billing/checkout", json={"packageId": "price_SbxPack500", "idempotencyKey": "one"})
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")


def test_a_key_whose_order_is_paid_leads_to_that_order(market: Market):
    first = market.post("/api/billing/checkout", packageId=PACK, idempotencyKey="one")
    market.control("stripe/sessions", id=session_of(market, first["reference"]))
    market.deliver()

    again = market.post("/api/billing/checkout", packageId=PACK, idempotencyKey="one")

    assert again["url"].endswith(f"/credits/payments/{first['reference']}")
    assert market.credits == 100


def test_a_lost_webhook_is_mended_by_looking(market: Market):
    market.control("webhooks", provider="stripe", lose=10)
    bought = market.post("/api/billing/checkout", packageId=PACK)
    market.control("stripe/sessions", id=session_of(market, bought["reference"]))
    market.deliver()
    assert market.credits == 0

    with market.app.app_context():
        opening.check_now(bought["reference"], market.app.extensions["clients"])
        opening.check_now(bought["reference"], market.app.extensions["clients"])

    assert market.credits == 100


def test_the_reconciler_reports_first_and_then_mends(market: Market):
    market.control("webhooks", provider="stripe", lose=20)
    bought = market.post("/api/billing/checkout", packageId=PACK)
    market.control("stripe/sessions", id=session_of(market, bought["reference"]))
    market.deliver()

    with market.app.app_context():
        found = reconciling.reconcile(is_healing=False)
        assert any(one.object_id == session_of(market, bought["reference"]) for one in found)
    assert market.credits == 0

    with market.app.app_context():
        reconciling.reconcile(is_healing=True)
        reconciling.reconcile(is_healing=True)
    assert market.credits == 100


def test_open_orders_are_asked_about_by_the_sweeper(market: Market):
    market.control("webhooks", provider="stripe", lose=10)
    bought = market.post("/api/billing/checkout", packageId=PACK)
    market.control("stripe/sessions", id=session_of(market, bought["reference"]))

    with market.app.app_context():
        db.session.execute(db.update(Payment).values(next_check_at=Payment.created_at))
        db.session.commit()
        tasks.sweep()

    assert market.credits == 100


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil"])
def test_the_way_back_stays_on_this_site(market: Market, url: str):
    answer = market.alice.post("/api/billing/checkout-session", json={"priceId": PACK, "successUrl": url})

    assert answer.status_code == 422
    assert "successUrl" in answer.json["fields"]


def test_a_session_with_our_own_addresses_is_made(market: Market):
    made = market.post("/api/billing/checkout-session", priceId=PACK, successUrl="/credits", cancelUrl="/dashboard")

    assert made["id"].startswith("cs_")


def test_the_catalogue_is_taken_over_with_the_admin_key_and_shown_to_anyone(market: Market):
    client = market.app.test_client()
    synced = client.post("/api/billing/sync-prices", headers={"x-admin-key": ADMIN_API_KEY})
    assert (synced.status_code, synced.json["skipped"]) == (200, [])

    shown = client.get("/api/billing/packages").json["packages"]
    assert [(one["credits"], one["priceUsd"], one["interval"]) for one in shown] == [
        (100, 100, None),
        (500, 500, None),
        (2_000, 2_000, None),
        (2_000, 1_999, "month"),
        (24_000, 19_900, "year"),
    ]


def test_a_low_balance_buys_by_itself_once_within_its_cap(market: Market):
    first = market.post("/api/billing/checkout", packageId=PACK)
    market.control("stripe/sessions", id=session_of(market, first["reference"]))
    market.deliver()
    rule = {"enabled": True, "thresholdCredits": 1_000_000, "packageId": PACK, "monthlyCapCents": 250}
    assert market.alice.put("/api/credits/auto-topup", json=rule).json["enabled"] is True

    with market.app.app_context():
        for _ in range(5):
            tasks.top_up(market.people.alice.workspace_id)

    assert market.credits == 300  # two of them: a third would pass the cap of $2.50


def test_a_declined_card_stops_the_top_up_and_says_so(market: Market):
    first = market.post("/api/billing/checkout", packageId=PACK)
    market.control("stripe/sessions", id=session_of(market, first["reference"]))
    market.deliver()
    with market.app.app_context():
        customer = db.session.scalars(db.select(Customer)).one().provider_id
    market.control("stripe/cards", customer=customer, card="declined")
    rule = {"enabled": True, "thresholdCredits": 1_000_000, "packageId": PACK, "monthlyCapCents": 250}
    market.alice.put("/api/credits/auto-topup", json=rule)

    with market.app.app_context():
        tasks.top_up(market.people.alice.workspace_id)

    assert market.credits == 100
    shown = market.alice.get("/api/credits/auto-topup").json
    assert shown["enabled"] is False
    assert "declined" in shown["stopped"]
