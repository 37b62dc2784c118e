"""Stripe's objects with every key the pinned API version sends. Pure: values in, a fresh object out.

Source: the 44 example events and the spec of version 2026-10-28.endive; the values are our own.
"""

from __future__ import annotations

from typing import Any

API_VERSION = "2026-10-28.endive"
DAY_SECONDS = 86_400

Body = dict[str, Any]


def nulls(names: str) -> Body:
    """These keys, all null."""
    return dict.fromkeys(names.split())


def listing(data: list[Body], url: str, *, has_more: bool = False) -> Body:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def event(event_id: str, kind: str, created: int, about: Body, previous: Body | None, key: str | None) -> Body:
    told: Body = {"object": about}
    if previous is not None:
        told["previous_attributes"] = previous
    return {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": told,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": key},
        "type": kind,
    }


def product(product_id: str, created: int, name: str, metadata: dict[str, str], description: str | None) -> Body:
    return nulls("package_dimensions shippable tax_details url default_price") | {
        "id": product_id,
        "object": "product",
        "active": True,
        "created": created,
        "description": description,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": metadata,
        "name": name,
        "type": "service",
        "updated": created,
    }


def recurring(interval: str, count: int = 1, usage_type: str = "licensed", trial_days: int | None = None) -> Body:
    return {
        "interval": interval,
        "interval_count": count,
        "meter": None,
        "trial_period_days": trial_days,
        "usage_type": usage_type,
    }


def price(
    price_id: str, created: int, product_id: str, currency: str, unit_amount: int | None, repeats: Body | None
) -> Body:
    return nulls("custom_unit_amount lookup_key nickname tax_behavior tiers_mode transform_quantity") | {
        "id": price_id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": product_id,
        "recurring": repeats,
        "type": "recurring" if repeats else "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": None if unit_amount is None else str(unit_amount),
    }


def customer(customer_id: str, created: int, email: str | None, name: str | None, metadata: dict[str, str]) -> Body:
    return nulls("default_source description shipping discount phone") | {
        "id": customer_id,
        "object": "customer",
        "balance": 0,
        "created": created,
        "email": email,
        "invoice_settings": nulls("custom_fields default_payment_method footer rendering_options"),
        "invoice_prefix": customer_id[-6:].upper(),
        "livemode": False,
        "metadata": metadata,
        "name": name,
    }


def payment_method(method_id: str, created: int, customer_id: str | None, last4: str) -> Body:
    return {
        "id": method_id,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": nulls("address email name phone tax_id"),
        "card": card_facts(last4),
        "created": created,
        "customer": customer_id,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def card_facts(last4: str) -> Body:
    facts = {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034}
    return facts | {"funding": "credit", "last4": last4, "network": "visa"}


def payment_intent(
    intent_id: str, created: int, amount: int, currency: str, customer_id: str | None, metadata: dict[str, str]
) -> Body:
    empty = (
        "allowed_payment_method_types application application_fee_amount canceled_at cancellation_reason"
        " customer_account description excluded_payment_method_types last_payment_error latest_charge managed_payments"
        " next_action on_behalf_of payment_method payment_method_configuration_details payment_record processing"
        " receipt_email review setup_future_usage shipping source statement_descriptor statement_descriptor_suffix"
        " transfer_group transfer_data"
    )
    return nulls(empty) | {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": {"enabled": True},
        "capture_method": "automatic",
        "client_secret": f"{intent_id}_secret_Sbx",
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "customer": customer_id,
        "livemode": False,
        "metadata": metadata,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def charge(charge_id: str, created: int, intent: Body, method_id: str | None, details: Body) -> Body:
    empty = (
        "application application_fee application_fee_amount balance_transaction calculated_statement_descriptor"
        " description failure_balance_transaction failure_code failure_message fraud_details on_behalf_of outcome"
        " receipt_email receipt_number review shipping source source_transfer statement_descriptor"
        " statement_descriptor_suffix transfer_data transfer_group"
    )
    return nulls(empty) | {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "billing_details": nulls("address email name phone tax_id"),
        "captured": True,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "disputed": False,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method_id,
        "payment_method_details": details,
        "receipt_url": f"https://pay.stripe.com/receipts/{charge_id}",
        "refunded": False,
        "status": "succeeded",
    }


def refund(refund_id: str, created: int, amount: int, charged: Body, reason: str | None) -> Body:
    return nulls("customer_account payment_method receipt_number source_transfer_reversal transfer_reversal") | {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": f"txn_{refund_id}",
        "charge": charged["id"],
        "created": created,
        "currency": charged["currency"],
        "customer": charged["customer"],
        "metadata": {},
        "payment_intent": charged["payment_intent"],
        "reason": reason,
        "status": "succeeded",
    }


def dispute(dispute_id: str, created: int, amount: int, charged: Body, reason: str, status: str) -> Body:
    return {
        "id": dispute_id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charged["id"],
        "created": created,
        "currency": charged["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": created + 14 * DAY_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": None,
        },
        "intended_submission_method": None,
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "payment_intent": charged["payment_intent"],
        "reason": reason,
        "status": status,
    }


def portal_session(session_id: str, created: int, customer_id: str, return_url: str | None, url: str) -> Body:
    return nulls("customer_account flow locale on_behalf_of") | {
        "id": session_id,
        "object": "billing_portal.session",
        "configuration": "bpc_Sandbox",
        "created": created,
        "customer": customer_id,
        "livemode": False,
        "return_url": return_url,
        "url": url,
    }
