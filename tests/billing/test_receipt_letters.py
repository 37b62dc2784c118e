"""The receipt by mail: one for a payment, to whom it belongs."""

from __future__ import annotations

from tests.billing import events
from tests.billing.shop import Shop
from tests.mailbox import SMTP, mails, settings
from tokenboard.accounts import mail_choices
from tokenboard.accounts.mail_choices import Mail
from tokenboard.accounts.models import Person
from tokenboard.billing.models import Payment
from tokenboard.core.db import db

KIND = "billing.receipt"


def _paid(shop: Shop) -> str:
    order = shop.order()
    shop.tell(events.event("checkout.session.completed", events.session(client_reference_id=order)))
    return order


def _own(shop: Shop, order: str) -> None:
    """Alice ordered it herself."""
    with shop.app.app_context():
        db.session.get_one(Payment, order).person_id = shop.people.alice.id
        db.session.commit()


def test_a_payment_is_receipted_once_whatever_tells_of_it(shop: Shop):
    order = _paid(shop)
    shop.tell(events.event("checkout.session.completed", events.session(client_reference_id=order)))
    shop.tell(events.event("checkout.session.async_payment_succeeded", events.session(client_reference_id=order)))

    (receipt,) = mails(shop.app, KIND)
    assert receipt.address == "alice@example.com"
    assert receipt.subject.startswith("Receipt: $9.99 for ")
    assert f"Number:   {order}" in receipt.body
    assert f"/credits/payments/{order}/receipt" in receipt.body
    assert "Charged:  $9.99" in receipt.body
    assert "Charged" in receipt.body_html
    assert "Credits:  100" in receipt.body.replace("\xa0", " ")


def test_a_plans_invoice_is_receipted_to_the_owner(shop: Shop):
    shop.tell(events.event("customer.subscription.created", events.subscription("active")))
    shop.tell(events.event("invoice.paid", events.invoice("in_1", [events.line("il_1")], "subscription_create")))

    assert [one.address for one in mails(shop.app, KIND)] == ["alice@example.com"]
    assert "One period of a plan" in mails(shop.app, KIND)[0].body


def test_who_refused_receipts_or_never_confirmed_the_address_gets_none(shop: Shop):
    order = shop.order()
    _own(shop, order)
    with shop.app.app_context():
        mail_choices.choose(db.session.get_one(Person, shop.people.alice.id), mails=[Mail.SUMMARY])
        db.session.commit()
    shop.tell(events.event("checkout.session.completed", events.session(client_reference_id=order)))
    assert (shop.credits, mails(shop.app, KIND)) == (100, [])

    with shop.app.app_context():
        mail_choices.choose(db.session.get_one(Person, shop.people.alice.id), mails=list(Mail))
        db.session.commit()
    with settings(shop.app, smtp_url=SMTP):
        second = shop.order(session_id="cs_two")
        told = events.session("cs_two", client_reference_id=second)
        shop.tell(events.event("checkout.session.completed", told))
    assert (shop.credits, mails(shop.app, KIND)) == (200, [])
