"""Charging a saved card: decide and commit, call Stripe, settle and commit.

Law: the order's id is Stripe's idempotency key, so that a charge whose answer was lost is asked for again and happens
once. Stripe forgets keys after a day: from then on the charge is only looked for.
"""

from __future__ import annotations

from datetime import timedelta

from tokenboard.billing import lost_orders, payment_queries as queries, settlement_service, topup_service
from tokenboard.billing.asking import Providers
from tokenboard.billing.models import Payment
from tokenboard.billing.rules import PaymentState
from tokenboard.billing.settlement_service import Paid
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.providers.payments import CardDeclined, IdempotencyMismatch, PaymentError
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.providers.stripe_objects import PaymentIntent

_KEY_LIVES = timedelta(hours=20)  # Stripe keeps idempotency keys for at least 24
_NO_CARD = "There is no saved card. Buy a pack by card once, then switch it on again."


def top_up(workspace_id: str, providers: Providers) -> Payment | None:
    """Buy if it is time to. Idempotent: two bells buy once."""
    payment = topup_service.plan_top_up(workspace_id)
    db.session.commit()
    return charge(payment, providers) if payment is not None else None


def charge(payment: Payment, providers: Providers) -> Payment:
    """Charge the card for an order, or learn that it was. Leaves it open when the outcome is unknown."""
    customer = queries.live_customer(payment.workspace_id, "stripe")
    customer_id = customer.provider_id if customer else None
    is_old = now() - payment.created_at > _KEY_LIVES
    db.session.commit()
    if customer_id is None:
        return _give_up(payment, _NO_CARD)
    client = providers.stripe()
    if is_old:
        return _find(payment, customer_id, client)
    try:
        card = client.saved_card(customer_id)
        if card is None:
            return _give_up(payment, _NO_CARD)
        intent = client.charge_saved_card(
            customer_id=customer_id,
            payment_method_id=card.id,
            amount=payment.amount_minor,
            currency=payment.currency,
            description=payment.title,
            metadata=lost_orders.metadata(payment, None),
            idempotency_key=f"topup-{payment.id}",
        )
    except CardDeclined as error:
        return _give_up(payment, error.user_message)
    except IdempotencyMismatch:  # asked for by an older version of ours, in other words
        return _find(payment, customer_id, client)
    except PaymentError as error:
        return payment if error.is_transient or error.is_outcome_unknown else _give_up(payment, error.user_message)
    return follow_intent(payment, intent)


def _find(payment: Payment, customer_id: str, client: StripeClient) -> Payment:
    """The charge of an order too old to be charged again; without one the order ends, and the rule may buy anew."""
    try:
        made = client.payment_intents(customer_id, since=payment.created_at - timedelta(minutes=5))
    except PaymentError:
        return payment
    for intent in made:
        if intent.metadata.get("payment_id") == payment.id:
            return follow_intent(payment, intent)
    why = "The card could not be charged in time."
    ended = settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.EXPIRED, why=why)
    db.session.commit()
    return ended


def follow_intent(payment: Payment, intent: PaymentIntent) -> Payment:
    """Bring a top-up to what its payment intent says, and commit."""
    locked = queries.locked(payment.id)
    locked.object_id = locked.object_id or intent.id
    if intent.status == "succeeded":
        charged = intent.amount_received
        paid = Paid(intent.id, intent.currency, intent.amount, charged, payment_intent_id=intent.id)
        locked = settlement_service.settle_payment(payment_id=payment.id, paid=paid)
    elif intent.status in ("canceled", "requires_payment_method", "requires_action"):
        return _give_up(payment, "The saved card was declined.")
    db.session.commit()
    return locked


def _give_up(payment: Payment, why: str) -> Payment:
    ended = settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.FAILED, why=why)
    rule = topup_service.rule_of(payment.workspace_id)
    if rule is not None and rule.is_enabled:
        topup_service.stop(rule=rule, why=why)
    db.session.commit()
    return ended
