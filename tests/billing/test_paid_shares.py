"""Invoices of a plan that are not plain: prorations, credit on the customer's balance, discounts; and what is owed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.events import NOON, Body, event, invoice, line, subscription
from tests.billing.shop import Shop
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing.models import Subscription
from tokenboard.core.db import db

MONTH = 2_592_000


def alerts(shop: Shop) -> set[str]:
    with shop.app.app_context():
        return {one.kind for one in open_alerts()}


def link(shop: Shop) -> str:
    with shop.app.app_context():
        return db.session.scalars(db.select(Subscription.invoice_url)).one()


def proration(line_id: str, amount: int) -> Body:
    """A proration as an invoice item, which names no subscription item."""
    details = {"invoice_item": "ii_1", "proration": True, "subscription": "sub_alice"}
    return line(line_id, amount) | {"parent": {"type": "invoice_item_details", "invoice_item_details": details}}


def test_prorations_as_invoice_items_grant_nothing_either(shop: Shop):
    back, full = proration("il_back", -1_000), line("il_full", 19_900, price="price_year")

    shop.tell(event("invoice.paid", invoice("in_change", [back, full], "subscription_update")))

    assert shop.credits == 0
    assert "billing.plan" in alerts(shop)


@pytest.mark.parametrize("owed", [500, 0])
def test_a_renewal_brings_its_full_period_beside_prorations_that_cost(shop: Shop, owed: int):
    lines = [line("il_month"), proration("il_more", owed), line("il_less", 0, proration=True)]

    shop.tell(event("invoice.paid", invoice("in_cycle", lines, "subscription_cycle")))

    assert shop.credits == 2_000


def test_a_loop_of_changes_brings_no_more_than_was_paid_for(shop: Shop):
    """A year is bought and given back the next day; the months that follow are paid from what the change gave back."""
    shop.tell(event("invoice.paid", invoice("in_year", [line("il_year", 19_900, price="price_year")])))
    change = [proration("il_back", -19_800), line("il_first", start=NOON + 9)]
    shop.tell(event("invoice.paid", invoice("in_change", change, "subscription_update", amount_paid=0)))
    for number in range(1, 10):
        month = invoice(f"in_{number}", [line(f"il_{number}", start=NOON + number * MONTH)], amount_paid=0)
        shop.tell(event("invoice.paid", month))

    assert shop.credits == 24_000


def test_an_invoice_paid_in_part_from_the_balance_brings_its_share_and_the_operator_is_told(shop: Shop):
    shop.tell(event("invoice.paid", invoice("in_part", [line("il_part")], amount_paid=1_000)))

    assert shop.credits == 2_000 * 1_000 * 10**6 // 1_999 / 10**6
    assert "billing.plan" in alerts(shop)


@pytest.mark.parametrize(("off", "tax"), [(1_999, 0), (500, 0), (500, 300)])
def test_a_discount_or_tax_changes_no_credits(shop: Shop, off: int, tax: int):
    about = line("il_off", discount_amounts=[{"amount": off, "discount": "di_1"}])

    shop.tell(event("invoice.paid", invoice("in_off", [about], amount_paid=1_999 - off + tax)))

    assert shop.credits == 2_000
    assert "billing.plan" not in alerts(shop)


def unpaid(status: str = "open", **facts: Any) -> Body:
    return invoice("in_due", [line("il_due", start=NOON + MONTH)], status=status, amount_paid=0, **facts)


def past_due(shop: Shop) -> None:
    shop.tell(
        event("customer.subscription.updated", subscription("past_due"), created=NOON + MONTH),
        event("invoice.payment_failed", unpaid(), created=NOON + MONTH + 1),
    )
    assert link(shop) == "https://invoice.stripe.com/in_due"


def test_what_is_owed_is_forgotten_when_it_is_paid(shop: Shop):
    past_due(shop)

    shop.tell(event("invoice.paid", invoice("in_due", [line("il_due", start=NOON + MONTH)])))
    assert link(shop) == ""

    shop.tell(event("invoice.payment_failed", unpaid(), created=NOON + MONTH + 1))  # told late
    assert (link(shop), shop.credits) == ("", 2_000)


def test_a_void_invoice_is_owed_no_more(shop: Shop):
    past_due(shop)

    shop.tell(event("invoice.voided", unpaid("void"), created=NOON + MONTH + 9))

    assert (link(shop), shop.credits) == ("", 0)
