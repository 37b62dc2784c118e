"""Uses every method of StripeClient, over objects in every state."""

from __future__ import annotations

from datetime import timedelta

from tests.providers.stand_in import NOW
from tests.providers.till import SUCCESS_URL, Till
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_requests import CatalogueLine, CheckoutRequest, CustomLine


def use_everything(till: Till, client: StripeClient) -> None:
    """Every method of the client, over objects in every state."""
    customer = client.create_customer(email="a@example.com", name="Alice", metadata={"w": "1"}, idempotency_key="c1")
    client.update_customer(customer.id, email="b@example.com", metadata={"w": "2"}, idempotency_key="c2")
    client.customer(customer.id)
    list(client.prices())
    list(client.products())
    client.price("price_SbxPack100")
    pack = client.create_checkout(
        CheckoutRequest(
            mode="payment",
            lines=(CatalogueLine("price_SbxPack500", 2), CustomLine("Top-up", "usd", 700)),
            success_url=SUCCESS_URL,
            cancel_url="https://shop.example/",
            client_reference_id="order-1",
            customer_id=customer.id,
            metadata={"order_id": "1"},
            expires_at=NOW + timedelta(hours=1),
            automatic_tax=True,
            save_card=True,
        ),
        idempotency_key="o1",
    )
    till.order("stripe/sessions", id=pack.id, act="pay")
    plan = client.create_checkout(
        CheckoutRequest(
            mode="subscription",
            lines=(CatalogueLine("price_SbxProMonth"),),
            success_url=SUCCESS_URL,
            cancel_url="https://shop.example/",
            client_reference_id="order-2",
            customer_email="c@example.com",
            metadata={"order_id": "2"},
            allow_promotion_codes=True,
            trial_days=7,
        ),
        idempotency_key="o2",
    )
    till.order("stripe/sessions", id=plan.id, act="pay", method="fails_later")
    plan = client.checkout_session(plan.id)
    subscription_id = plan.subscription_id or ""
    client.subscription(subscription_id)
    till.renew(subscription_id)
    till.order("stripe/cards", customer=plan.customer_id, card="success")
    till.order("stripe/clock", seconds=5 * 86_400)
    till.order("stripe/subscriptions", id=subscription_id, act="switch", price="price_SbxProYear")
    client.line_items(pack.id)
    list(client.checkout_sessions(since=NOW, payment_intent_id=None, customer_id=customer.id))
    client.expire_checkout(till.checkout().id)
    client.portal_url(customer.id, "https://shop.example/")
    client.cancel_at_period_end(subscription_id, idempotency_key="s1")
    client.subscriptions(plan.customer_id or "")
    client.cancel_now(subscription_id)
    use_the_money(till, client, customer.id, pack.id)


def use_the_money(till: Till, client: StripeClient, customer_id: str, session_id: str) -> None:
    """The methods that read and move money."""
    intent_id = client.checkout_session(session_id).payment_intent_id or ""
    list(client.checkout_sessions(payment_intent_id=intent_id))
    charge_id = client.payment_intent(intent_id).latest_charge_id or ""
    refund = client.create_refund(intent_id, amount=100, metadata={"row": "1"}, idempotency_key="r1")
    till.order("stripe/refunds", id=refund.id, status="failed")
    client.payment_intents(customer_id, since=NOW)
    client.payment_intents(since=NOW)
    client.refund(refund.id)
    client.refunds(intent_id)
    till.order("stripe/disputes", charge=charge_id)
    client.charge(charge_id)
    client.dispute(client.disputes(intent_id)[0].id)
    for invoice in list(client.invoices(since=NOW)):
        client.invoice(invoice.id)
        client.invoice_lines(invoice.id)
        client.invoice_payments(invoice_id=invoice.id)
    client.invoice_of_payment(intent_id)
    client.saved_cards(customer_id)
    card = client.saved_card(customer_id)
    assert card is not None
    client.charge_saved_card(
        customer_id=customer_id,
        payment_method_id=card.id,
        amount=500,
        currency="usd",
        description="Top-up",
        metadata={},
        idempotency_key="t1",
    )
    events = client.events(NOW, ["invoice.paid", "checkout.session.completed"], only_undelivered=False)
    client.event(events[0].id)
