"""How billing's rows look on the wire (api.md, Credits and payments)."""

from __future__ import annotations

from typing import Any

from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Payment, Subscription
from tokenboard.billing.promo_models import AutoTopUp
from tokenboard.billing.rules import money_text, order_micros
from tokenboard.core.settings import settings
from tokenboard.wallet.answers import credits_number


def package_answer(offer: Offer) -> dict[str, Any]:
    """What is for sale; `credits` is what the buyer gets, purchase multiplier included."""
    micros = order_micros(offer.credits, 1, settings().credit_purchase_multiplier)
    gets = offer.credits if offer.price.interval else credits_number(micros)
    return {
        "id": offer.price.id,
        "name": offer.product.name,
        "description": offer.product.description,
        "credits": gets,
        "tokens": gets,
        "priceUsd": offer.amount_minor,
        "currency": offer.price.currency,
        "stripePriceId": offer.price.provider_id,
        "interval": offer.price.interval,
        "active": offer.is_for_sale,
        "createdAt": offer.price.created_at,
    }


def payment_answer(payment: Payment) -> dict[str, Any]:
    """An order and where it is."""
    return {
        "id": payment.id,
        "reference": payment.id,
        "provider": payment.provider,
        "kind": payment.kind,
        "status": payment.state,
        "title": payment.title,
        "amountCents": payment.amount_minor,
        "currency": payment.currency,
        "amount": money_text(payment.amount_minor, payment.currency),
        "chargedCents": payment.charged_minor,
        "refundedCents": payment.refunded_minor,
        "credits": credits_number(payment.credits_micros),
        "creditsMicros": payment.credits_micros,
        "exchangeRate": payment.exchange_rate or None,
        "multiplier": payment.multiplier,
        "message": payment.told or None,
        "createdAt": payment.created_at,
        "paidAt": payment.paid_at,
        "creditedAt": payment.credited_at,
    }


def subscription_answer(found: Subscription | None, offer: Offer | None) -> dict[str, Any] | None:
    """A plan; `includedCredits` is what each of its periods brings."""
    if found is None:
        return None
    return {
        "id": found.provider_id,
        "status": found.status,
        "plan": offer.product.name if offer else None,
        "interval": offer.price.interval if offer else None,
        "includedCredits": (offer.product.credits or 0) * found.quantity if offer else None,
        "currentPeriodEnd": found.period_end,
        "cancelAtPeriodEnd": found.cancel_at_period_end,
        "paymentUrl": found.invoice_url or None,
    }


def topup_answer(rule: AutoTopUp | None, package_id: str | None) -> dict[str, Any]:
    """The automatic top-up; never set: off."""
    if rule is None:
        return {"enabled": False, "thresholdCredits": None, "packageId": None, "monthlyCapCents": None, "stopped": None}
    return {
        "enabled": rule.is_enabled,
        "thresholdCredits": credits_number(rule.threshold_micros),
        "packageId": package_id,
        "monthlyCapCents": rule.monthly_cap_cents,
        "stopped": rule.stopped_reason or None,
    }


def event_answer(row: InboxEvent) -> dict[str, Any]:
    """One event of the inbox, without its body."""
    return {
        "id": row.id,
        "provider": row.provider,
        "eventId": row.event_id,
        "type": row.type,
        "objectId": row.object_id,
        "status": row.state,
        "note": row.note or None,
        "attempts": row.attempts,
        "lastError": row.last_error or None,
        "nextAttemptAt": row.next_attempt_at if row.state in ("new", "retry") else None,
        "createdAt": row.created_at,
        "receivedAt": row.received_at,
        "doneAt": row.done_at,
        "paymentId": row.payment_id,
    }
