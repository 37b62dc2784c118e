"""Stripe's larger objects with every key: checkout session, line items, subscription, invoice. Pure.

Source: the 44 example events and the spec of version 2026-10-28.endive; the values are our own.
"""

from __future__ import annotations

from tokenboard.sandbox.stripe_shapes import Body, listing, nulls

_SELF_ISSUER = {"type": "self"}


def line_item(item_id: str, sold: Body, quantity: int, discount: int, tax: int, description: str) -> Body:
    """What a checkout session sells."""
    subtotal = sold["unit_amount"] * quantity
    return {
        "id": item_id,
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": discount,
        "amount_subtotal": subtotal,
        "amount_tax": tax,
        "amount_total": subtotal - discount + tax,
        "currency": sold["currency"],
        "description": description,
        "metadata": {},
        "price": sold,
        "quantity": quantity,
    }


def checkout_session(session_id: str, created: int, mode: str, currency: str, url: str) -> Body:
    empty = (
        "after_expiration allow_promotion_codes allowed_payment_method_types billing_address_collection cancel_url"
        " client_reference_id client_secret collected_information consent consent_collection currency_conversion"
        " customer customer_account customer_creation customer_details customer_email integration_identifier invoice"
        " locale managed_payments origin_context payment_intent payment_link payment_method_configuration_details"
        " payment_method_options permissions recovered_from saved_payment_method_options setup_intent"
        " shipping_address_collection shipping_cost submit_type subscription wallet_options"
    )
    invoice_facts = nulls("account_tax_ids custom_fields description footer issuer rendering_options")
    return nulls(empty) | {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "amount_subtotal": 0,
        "amount_total": 0,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": created,
        "currency": currency,
        "custom_fields": [],
        "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "discounts": [],
        "expires_at": created + 86_400,
        "invoice_creation": {"enabled": False, "invoice_data": invoice_facts | {"metadata": {}}},
        "livemode": False,
        "metadata": {},
        "mode": mode,
        "payment_method_collection": "if_required" if mode == "payment" else "always",
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "success_url": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": url,
    }


def customer_details(email: str | None) -> Body:
    return nulls("address business_name individual_name name phone") | {
        "email": email,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _plan(sold: Body) -> Body:
    repeats = sold["recurring"]
    return nulls("meter nickname tiers_mode trial_period_days transform_usage") | {
        "object": "plan",
        "active": sold["active"],
        "amount": sold["unit_amount"],
        "amount_decimal": sold["unit_amount_decimal"],
        "billing_scheme": sold["billing_scheme"],
        "created": sold["created"],
        "currency": sold["currency"],
        "id": sold["id"],
        "interval": repeats["interval"],
        "interval_count": repeats["interval_count"],
        "livemode": False,
        "metadata": {},
        "product": sold["product"],
        "usage_type": repeats["usage_type"],
    }


def subscription_item(
    item_id: str, created: int, subscription_id: str, sold: Body, quantity: int, start: int, end: int
) -> Body:
    return {
        "id": item_id,
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": created,
        "current_period_end": end,
        "current_period_start": start,
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "plan": _plan(sold),
        "price": sold,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": None,
    }


def with_price(item: Body, sold: Body) -> Body:
    """The same item at another price."""
    return item | {"price": sold, "plan": _plan(sold)}


def subscription(
    subscription_id: str, created: int, customer_id: str, currency: str, items: list[Body], metadata: dict[str, str]
) -> Body:
    empty = (
        "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at canceled_at"
        " cancellation_details customer_account days_until_due default_payment_method default_source description"
        " ended_at latest_invoice managed_payments next_pending_invoice_item_invoice on_behalf_of pause_collection"
        " pending_invoice_item_interval pending_setup_intent pending_update schedule test_clock transfer_data trial_end"
        " trial_settings trial_start"
    )
    return nulls(empty) | {
        "id": subscription_id,
        "object": "subscription",
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": created,
        "billing_mode": {"type": "classic"},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "collection_method": "charge_automatically",
        "created": created,
        "currency": currency,
        "customer": customer_id,
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": _SELF_ISSUER},
        "items": listing(items, f"/v1/subscription_items?subscription={subscription_id}"),
        "livemode": False,
        "metadata": metadata,
        "payment_settings": nulls("payment_method_options payment_method_types")
        | {"save_default_payment_method": "off"},
        "start_date": created,
        "status": "incomplete",
    }


def invoice_line(
    line_id: str, invoice_id: str, sold: Body, quantity: int, amount: int, description: str, period: tuple[int, int]
) -> Body:
    return {
        "id": line_id,
        "object": "line_item",
        "amount": amount,
        "currency": sold["currency"],
        "description": description,
        "discount_amounts": None,
        "discountable": amount >= 0,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": sold["id"], "product": sold["product"]},
            "unit_amount_decimal": sold["unit_amount_decimal"] if amount >= 0 else str(-amount),
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
    }


def subscription_parent(subscription_id: str, item_id: str, *, is_proration: bool, credited: Body | None) -> Body:
    """What an invoice line of a subscription hangs on."""
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": is_proration,
            "proration_details": {"credited_items": credited},
            "subscription": subscription_id,
            "subscription_item": item_id,
        },
    }


def invoice(invoice_id: str, created: int, customer: Body, currency: str, reason: str, number: str, url: str) -> Body:
    empty = (
        "account_country account_name account_tax_ids application automatically_finalizes_at custom_fields"
        " customer_account customer_address customer_name customer_phone customer_shipping customer_tax_exempt"
        " default_payment_method default_source description due_date footer from_invoice last_finalization_error"
        " latest_revision metadata next_payment_attempt on_behalf_of parent receipt_number rendering shipping_cost"
        " shipping_details statement_descriptor test_clock total_discount_amounts webhooks_delivered_at"
    )
    counts = (
        "amount_due amount_overpaid amount_paid amount_remaining amount_shipping attempt_count ending_balance"
        " post_payment_credit_notes_amount pre_payment_credit_notes_amount starting_balance subtotal"
        " subtotal_excluding_tax total total_excluding_tax amount_paid_off_stripe"
    )
    tax = {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None}
    return (
        nulls(empty)
        | dict.fromkeys(counts.split(), 0)
        | {
            "id": invoice_id,
            "object": "invoice",
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": tax,
            "billing_reason": reason,
            "collection_method": "charge_automatically",
            "created": created,
            "currency": currency,
            "customer": customer["id"],
            "customer_email": customer["email"],
            "default_tax_rates": [],
            "discounts": [],
            "effective_at": created,
            "hosted_invoice_url": url,
            "invoice_pdf": f"{url}/pdf",
            "issuer": _SELF_ISSUER,
            "lines": listing([], f"/v1/invoices/{invoice_id}/lines"),
            "livemode": False,
            "number": number,
            "payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
            "period_end": created,
            "period_start": created,
            "status": "open",
            "status_transitions": {
                "finalized_at": created,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
        }
    )


def subscription_details(subscription_id: str, metadata: dict[str, str]) -> Body:
    """An invoice's parent: which subscription, and its metadata as they were then."""
    return {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {"metadata": metadata, "subscription": subscription_id},
    }


def invoice_payment(payment_id: str, invoice: Body, intent_id: str, *, is_paid: bool, now: int) -> Body:
    return {
        "id": payment_id,
        "object": "invoice_payment",
        "amount_paid": invoice["amount_due"] if is_paid else None,
        "amount_requested": invoice["amount_due"],
        "created": now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent_id},
        "status": "paid" if is_paid else "open",
        "status_transitions": {"canceled_at": None, "paid_at": now if is_paid else None},
    }
