"""Reads Stripe's subscriptions and invoices: plain JSON in, frozen dataclasses out. The rest: stripe_answers.py."""

from __future__ import annotations

from tokenboard.providers.reading import (
    Unreadable,
    count_of,
    id_of,
    instant_of,
    list_of,
    object_of,
    text_of,
)
from tokenboard.providers.stripe_answers import (
    Json,
    amount_of,
    currency_code,
    flag_of,
    metadata_of,
    reference_of,
    url_of,
)
from tokenboard.providers.stripe_objects import Invoice, InvoiceLine, Subscription, SubscriptionItem


def subscription(told: Json) -> Subscription:
    rows = list_of(object_of(told.get("items"), "items").get("data"), "items")
    return Subscription(
        id=id_of(told.get("id"), "subscription"),
        customer_id=id_of(reference_of(told.get("customer"), "customer"), "customer"),
        status=id_of(told.get("status"), "status"),
        currency=currency_code(told.get("currency")),
        items=tuple(_item(object_of(row, "item")) for row in rows),
        cancel_at_period_end=flag_of(told.get("cancel_at_period_end"), "cancel_at_period_end"),
        cancel_at=instant_of(told.get("cancel_at"), "cancel_at"),
        canceled_at=instant_of(told.get("canceled_at"), "canceled_at"),
        ended_at=instant_of(told.get("ended_at"), "ended_at"),
        trial_end=instant_of(told.get("trial_end"), "trial_end"),
        latest_invoice_id=reference_of(told.get("latest_invoice"), "latest_invoice"),
        default_payment_method_id=reference_of(told.get("default_payment_method"), "default_payment_method"),
        is_collection_paused=told.get("pause_collection") is not None,
        metadata=metadata_of(told.get("metadata")),
        created_at=instant_of(told.get("created"), "created"),
    )


def _item(told: Json) -> SubscriptionItem:
    sold = object_of(told.get("price"), "price")
    repeats = object_of(sold.get("recurring") or {}, "recurring")
    return SubscriptionItem(
        id=id_of(told.get("id"), "subscription item"),
        price_id=id_of(sold.get("id"), "price"),
        product_id=id_of(reference_of(sold.get("product"), "product"), "product"),
        # Absent for metered prices, and in the examples of the pinned version.
        quantity=count_of(told.get("quantity", 1), "quantity"),
        interval=text_of(repeats.get("interval"), "interval") or "",
        interval_count=count_of(repeats.get("interval_count"), "interval_count"),
        period_start=instant_of(told.get("current_period_start"), "current_period_start"),
        period_end=instant_of(told.get("current_period_end"), "current_period_end"),
    )


def invoice(told: Json) -> Invoice:
    lines = object_of(told.get("lines"), "lines")
    parent = object_of(told.get("parent") or {}, "parent")
    details = object_of(parent.get("subscription_details") or {}, "subscription_details")
    transitions = object_of(told.get("status_transitions") or {}, "status_transitions")
    return Invoice(
        id=id_of(told.get("id"), "invoice"),
        customer_id=reference_of(told.get("customer"), "customer"),
        number=text_of(told.get("number"), "number"),
        status=text_of(told.get("status"), "status"),
        billing_reason=text_of(told.get("billing_reason"), "billing_reason"),
        currency=currency_code(told.get("currency")),
        amount_due=amount_of(told.get("amount_due"), "amount_due"),
        amount_paid=amount_of(told.get("amount_paid"), "amount_paid"),
        total=amount_of(told.get("total"), "total"),
        subscription_id=reference_of(details.get("subscription"), "subscription"),
        subscription_metadata=metadata_of(details.get("metadata")),
        lines=tuple(invoice_line(object_of(row, "line")) for row in list_of(lines.get("data"), "lines")),
        has_more_lines=lines.get("has_more") is True,
        hosted_url=url_of(told.get("hosted_invoice_url"), "hosted_invoice_url"),
        pdf_url=url_of(told.get("invoice_pdf"), "invoice_pdf"),
        attempt_count=count_of(told.get("attempt_count"), "attempt_count"),
        next_attempt_at=instant_of(told.get("next_payment_attempt"), "next_payment_attempt"),
        paid_at=instant_of(transitions.get("paid_at"), "paid_at"),
        created_at=instant_of(told.get("created"), "created"),
    )


def invoice_line(told: Json) -> InvoiceLine:
    pricing = object_of(told.get("pricing") or {}, "pricing")
    sold = object_of(pricing.get("price_details") or {}, "price_details")
    parent = object_of(told.get("parent") or {}, "parent")
    item = object_of(parent.get("subscription_item_details") or {}, "subscription_item_details")
    other = object_of(parent.get("invoice_item_details") or {}, "invoice_item_details")
    period = object_of(told.get("period"), "period")
    discounts = list_of(told.get("discount_amounts") or [], "discount_amounts")
    return InvoiceLine(
        id=id_of(told.get("id"), "invoice line"),
        amount=amount_of(told.get("amount"), "amount"),
        currency=currency_code(told.get("currency")),
        quantity=count_of(told.get("quantity"), "quantity"),
        price_id=reference_of(sold.get("price"), "price"),
        product_id=reference_of(sold.get("product"), "product"),
        period_start=instant_of(period.get("start"), "period.start"),
        period_end=instant_of(period.get("end"), "period.end"),
        is_proration=_proration(item or other),
        subscription_id=reference_of(item.get("subscription"), "subscription"),
        subscription_item_id=reference_of(item.get("subscription_item"), "subscription_item"),
        discount_amount=sum(count_of(object_of(one, "discount").get("amount"), "discount") for one in discounts),
        description=text_of(told.get("description"), "description"),
    )


def _proration(details: Json) -> bool:
    told = details.get("proration", False)
    if not isinstance(told, bool):
        raise Unreadable("proration is not a flag")
    return told
