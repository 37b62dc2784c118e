"""Stripe's objects as billing needs them: frozen, amounts in minor units with their currency, instants in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Product:
    """`is_deleted`: only the id is left of it."""

    id: str
    name: str
    description: str | None
    is_active: bool
    metadata: Mapping[str, str]
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """`unit_amount` is None for tiered and customer-chosen prices; `product` only where it was asked for."""

    id: str
    product_id: str
    product: Product | None
    currency: str
    unit_amount: int | None
    is_active: bool
    interval: str | None  # None: one-time
    interval_count: int
    usage_type: str | None
    billing_scheme: str
    trial_days: int | None
    lookup_key: str | None
    nickname: str | None
    metadata: Mapping[str, str]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Customer:
    """`is_deleted`: it exists no more, and must not be used."""

    id: str
    email: str | None
    metadata: Mapping[str, str]
    default_payment_method_id: str | None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card that can be charged without its owner."""

    id: str
    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class LineItem:
    """What a checkout session sells. Amounts after quantity."""

    id: str
    price_id: str | None
    product_id: str | None
    quantity: int
    currency: str
    amount_subtotal: int
    amount_discount: int
    amount_tax: int
    amount_total: int


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """`mode`: payment, subscription. `status`: open, complete, expired. `payment_status`: paid, unpaid,
    no_payment_required. `line_items` is None where it was not asked for (events never have it)."""

    id: str
    url: str | None
    mode: str
    status: str
    payment_status: str
    currency: str
    amount_subtotal: int
    amount_total: int
    amount_discount: int
    amount_tax: int
    customer_id: str | None
    client_reference_id: str | None
    metadata: Mapping[str, str]
    payment_intent_id: str | None
    subscription_id: str | None
    invoice_id: str | None
    created_at: datetime | None
    expires_at: datetime | None
    is_live: bool
    line_items: tuple[LineItem, ...] | None = None

    @property
    def is_settled(self) -> bool:
        """Complete, and nothing more is owed."""
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")


@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    """The period is the item's own; the subscription has none any more."""

    id: str
    price_id: str
    product_id: str
    quantity: int
    interval: str
    interval_count: int
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """`status`: incomplete, incomplete_expired, trialing, active, past_due, canceled, unpaid, paused."""

    id: str
    customer_id: str
    status: str
    currency: str
    items: tuple[SubscriptionItem, ...]
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    trial_end: datetime | None
    latest_invoice_id: str | None
    default_payment_method_id: str | None
    is_collection_paused: bool
    metadata: Mapping[str, str]
    created_at: datetime | None

    @property
    def is_live_one(self) -> bool:
        """Whether it still renews or may come to life."""
        return self.status not in ("canceled", "incomplete_expired")


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """`subscription_item_id` is None for anything that is not a subscription's own period or proration."""

    id: str
    amount: int
    currency: str
    quantity: int
    price_id: str | None
    product_id: str | None
    period_start: datetime | None
    period_end: datetime | None
    is_proration: bool
    subscription_id: str | None
    subscription_item_id: str | None
    discount_amount: int
    description: str | None


@dataclass(frozen=True, slots=True)
class Invoice:
    """`subscription_id` and `subscription_metadata` are empty for invoices written by hand."""

    id: str
    customer_id: str | None
    number: str | None
    status: str | None
    billing_reason: str | None
    currency: str
    amount_due: int
    amount_paid: int
    total: int
    subscription_id: str | None
    subscription_metadata: Mapping[str, str]
    lines: tuple[InvoiceLine, ...]
    has_more_lines: bool
    hosted_url: str | None
    pdf_url: str | None
    attempt_count: int
    next_attempt_at: datetime | None
    paid_at: datetime | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """Which payment intent paid which invoice."""

    id: str
    invoice_id: str
    payment_intent_id: str | None
    status: str
    amount_paid: int
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """`status`: succeeded, processing, requires_payment_method, requires_action, canceled, …"""

    id: str
    status: str
    amount: int
    amount_received: int
    currency: str
    customer_id: str | None
    payment_method_id: str | None
    latest_charge_id: str | None
    metadata: Mapping[str, str]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Charge:
    """`amount_refunded` is the sum so far, refunds that are still pending included."""

    id: str
    status: str
    amount: int
    amount_refunded: int
    currency: str
    payment_intent_id: str | None
    customer_id: str | None
    is_refunded: bool
    is_disputed: bool
    receipt_url: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refund:
    """`status`: pending, requires_action, succeeded, failed, canceled. Only succeeded ones count."""

    id: str
    status: str
    amount: int
    currency: str
    charge_id: str | None
    payment_intent_id: str | None
    failure_reason: str | None
    metadata: Mapping[str, str]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """`status`: needs_response, under_review, won, lost, prevented, appeal_…; `warning_…` are inquiries."""

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    charge_id: str | None
    payment_intent_id: str | None
    created_at: datetime | None

    @property
    def is_inquiry(self) -> bool:
        """No money has moved."""
        return self.status.startswith("warning_")


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """One event. `object` is what it is about, as plain JSON; `payload` the whole event as plain JSON.

    `foreign` says why it must not be acted upon although it is properly signed (another API version, live and test
    mixed, another account); None for our own.
    """

    id: str
    type: str
    created_at: datetime
    is_live: bool
    api_version: str | None
    object: Mapping[str, Any] = field(repr=False)
    object_id: str | None
    previous: Mapping[str, Any] = field(repr=False)
    foreign: str | None
    payload: Mapping[str, Any] = field(repr=False)
