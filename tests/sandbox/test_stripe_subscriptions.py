"""Subscriptions in the sandbox: months go by when the clock is moved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.providers.stand_in import NOW
from tests.providers.till import Till
from tokenboard.providers.stripe_requests import CatalogueLine
from tokenboard.sandbox.stripe_shapes import recurring
from tokenboard.sandbox.stripe_subscriptions import end_of_period, nth_period


def begun(till: Till, card: str = "success", **wanted: Any) -> str:
    subscription_id = till.subscribed(card, **wanted).subscription_id
    assert subscription_id is not None
    return subscription_id


def since(till: Till, mark: int) -> list[str]:
    return till.event_types()[mark:]


def test_a_subscription_begins_incomplete_becomes_active_and_is_paid(till: Till):
    begun(till)
    types = till.event_types()
    assert types.index("customer.subscription.created") < types.index("customer.subscription.updated")
    assert types.index("invoice.paid") < types.index("checkout.session.completed")
    [created] = till.stripe().events(NOW, ["customer.subscription.created"])
    assert created.object["status"] == "incomplete"
    [invoice] = till.stripe().events(NOW, ["invoice.paid"])
    assert invoice.object["billing_reason"] == "subscription_create"


def test_a_renewal_moves_the_period_before_it_is_paid(till: Till):
    subscription_id = begun(till)
    mark = len(till.event_types())
    [before] = till.stripe().subscription(subscription_id).items
    till.renew(subscription_id)
    [after] = till.stripe().subscription(subscription_id).items
    assert (before.period_start, before.period_end) == (NOW, datetime(2026, 12, 20, 15, 30, tzinfo=UTC))
    assert (after.period_start, after.period_end) == (before.period_end, datetime(2027, 1, 20, 15, 30, tzinfo=UTC))
    types = since(till, mark)
    assert types.index("customer.subscription.updated") < types.index("invoice.paid")
    assert types.count("invoice.paid") == types.count("invoice.payment_succeeded") == 1
    [_, paid] = till.stripe().events(NOW, ["invoice.paid"])
    assert paid.object["billing_reason"] == "subscription_cycle"
    # The invoice's own period is the one that has passed; the line's is the one that is bought.
    december = int(datetime(2026, 12, 20, 15, 30, tzinfo=UTC).timestamp())
    assert (paid.object["period_start"], paid.object["period_end"]) == (int(NOW.timestamp()), december)
    assert paid.object["lines"]["data"][0]["period"]["start"] == december


def test_a_year_of_months_is_twelve_renewals(till: Till):
    begun(till)
    till.order("stripe/clock", to="2027-11-20T17:00:00+00:00")
    reasons = [event.object["billing_reason"] for event in till.stripe().events(NOW, ["invoice.paid"])]
    assert reasons == ["subscription_create"] + ["subscription_cycle"] * 12


def test_a_yearly_plan_renews_once_a_year(till: Till):
    begun(till, price="price_SbxProYear")
    till.order("stripe/clock", to="2027-11-20T17:00:00+00:00")
    assert [event.object["amount_paid"] for event in till.stripe().events(NOW, ["invoice.paid"])] == [19_900, 19_900]


@pytest.mark.parametrize(("card", "has_question"), [("fails_later", False), ("authenticates_later", True)])
def test_a_renewal_that_is_not_paid_is_tried_again_and_then_the_plan_ends(till: Till, card: str, has_question: bool):
    subscription_id = begun(till, card)
    mark = len(till.event_types())
    till.renew(subscription_id)
    assert till.stripe().subscription(subscription_id).status == "past_due"
    assert "invoice.paid" not in since(till, mark)
    assert ("invoice.payment_action_required" in since(till, mark)) is has_question
    till.order("stripe/clock", seconds=16 * 86_400)
    types = since(till, mark)
    assert types.count("invoice.payment_failed") == 4
    assert types[-1] == "customer.subscription.deleted"
    assert till.stripe().subscription(subscription_id).status == "canceled"
    assert next(till.stripe().invoices(subscription_id=subscription_id)).status == "uncollectible"


def test_a_customer_pays_the_open_invoice_on_its_page(till: Till):
    subscription_id = begun(till, "fails_later")
    till.renew(subscription_id)
    invoice = next(till.stripe().invoices(subscription_id=subscription_id))
    assert invoice.hosted_url is not None
    assert "declined" in till.press(invoice.hosted_url, act="pay", method="declined").text
    assert till.press(invoice.hosted_url, act="pay", method="success").status_code == 303
    assert "Status: paid" in requests.get(invoice.hosted_url, timeout=5).text
    assert till.stripe().subscription(subscription_id).status == "active"
    mark = len(till.event_types())
    till.press(invoice.hosted_url, act="pay", method="success")
    assert since(till, mark) == []


def test_a_trial_costs_nothing_and_then_the_price(till: Till):
    session = till.subscribed(trial_days=14)
    assert (session.payment_status, session.is_settled) == ("no_payment_required", True)
    client = till.stripe()
    assert client.subscription(session.subscription_id or "").status == "trialing"
    assert client.invoice(session.invoice_id or "").amount_paid == 0
    till.renew(session.subscription_id or "")
    assert client.subscription(session.subscription_id or "").status == "active"
    paid = [
        (event.object["billing_reason"], event.object["amount_paid"]) for event in client.events(NOW, ["invoice.paid"])
    ]
    assert paid == [("subscription_create", 0), ("subscription_cycle", 1_999)]


def test_a_first_payment_nobody_confirms_ends_after_a_day(till: Till):
    session = till.checkout(
        mode="subscription", customer_id=till.customer(), lines=(CatalogueLine("price_SbxProMonth"),)
    )
    waiting = till.order("stripe/sessions", id=session.id, act="leave_incomplete")["object"]
    assert waiting["status"] == "incomplete"
    till.order("stripe/clock", seconds=23 * 3_600)
    assert till.stripe().subscription(waiting["id"]).status == "incomplete_expired"
    assert "invoice.paid" not in till.event_types()
    assert till.stripe().invoice(waiting["latest_invoice"]).status == "void"


def test_cancelled_at_period_end_means_served_until_then(till: Till):
    subscription_id = begun(till)
    till.stripe().cancel_at_period_end(subscription_id)
    mark = len(till.event_types())
    till.renew(subscription_id)
    assert since(till, mark) == ["customer.subscription.deleted"]
    assert till.stripe().subscription(subscription_id).status == "canceled"


def test_a_paused_collection_is_never_paid(till: Till, official):
    subscription_id = begun(till)
    official.v1.subscriptions.update(subscription_id, {"pause_collection": {"behavior": "void"}})
    mark = len(till.event_types())
    till.renew(subscription_id)
    assert "invoice.voided" in since(till, mark)
    assert "invoice.paid" not in since(till, mark)
    found = till.stripe().subscription(subscription_id)
    assert (found.status, found.is_collection_paused) == ("active", True)


def test_from_month_to_year_credits_the_rest_and_begins_a_full_year(till: Till):
    subscription_id = begun(till)
    till.order("stripe/clock", seconds=15 * 86_400)
    till.order("stripe/subscriptions", id=subscription_id, act="switch", price="price_SbxProYear")
    invoice = next(till.stripe().invoices(subscription_id=subscription_id))
    unused, year = invoice.lines
    assert (invoice.billing_reason, invoice.status) == ("subscription_update", "paid")
    assert (unused.amount, unused.is_proration) == (-1_000, True)
    assert (year.amount, year.is_proration, year.price_id) == (19_900, False, "price_SbxProYear")
    assert invoice.amount_paid == 18_900


def test_back_from_year_to_month_leaves_a_balance_that_pays_the_next_months(till: Till):
    subscription_id = begun(till, price="price_SbxProYear")
    till.order("stripe/subscriptions", id=subscription_id, act="switch", price="price_SbxProMonth")
    invoice = next(till.stripe().invoices(subscription_id=subscription_id))
    assert (invoice.total, invoice.amount_due, invoice.status) == (-17_901, 0, "paid")
    till.renew(subscription_id)
    renewal = next(till.stripe().invoices(subscription_id=subscription_id))
    assert (renewal.total, renewal.amount_paid, renewal.status) == (1_999, 0, "paid")


def test_a_switch_within_the_month_is_prorated_on_the_next_invoice(till: Till, official):
    dear = official.v1.prices.create(
        {"currency": "usd", "unit_amount": 5_999, "product": "prod_SbxProMonth", "recurring": {"interval": "month"}}
    )
    subscription_id = begun(till)
    till.order("stripe/clock", seconds=15 * 86_400)
    item = till.stripe().subscription(subscription_id).items[0]
    official.v1.subscriptions.update(subscription_id, {"items": [{"id": item.id, "price": dear.id}]})
    till.renew(subscription_id)
    renewal = next(till.stripe().invoices(subscription_id=subscription_id))
    assert [(line.amount, line.is_proration) for line in renewal.lines] == [
        (-1_000, True),
        (3_000, True),
        (5_999, False),
    ]


def test_the_portal_cancels_keeps_switches_and_saves_a_card(till: Till):
    session = till.subscribed()
    subscription_id, customer_id = session.subscription_id or "", session.customer_id or ""
    url = till.stripe().portal_url(customer_id, "https://shop.example/subscription")
    page = requests.get(url, timeout=5).text
    assert "Pro monthly" in page
    assert "https://shop.example/subscription" in page
    till.press(url, act="cancel", subscription=subscription_id)
    assert "Ends on 20 December 2026" in requests.get(url, timeout=5).text
    till.press(url, act="resume", subscription=subscription_id)
    till.press(url, act="switch", subscription=subscription_id, price="price_SbxProYear")
    till.press(url, act="card", card="fails_later")
    found = till.stripe().subscription(subscription_id)
    assert (found.cancel_at_period_end, found.items[0].price_id) == (False, "price_SbxProYear")
    card = till.stripe().saved_card(customer_id)
    assert card is not None
    assert card.last4 == "0341"


def test_the_portal_shows_nobody_elses_subscription(till: Till):
    alices = till.subscribed().subscription_id or ""
    url = till.stripe().portal_url(till.customer("charlie@example.com"), "https://shop.example/")
    assert "There is no subscription." in requests.get(url, timeout=5).text
    assert till.press(url, act="cancel", subscription=alices).status_code == 404
    assert not till.stripe().subscription(alices).cancel_at_period_end


def test_months_are_counted_from_their_anchor():
    anchor = int(datetime(2027, 1, 31, 12, tzinfo=UTC).timestamp())
    monthly = recurring("month")
    days = [datetime.fromtimestamp(nth_period(anchor, monthly, count), UTC).day for count in range(4)]
    assert days == [31, 28, 31, 30]
    february = nth_period(anchor, monthly, 1)
    assert end_of_period(anchor, monthly, february) == nth_period(anchor, monthly, 2)
    assert nth_period(anchor, recurring("week", 2), 3) == anchor + 6 * 7 * 86_400
