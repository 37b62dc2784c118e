"""Subscriptions: cases 8 to 15 of the reference, each with its ledger effect."""

from __future__ import annotations

import itertools

import pytest

from tests.billing.events import NOON, event, invoice, line, session, subscription
from tests.billing.shop import Shop
from tokenboard.billing.models import Customer, Payment, Subscription
from tokenboard.core.db import db
from tokenboard.providers import stripe_billing_answers as read

MONTH = 2_592_000


def beginning() -> list[dict[str, object]]:
    """What Stripe tells when a plan begins, in some order."""
    plan = session("cs_plan", mode="subscription", subscription="sub_alice", invoice="in_first", payment_intent=None)
    return [
        event("checkout.session.completed", plan | {"amount_subtotal": 1_999, "amount_total": 1_999}),
        event("customer.subscription.created", subscription("incomplete"), created=NOON + 1),
        event("invoice.paid", invoice("in_first", [line("il_first")], "subscription_create")),
        event("customer.subscription.updated", subscription("active"), created=NOON + 4),
    ]


def plan_of(shop: Shop) -> Subscription:
    with shop.app.app_context():
        return db.session.scalars(db.select(Subscription)).one()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3], ids=str)
def test_a_plan_begins_with_one_grant_in_every_order(shop: Shop, order: tuple[int, ...]):
    shop.order("price_month", "cs_plan")
    told = beginning()

    shop.tell(*(told[number] for number in order))
    shop.tell(*told)

    assert shop.credits == 2_000
    assert shop.grant_keys() == ["stripe:il_first"]
    assert plan_of(shop).status == "active"


def test_an_invoice_nobody_knows_yet_waits_and_is_credited_later(shop: Shop):
    with shop.app.app_context():
        db.session.execute(db.delete(Customer))
        db.session.commit()

    assert shop.tell(event("invoice.paid", invoice("in_first", [line("il_first")], "subscription_create"))) == ["retry"]
    shop.tell(event("customer.subscription.updated", subscription("active", metadata={"workspace_id": shop.home})))
    shop.due()

    assert shop.credits == 2_000


def test_an_invoice_finds_its_workspace_by_what_stripe_answers(shop: Shop):
    with shop.app.app_context():
        db.session.execute(db.delete(Customer))
        db.session.commit()
    told = read.subscription(subscription("active", metadata={"workspace_id": shop.home}))
    shop.providers.stripe().things["subscription", "sub_alice"] = told

    shop.tell(event("invoice.paid", invoice("in_first", [line("il_first")], "subscription_create")))

    assert shop.credits == 2_000


@pytest.mark.parametrize("is_paid_first", [True, False])
def test_a_renewal_is_granted_once_before_or_after_the_period_moves(shop: Shop, is_paid_first: bool):
    shop.tell(*beginning()[1:])
    paid = event("invoice.paid", invoice("in_next", [line("il_next", start=NOON + MONTH)]), created=NOON + MONTH + 9)
    moved = event("customer.subscription.updated", subscription("active", start=NOON + MONTH), created=NOON + MONTH)

    shop.tell(*((paid, moved) if is_paid_first else (moved, paid)))
    shop.tell(event("invoice.payment_succeeded", paid["data"]["object"]), event("invoice.paid", paid["data"]["object"]))

    assert shop.credits == 4_000


def test_one_period_under_two_invoices_is_one_grant(shop: Shop):
    shop.tell(
        event("invoice.paid", invoice("in_a", [line("il_a")])), event("invoice.paid", invoice("in_b", [line("il_b")]))
    )

    assert shop.credits == 2_000


def test_a_yearly_plan_is_granted_once_a_year(shop: Shop):
    yearly = invoice("in_year", [line("il_year", 19_900, price="price_year")])

    shop.tell(event("invoice.paid", yearly), event("invoice.paid", yearly))

    assert shop.credits == 24_000


def test_a_failed_renewal_brings_nothing_until_it_is_paid(shop: Shop):
    shop.tell(*beginning()[1:])
    unpaid = invoice("in_next", [line("il_next", start=NOON + MONTH)], status="open", amount_paid=0)
    later = NOON + MONTH

    shop.tell(event("invoice.payment_failed", unpaid, created=later))
    shop.tell(event("customer.subscription.updated", subscription("past_due", start=later), created=later + 1))
    assert (shop.credits, plan_of(shop).invoice_url) == (2_000, "https://invoice.stripe.com/in_next")

    shop.tell(event("invoice.paid", unpaid | {"status": "paid", "amount_paid": 1_999}, created=later + 500))
    shop.tell(event("customer.subscription.updated", subscription("active", start=later), created=later + 501))
    assert (shop.credits, plan_of(shop).invoice_url) == (4_000, "")


def test_a_bank_that_wants_the_buyer_brings_nothing_and_shows_where_to_confirm(shop: Shop):
    shop.tell(*beginning()[1:])
    open_one = invoice("in_next", [line("il_next", start=NOON + MONTH)], status="open", amount_paid=0)

    shop.tell(event("invoice.payment_action_required", open_one, created=NOON + MONTH))

    assert (shop.credits, plan_of(shop).invoice_url) == (2_000, "https://invoice.stripe.com/in_next")


def test_a_trial_brings_nothing_and_its_end_everything(shop: Shop):
    shop.tell(event("invoice.paid", invoice("in_trial", [line("il_trial", 0)], "subscription_create")))
    assert shop.credits == 0

    shop.tell(event("invoice.paid", invoice("in_end", [line("il_end", start=NOON + 604_800)])))
    assert shop.credits == 2_000


def test_pausing_moves_no_credits(shop: Shop):
    shop.tell(*beginning()[1:])

    shop.tell(
        event("customer.subscription.paused", subscription("paused"), created=NOON + 50),
        event("customer.subscription.resumed", subscription("active"), created=NOON + 60),
        event("customer.subscription.updated", subscription("unpaid"), created=NOON + 70),
    )

    assert (shop.credits, plan_of(shop).status) == (2_000, "unpaid")


def test_cancelling_takes_nothing_and_a_late_snapshot_does_not_revive(shop: Shop):
    shop.tell(*beginning()[1:])
    leaving = subscription("active", cancel_at_period_end=True)

    shop.tell(event("customer.subscription.updated", leaving, created=NOON + 100))
    assert (shop.credits, plan_of(shop).cancel_at_period_end) == (2_000, True)

    shop.tell(event("customer.subscription.deleted", subscription("canceled", ended_at=NOON + 200), created=NOON + 200))
    shop.tell(event("customer.subscription.updated", subscription("active"), created=NOON + 200))
    shop.tell(event("customer.subscription.created", subscription("incomplete"), created=NOON + 1))
    assert (shop.credits, plan_of(shop).status) == (2_000, "canceled")


def test_the_last_invoice_counts_also_after_the_end(shop: Shop):
    shop.tell(*beginning()[1:2])
    shop.tell(event("customer.subscription.deleted", subscription("canceled"), created=NOON + 200))

    shop.tell(event("invoice.paid", invoice("in_first", [line("il_first")], "subscription_create")))

    assert shop.credits == 2_000


def test_on_a_tie_stripe_is_asked_which_snapshot_holds(shop: Shop):
    shop.tell(*beginning()[1:])
    shop.providers.stripe().things["subscription", "sub_alice"] = read.subscription(subscription("active"))

    shop.tell(event("customer.subscription.updated", subscription("past_due"), created=NOON + 4))

    assert plan_of(shop).status == "active"
    assert ("subscription", "sub_alice") in shop.providers.stripe().asked


def test_prorations_never_grant_and_a_loop_of_changes_brings_nothing(shop: Shop):
    shop.tell(*beginning()[1:])
    for number, (price, gross) in enumerate([("price_year", 19_900), ("price_month", 1_999), ("price_year", 19_900)]):
        back = line(f"il_back{number}", -1_000, proration=True, start=NOON + number)
        full = line(f"il_full{number}", gross, price=price, start=NOON + 100 + number)
        shop.tell(event("invoice.paid", invoice(f"in_change{number}", [back, full], "subscription_update")))

    assert shop.credits == 2_000


def test_a_change_without_proration_grants_its_full_line_once(shop: Shop):
    shop.tell(*beginning()[1:])
    full = invoice("in_up", [line("il_up", 19_900, price="price_year", start=NOON + 100)], "subscription_update")

    shop.tell(event("invoice.paid", full), event("invoice.paid", full))

    assert shop.credits == 26_000


@pytest.mark.parametrize("reason", ["manual", "subscription_threshold", "upcoming"])
def test_other_invoices_bring_nothing(shop: Shop, reason: str):
    by_hand = invoice("in_hand", [line("il_hand", 500, price="price_other")], reason, parent=None)

    assert shop.tell(event("invoice.paid", by_hand)) == ["done"]

    assert shop.credits == 0


def test_a_price_without_credits_brings_nothing_and_tells_the_operator(shop: Shop):
    shop.tell(event("invoice.paid", invoice("in_odd", [line("il_odd", price="price_unknown")])))

    assert shop.credits == 0
    with shop.app.app_context():
        assert db.session.scalars(db.select(Payment).where(Payment.object_id == "in_odd")).one().credited_at is None


def test_a_second_live_plan_is_flagged(shop: Shop):
    shop.tell(*beginning()[1:])

    shop.tell(event("customer.subscription.created", subscription("active", id="sub_second"), created=NOON + 9))

    with shop.app.app_context():
        flags = {one.provider_id: one.is_extra for one in db.session.scalars(db.select(Subscription))}
    assert flags == {"sub_alice": False, "sub_second": True}


def test_a_deleted_customer_leaves_the_balance_and_its_late_invoice(shop: Shop):
    shop.tell(*beginning()[1:])

    shop.tell(event("customer.deleted", {"id": "cus_alice", "object": "customer", "deleted": True}))
    shop.tell(event("invoice.paid", invoice("in_late", [line("il_late", start=NOON + MONTH)])))

    assert shop.credits == 4_000
