"""/subscription in every state a plan can be in, the way to Stripe's portal, and the public price list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.billing.buying import Buyer, plain
from tests.billing.market import PLAN, Market
from tests.costs.counting import count_queries
from tests.people import People
from tokenboard.billing import catalogue_queries, order_service
from tokenboard.billing.models import Customer, Subscription
from tokenboard.core.clock import now
from tokenboard.core.db import db

__all__ = ["count_queries"]
DECEMBER = datetime(2026, 12, 28, tzinfo=UTC)
PAGE = "/subscription"


def begin(market: Market, **facts: Any) -> None:
    """A plan of Alice's as Stripe might have told it."""
    usual: dict[str, Any] = {
        "workspace_id": market.people.alice.workspace_id,
        "provider_id": f"sub_{facts.get('status', 'active')}{len(facts)}",
        "price_provider_id": PLAN,
        "status": "active",
        "period_start": DECEMBER - timedelta(days=30),
        "period_end": DECEMBER,
        "told_at": now(),
    }
    with market.app.app_context():
        db.session.add(Subscription(**(usual | facts)))
        db.session.commit()


def shown(people: People, path: str = PAGE) -> str:
    return plain(people.browser(people.alice).get(path).text)


def test_without_a_plan_the_page_leads_to_the_plans(market: Market):
    page = shown(market.people)

    assert "No plan yet" in page
    assert "See the plans" in page
    assert "Manage at Stripe" not in page


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "Active Brings 2,000 credits each month Renews on 28 Dec 2026"),
        ({"quantity": 2}, "$39.98 a month Active Brings 4,000 credits each month"),
        ({"cancel_at_period_end": True}, "Ends on 28 Dec 2026 It was cancelled; credits you have stay."),
        ({"status": "trialing", "trial_ends_at": DECEMBER}, "Trial Nothing is charged until the trial ends"),
        ({"status": "trialing", "trial_ends_at": DECEMBER}, "First charged on 28 Dec 2026"),
        ({"status": "past_due", "invoice_url": "https://invoice.stripe.com/i"}, "A payment is open"),
        ({"status": "past_due"}, "Payment failed The renewal could not be charged."),
        ({"status": "incomplete"}, "Waiting for payment The first payment is open."),
        ({"status": "unpaid"}, "Not paid"),
        ({"status": "paused"}, "Paused Nothing is charged"),
        ({"is_collection_paused": True}, "Paused Nothing is charged"),
        ({"status": "canceled", "ended_at": DECEMBER}, "No plan runs Pro monthly has ended."),
        ({"price_provider_id": "price_unheard_of"}, "Plan Active Renews on 28 Dec 2026"),
    ],
)
def test_each_state_is_said_in_words(market: Market, facts: dict[str, Any], words: str):
    begin(market, **facts)

    assert words in shown(market.people)


def test_an_open_payment_leads_to_where_it_is_paid(market: Market):
    begin(market, status="past_due", invoice_url="https://invoice.stripe.com/i")

    page = market.people.browser(market.people.alice).get(PAGE).text

    assert 'href="https://invoice.stripe.com/i"' in page
    assert "Pay or confirm it" in page


def test_two_plans_at_once_are_flagged(market: Market):
    begin(market)
    begin(market, status="past_due")

    page = shown(market.people)

    assert "Two plans run at once Each is charged." in page
    assert page.count("Brings 2,000 credits each month") == 2


def test_the_portal_is_stripes_and_for_those_who_manage(market: Market):
    alice = Buyer(market, market.people.alice)
    form = {"workspace_id": alice.workspace_id}
    nothing = alice.browser.post(f"{PAGE}/portal", form)
    assert nothing.status_code == 409
    assert "There is nothing to manage yet" in nothing.text

    alice.buy()
    assert "Manage at Stripe" in alice.open()
    led = alice.browser.post(f"{PAGE}/portal", form)
    assert led.status_code == 303
    assert led.headers["Location"].startswith(f"{market.sandbox_url}/stripe/portal/")

    alice.order_fault("/stripe/v1/billing_portal")
    assert alice.browser.post(f"{PAGE}/portal", form).status_code == 503


def test_members_and_viewers_read_the_plan_and_change_nothing(market: Market):
    people = market.people
    begin(market, workspace_id=people.team_id)
    with market.app.app_context():
        db.session.add(Customer(workspace_id=people.team_id, provider="stripe", provider_id="cus_team"))
        db.session.commit()

    for one in (people.bob, people.vera):
        page = plain(people.browser(one).get(f"{PAGE}?workspace_id={people.team_id}").text)
        assert "Pro monthly" in page
        assert "Manage at Stripe" not in page
        assert people.browser(one).post(f"{PAGE}/portal", {"workspace_id": people.team_id}).status_code == 403
    assert people.browser(people.charlie).get(f"{PAGE}?workspace_id={people.team_id}").status_code == 404


def test_a_renewal_stands_among_the_invoices(market: Market):
    alice = Buyer(market, market.people.alice)
    with market.app.app_context():
        plan = catalogue_queries.offer(PLAN).price.id
    alice.browser.post("/credits/subscribe", {"workspace_id": alice.workspace_id, "plan": plan})
    alice.pay(alice.orders()[0])

    page = shown(market.people)

    assert "Invoices What was paid for the plan" in page
    assert "$19.99 2,000 credits Receipt Stripe's" in page


def test_another_plan_in_another_tab_closes_the_first_checkout(market: Market):
    alice = Buyer(market, market.people.alice)
    with market.app.app_context():
        month, year = (catalogue_queries.offer(one).price.id for one in (PLAN, "price_SbxProYear"))
        assert order_service.stripe_basket(catalogue_queries.offer(year)).credits_micros == 0
    for plan in (month, year):
        alice.browser.post("/credits/subscribe", {"workspace_id": alice.workspace_id, "plan": plan})

    assert [one.state for one in alice.orders()] == ["expired", "started"]


# The price list


def test_the_price_list_is_open_to_anyone_and_kept_for_a_minute(market: Market):
    answer = market.app.test_client().get("/pricing")

    page = plain(answer.text)
    assert "100 credits $1.00 Buy 100 credits" in page
    assert "Pro monthly $19.99 a month 2,000 credits each month." in page
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert "Cookie" in answer.headers["Vary"]
    assert "Set-Cookie" not in answer.headers
    assert "/register?next=%2Fcredits%3Fpack%3D" in answer.text


def test_the_price_list_in_shillings_says_its_rate(market: Market):
    page = plain(market.app.test_client().get("/pricing?currency=KES").text)

    assert "1 USD = 129 KES" in page
    assert "100 credits KES 129.00" in page
    assert "Plans are charged in the currency they are shown in." in page


def test_the_price_list_of_somebody_signed_in_is_nobody_elses(market: Market):
    answer = market.people.browser(market.people.alice).get("/pricing?currency=EUR")

    assert answer.headers["Cache-Control"] == "no-store"
    assert "Dashboard" in answer.text
    assert 'href="/credits?pack=' in answer.text


def test_an_empty_catalogue_still_sells_amounts(people: People):
    page = plain(people.app.test_client().get("/pricing").text)

    assert "Or any amount from $1 to $1,000." in page
    assert "Plans" not in page
