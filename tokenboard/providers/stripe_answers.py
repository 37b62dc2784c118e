"""Reads Stripe's objects, from answers of the API and from events alike: plain JSON in, frozen dataclasses out.

Laws: what is not what it must be raises Unreadable with words about the field; references are taken as ids whether
they come expanded or not; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokenboard.core.money import BIGINT_MAX
from tokenboard.providers.reading import (
    Unreadable,
    count_of,
    currency_of,
    id_of,
    instant_of,
    list_of,
    object_of,
    text_of,
)
from tokenboard.providers.stripe_objects import (
    Charge,
    CheckoutSession,
    Customer,
    Dispute,
    InvoicePayment,
    LineItem,
    PaymentIntent,
    Price,
    Product,
    Refund,
    SavedCard,
)

Json = Mapping[str, Any]

_URL_LENGTH_MAX = 4_096  # a live checkout address is several hundred characters long
_METADATA_MAX = 50  # Stripe's own limit


def amount_of(value: object, name: str) -> int:
    """Minor units; may be negative."""
    if type(value) is not int or abs(value) > BIGINT_MAX:
        raise Unreadable(f"{name} is not an amount")
    return value


def currency_code(value: object) -> str:
    """A currency that must be there, in lower case: nothing is taken for dollars."""
    return currency_of(id_of(value, "currency"))


def reference_of(value: object, name: str) -> str | None:
    """The id of another object, expanded or not; None where there is none."""
    if isinstance(value, dict):
        return id_of(value.get("id"), name)
    return text_of(value, name)


def flag_of(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise Unreadable(f"{name} is not a flag")
    return value


def url_of(value: object, name: str) -> str | None:
    """An http(s) address, whole or not at all."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _URL_LENGTH_MAX or not value.startswith(("https://", "http://")):
        raise Unreadable(f"{name} is not an address")
    return value


def needed_url(value: object, name: str) -> str:
    """An address that must be there."""
    found = url_of(value, name)
    if found is None:
        raise Unreadable(f"{name} is missing")
    return found


def metadata_of(value: object) -> dict[str, str]:
    """Metadata; what is not text to text is left out."""
    if value is None:
        return {}
    pairs = list(object_of(value, "metadata").items())[:_METADATA_MAX]
    return {key: item[:500] for key, item in pairs if isinstance(item, str)}


def is_deleted(told: Json) -> bool:
    return told.get("deleted") is True


def product(told: Json) -> Product:
    product_id = id_of(told.get("id"), "product")
    if is_deleted(told):
        return Product(product_id, "", None, False, {}, is_deleted=True)
    return Product(
        id=product_id,
        name=text_of(told.get("name"), "name") or "",
        description=text_of(told.get("description"), "description"),
        is_active=flag_of(told.get("active"), "active"),
        metadata=metadata_of(told.get("metadata")),
    )


def price(told: Json) -> Price:
    sold = told.get("product")
    repeats = object_of(told.get("recurring") or {}, "recurring")
    unit_amount = told.get("unit_amount")
    return Price(
        id=id_of(told.get("id"), "price"),
        product_id=id_of(reference_of(sold, "product"), "product"),
        product=product(sold) if isinstance(sold, dict) else None,
        currency=currency_code(told.get("currency")),
        unit_amount=None if unit_amount is None else amount_of(unit_amount, "unit_amount"),
        is_active=flag_of(told.get("active"), "active"),
        interval=text_of(repeats.get("interval"), "interval"),
        interval_count=count_of(repeats.get("interval_count"), "interval_count"),
        usage_type=text_of(repeats.get("usage_type"), "usage_type"),
        billing_scheme=id_of(told.get("billing_scheme"), "billing_scheme"),
        trial_days=count_of(repeats.get("trial_period_days"), "trial_period_days") or None,
        lookup_key=text_of(told.get("lookup_key"), "lookup_key"),
        nickname=text_of(told.get("nickname"), "nickname"),
        metadata=metadata_of(told.get("metadata")),
        created_at=instant_of(told.get("created"), "created"),
    )


def customer(told: Json) -> Customer:
    customer_id = id_of(told.get("id"), "customer")
    if is_deleted(told):
        return Customer(customer_id, None, {}, None, is_deleted=True)
    settings = object_of(told.get("invoice_settings") or {}, "invoice_settings")
    return Customer(
        id=customer_id,
        email=text_of(told.get("email"), "email"),
        metadata=metadata_of(told.get("metadata")),
        default_payment_method_id=reference_of(settings.get("default_payment_method"), "default_payment_method"),
    )


def saved_card(told: Json) -> SavedCard:
    card = object_of(told.get("card"), "card")
    brand, last4 = text_of(card.get("brand"), "brand"), text_of(card.get("last4"), "last4")
    return SavedCard(id_of(told.get("id"), "payment_method"), brand or "card", last4 or "····")


def line_item(told: Json) -> LineItem:
    sold = told.get("price")
    return LineItem(
        id=id_of(told.get("id"), "line item"),
        price_id=reference_of(sold, "price"),
        product_id=reference_of(sold.get("product"), "product") if isinstance(sold, dict) else None,
        quantity=count_of(told.get("quantity"), "quantity"),
        currency=currency_code(told.get("currency")),
        amount_subtotal=amount_of(told.get("amount_subtotal"), "amount_subtotal"),
        amount_discount=amount_of(told.get("amount_discount"), "amount_discount"),
        amount_tax=amount_of(told.get("amount_tax"), "amount_tax"),
        amount_total=amount_of(told.get("amount_total"), "amount_total"),
    )


def line_items(told: object) -> tuple[LineItem, ...]:
    rows = list_of(object_of(told, "line_items").get("data"), "line_items")
    return tuple(line_item(object_of(row, "line item")) for row in rows)


def checkout_session(told: Json) -> CheckoutSession:
    details = object_of(told.get("total_details") or {}, "total_details")
    lines = told.get("line_items")
    return CheckoutSession(
        id=id_of(told.get("id"), "checkout session"),
        url=url_of(told.get("url"), "url"),
        mode=id_of(told.get("mode"), "mode"),
        status=id_of(told.get("status"), "status"),
        payment_status=id_of(told.get("payment_status"), "payment_status"),
        currency=currency_code(told.get("currency")),
        amount_subtotal=count_of(told.get("amount_subtotal"), "amount_subtotal"),
        amount_total=count_of(told.get("amount_total"), "amount_total"),
        amount_discount=count_of(details.get("amount_discount"), "amount_discount"),
        amount_tax=count_of(details.get("amount_tax"), "amount_tax"),
        customer_id=reference_of(told.get("customer"), "customer"),
        client_reference_id=text_of(told.get("client_reference_id"), "client_reference_id"),
        metadata=metadata_of(told.get("metadata")),
        payment_intent_id=reference_of(told.get("payment_intent"), "payment_intent"),
        subscription_id=reference_of(told.get("subscription"), "subscription"),
        invoice_id=reference_of(told.get("invoice"), "invoice"),
        created_at=instant_of(told.get("created"), "created"),
        expires_at=instant_of(told.get("expires_at"), "expires_at"),
        is_live=flag_of(told.get("livemode"), "livemode"),
        line_items=None if lines is None else line_items(lines),
    )


def invoice_payment(told: Json) -> InvoicePayment:
    paid_by = object_of(told.get("payment") or {}, "payment")
    return InvoicePayment(
        id=id_of(told.get("id"), "invoice payment"),
        invoice_id=id_of(reference_of(told.get("invoice"), "invoice"), "invoice"),
        payment_intent_id=reference_of(paid_by.get("payment_intent"), "payment_intent"),
        status=id_of(told.get("status"), "status"),
        amount_paid=count_of(told.get("amount_paid"), "amount_paid"),
        currency=currency_code(told.get("currency")),
    )


def payment_intent(told: Json) -> PaymentIntent:
    return PaymentIntent(
        id=id_of(told.get("id"), "payment intent"),
        status=id_of(told.get("status"), "status"),
        amount=amount_of(told.get("amount"), "amount"),
        amount_received=count_of(told.get("amount_received"), "amount_received"),
        currency=currency_code(told.get("currency")),
        customer_id=reference_of(told.get("customer"), "customer"),
        payment_method_id=reference_of(told.get("payment_method"), "payment_method"),
        latest_charge_id=reference_of(told.get("latest_charge"), "latest_charge"),
        metadata=metadata_of(told.get("metadata")),
        created_at=instant_of(told.get("created"), "created"),
    )


def charge(told: Json) -> Charge:
    return Charge(
        id=id_of(told.get("id"), "charge"),
        status=id_of(told.get("status"), "status"),
        amount=amount_of(told.get("amount"), "amount"),
        amount_refunded=count_of(told.get("amount_refunded"), "amount_refunded"),
        currency=currency_code(told.get("currency")),
        payment_intent_id=reference_of(told.get("payment_intent"), "payment_intent"),
        customer_id=reference_of(told.get("customer"), "customer"),
        is_refunded=flag_of(told.get("refunded"), "refunded"),
        is_disputed=flag_of(told.get("disputed"), "disputed"),
        receipt_url=url_of(told.get("receipt_url"), "receipt_url"),
        created_at=instant_of(told.get("created"), "created"),
    )


def refund(told: Json) -> Refund:
    return Refund(
        id=id_of(told.get("id"), "refund"),
        # The API may leave a refund's status null; nothing is known to have moved then.
        status=text_of(told.get("status"), "status") or "pending",
        amount=count_of(told.get("amount"), "amount"),
        currency=currency_code(told.get("currency")),
        charge_id=reference_of(told.get("charge"), "charge"),
        payment_intent_id=reference_of(told.get("payment_intent"), "payment_intent"),
        failure_reason=text_of(told.get("failure_reason"), "failure_reason"),
        metadata=metadata_of(told.get("metadata")),
        created_at=instant_of(told.get("created"), "created"),
    )


def dispute(told: Json) -> Dispute:
    return Dispute(
        id=id_of(told.get("id"), "dispute"),
        status=id_of(told.get("status"), "status"),
        reason=text_of(told.get("reason"), "reason") or "general",
        amount=count_of(told.get("amount"), "amount"),
        currency=currency_code(told.get("currency")),
        charge_id=reference_of(told.get("charge"), "charge"),
        payment_intent_id=reference_of(told.get("payment_intent"), "payment_intent"),
        created_at=instant_of(told.get("created"), "created"),
    )
