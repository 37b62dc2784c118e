"""Shapes of answers about buying (answers.py), for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from tokenboard.billing.rules import PaymentKind, PaymentState
from tokenboard.web.shapes import (
    Cents,
    Count,
    Credits,
    Id,
    Instant,
    Micros,
    Minor,
    Name,
    OpenShape,
    Sentence,
    Shape,
    Url,
    words,
)

Interval = Annotated[str, words("month", "year")]
ProviderName = Annotated[str, words("stripe", "paystack")]
StateName = Annotated[str, words(*PaymentState)]


class Package(Shape):
    """A pack or a plan on sale. `priceUsd` is in the smallest unit; `tokens` is `credits` under its older name."""

    id: Id
    name: Name
    description: str
    credits: Credits
    tokens: Credits
    price_usd: Minor
    currency: str
    stripe_price_id: str
    interval: Interval | None
    active: bool
    created_at: Instant


class Payment(Shape):
    """An order and where it is."""

    id: Id
    reference: Id
    provider: ProviderName
    kind: Annotated[str, words(*PaymentKind)]
    status: StateName
    title: Name
    amount_cents: Minor
    currency: str
    amount: str
    charged_cents: Minor | None
    refunded_cents: Minor
    credits: Credits
    credits_micros: Micros
    exchange_rate: str | None
    multiplier: str
    message: Sentence | None
    created_at: Instant
    paid_at: Instant | None
    credited_at: Instant | None


class Checkout(Shape):
    """Where to pay, and the order's number to ask for it by."""

    url: Url
    reference: Id


class CheckoutSession(Checkout):
    """The same with the provider's own id."""

    id: str


class Bought(Checkout):
    """The same with the provider's name."""

    provider: ProviderName


class PaystackStart(Shape):
    """Where to pay at Paystack, and the total in the currency chosen."""

    authorization_url: Url
    reference: Id
    amount: str


class MpesaStart(Shape):
    """The phone has been asked; `displayText` is what to tell its owner."""

    reference: Id
    status: StateName
    display_text: str


class Subscription(Shape):
    """A plan; `includedCredits` is what each of its periods brings."""

    id: str
    status: str
    plan: Name | None
    interval: Interval | None
    included_credits: Count | None
    current_period_end: Instant | None
    cancel_at_period_end: bool
    payment_url: Url | None


class TopUp(Shape):
    """The automatic top-up. `stopped` says why it no longer buys."""

    enabled: bool
    threshold_credits: Credits | None
    package_id: Id | None
    monthly_cap_cents: Cents | None
    stopped: Sentence | None


class Refund(Shape):
    """Money on its way back."""

    id: Id
    status: str
    amount_cents: Minor


class WebhookEvent(Shape):
    """An event of the inbox, without its body."""

    id: Id
    provider: ProviderName
    event_id: str
    type: str
    object_id: str | None
    status: Annotated[str, words("new", "retry", "done", "ignored", "dead")]
    note: Sentence | None
    attempts: Count
    last_error: Sentence | None
    next_attempt_at: Instant | None
    created_at: Instant | None
    received_at: Instant
    done_at: Instant | None
    payment_id: Id | None


class Skipped(Shape):
    """A price that is not sold, and why."""

    id: str
    why: Sentence


class PromoBatch(Shape):
    """Promo codes made together. The codes themselves are told once, when they are made."""

    id: Id
    name: Name
    status: str
    credits: Credits | None
    plan: str | None
    codes: Count
    uses_each: Count
    redeemed: Count
    left: Count
    expires_at: Instant | None
    credits_live_days: Count | None
    created_at: Instant
    ended_at: Instant | None


class StripeEvent(OpenShape):
    """Stripe's event, signed over the bytes as they came."""

    id: str
    type: str


class PaystackEvent(OpenShape):
    """Paystack's event, signed over the bytes as they came."""

    event: str
