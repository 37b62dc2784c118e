"""Rows of the catalogue, of orders and what became of them, of subscriptions.

Units: `*_minor` is the currency's smallest unit, `*_micros` integer micro-credits. Laws: what an order promises
(credits, amount, multiplier, rate) is written when it is made and never changed; one business object of a provider
(session, invoice line, reference) turns into credits once: `payment_grant.key` is unique, whatever events announce it.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.billing.rules import PaymentKind, PaymentState
from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant

_WORKSPACE = "workspace.id"


def _one_of(column: str, words: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"


def _where(name: str, *columns: str, condition: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(condition), postgresql_where=text(condition))


class Product(Identified, Base):
    """What is sold, as Stripe last told it. Rows are never deleted: past orders name them."""

    __tablename__ = "billing_product"

    provider_id: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255), default="")
    description: Mapped[str] = mapped_column(String(500), default="")
    # Credits a buyer gets for one; NULL: not sold, `problem` says why.
    credits: Mapped[BigInt | None]
    problem: Mapped[str] = mapped_column(String(200), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    # When Stripe said so: an older event never overwrites a newer one.
    told_at: Mapped[Instant]


class Price(Identified, Base):
    """One way to pay for a product. No foreign key to it: Stripe may tell of a price first."""

    __tablename__ = "billing_price"

    provider_id: Mapped[str] = mapped_column(String(255), unique=True)
    product_provider_id: Mapped[str] = mapped_column(String(255), index=True)
    currency: Mapped[str] = mapped_column(String(3))
    unit_amount_minor: Mapped[BigInt | None]
    # NULL: paid once; else `month` or `year`.
    interval: Mapped[str | None] = mapped_column(String(10))
    is_active: Mapped[bool] = mapped_column(default=True)
    # Why it cannot be sold here (tiered, metered, every two months …); empty: it can.
    problem: Mapped[str] = mapped_column(String(200), default="")
    told_at: Mapped[Instant]
    created_at: Mapped[Instant] = mapped_column(default=now)


class Customer(Identified, Base):
    """A workspace at a provider. One that still exists a workspace, also under two tabs; deleted ones stay for look-up."""  # noqa: E501

    __tablename__ = "billing_customer"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        _where("uq_billing_customer_live", "workspace_id", "provider", condition="deleted_at IS NULL", unique=True),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_WORKSPACE, ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(10))
    # NULL until the provider has answered; this row's id is the idempotency key of that call.
    provider_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[Instant] = mapped_column(default=now)
    deleted_at: Mapped[Instant | None]


class Payment(Identified, Base):
    """One order, and where it is. Its id is `client_reference_id` at Stripe and the reference at Paystack."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint(_one_of("kind", PaymentKind), name="kind"),
        CheckConstraint(_one_of("state", PaymentState), name="state"),
        CheckConstraint("provider IN ('stripe', 'paystack')", name="provider"),
        CheckConstraint("amount_minor >= 0 AND credits_micros >= 0 AND quantity > 0", name="amounts"),
        # A double click, a second tab or the back button find the first order.
        UniqueConstraint("workspace_id", "intent_key"),
        UniqueConstraint("provider", "object_id"),
        Index("ix_payment_intent", "provider", "payment_intent_id"),
        Index("ix_payment_workspace", "workspace_id", "created_at", "id"),
        Index("ix_payment_created", "created_at", "id"),
        Index("ix_payment_state", "state", "created_at", "id"),
        _where("ix_payment_check", "next_check_at", condition="next_check_at IS NOT NULL"),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_WORKSPACE, ondelete="CASCADE"))
    # Who ordered; NULL for renewals, and when the person is gone.
    person_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="SET NULL"))
    provider: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(16), default=PaymentState.STARTED)
    intent_key: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(255), default="")
    price_provider_id: Mapped[str | None] = mapped_column(String(255))
    quantity: Mapped[int] = mapped_column(default=1)
    # What was asked for, before discounts and tax.
    amount_minor: Mapped[BigInt]
    currency: Mapped[str] = mapped_column(String(3))
    # The same in US cents where the order was made in dollars; shown beside other currencies.
    amount_usd_cents: Mapped[BigInt | None]
    # What it brings, frozen; 0 for the checkout of a plan, whose invoices bring the credits.
    credits_micros: Mapped[BigInt]
    # Frozen too, as decimal texts: what was shown before paying.
    multiplier: Mapped[str] = mapped_column(String(20), default="1")
    exchange_rate: Mapped[str] = mapped_column(String(20), default="")
    # The business object: session, invoice, payment intent or reference. NULL until the provider has answered.
    object_id: Mapped[str | None] = mapped_column(String(255))
    payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    provider_subscription_id: Mapped[str | None] = mapped_column(String(255))
    # Where the buyer pays, while it is open.
    url: Mapped[str] = mapped_column(Text, default="")
    return_path: Mapped[str] = mapped_column(String(500), default="")
    told: Mapped[str] = mapped_column(String(300), default="")
    # What was really charged, tax included and discounts taken off: the whole of which refunds are shares.
    charged_minor: Mapped[BigInt | None]
    tax_minor: Mapped[BigInt] = mapped_column(default=0)
    # The charge's running sum of refunds, and when the provider told it.
    refund_sum_minor: Mapped[BigInt] = mapped_column(default=0)
    refund_sum_told_at: Mapped[Instant | None]
    # What has really gone back, and what the bank holds or kept.
    refunded_minor: Mapped[BigInt] = mapped_column(default=0)
    disputed_minor: Mapped[BigInt] = mapped_column(default=0)
    receipt_url: Mapped[str] = mapped_column(Text, default="")
    next_check_at: Mapped[Instant | None]
    checks: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Instant] = mapped_column(default=now)
    paid_at: Mapped[Instant | None]
    credited_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]


class PaymentGrant(Identified, Base):
    """Credits a payment brought: one for a pack, one an invoice line. The ledger's grant stands behind it."""

    __tablename__ = "payment_grant"
    __table_args__ = (
        CheckConstraint("credits_micros > 0", name="credits"),
        # Two invoices for one period of one plan are one grant.
        UniqueConstraint("subscription_item_id", "price_provider_id", "period_start"),
    )

    payment_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("payment.id", ondelete="CASCADE"), index=True
    )
    # The business object that was turned into credits, such as `stripe:cs_…` or `stripe:il_…`.
    key: Mapped[str] = mapped_column(String(300), unique=True)
    credits_micros: Mapped[BigInt]
    transaction_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    grant_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    subscription_item_id: Mapped[str | None] = mapped_column(String(255))
    price_provider_id: Mapped[str | None] = mapped_column(String(255))
    period_start: Mapped[Instant | None]
    period_end: Mapped[Instant | None]
    created_at: Mapped[Instant] = mapped_column(default=now)


class PaymentClawback(Identified, Base):
    """Credits taken back for a refund or dispute; each the difference to the target, undone whole."""

    __tablename__ = "payment_clawback"
    __table_args__ = (
        UniqueConstraint("payment_grant_id", "number"),
        CheckConstraint("amount_micros > 0", name="amount"),
    )

    payment_grant_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("payment_grant.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    amount_micros: Mapped[BigInt]
    cause: Mapped[str] = mapped_column(String(300), default="")
    transaction_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    undone_transaction_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    created_at: Mapped[Instant] = mapped_column(default=now)


class Refund(Identified, Base):
    """Money that goes back. Ours begin as `requested`, before the provider is asked; others come as events."""

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        UniqueConstraint("payment_id", "intent_key"),
        Index("ix_refund_intent", "provider", "payment_intent_id"),
        _where("ix_refund_next_ask", "next_ask_at", condition="next_ask_at IS NOT NULL"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )

    # NULL while the payment it belongs to has not been heard of.
    payment_id: Mapped[Id | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("payment.id", ondelete="CASCADE"), index=True
    )
    provider: Mapped[str] = mapped_column(String(10))
    provider_id: Mapped[str | None] = mapped_column(String(255))
    payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    invoice_id: Mapped[str | None] = mapped_column(String(255))
    amount_minor: Mapped[BigInt]
    currency: Mapped[str] = mapped_column(String(3))
    # requested, pending, requires_action, succeeded, failed, canceled
    state: Mapped[str] = mapped_column(String(20))
    # The administrator who asked; empty: made at the provider.
    actor: Mapped[str] = mapped_column(String(60), default="")
    intent_key: Mapped[str | None] = mapped_column(String(255))
    # When the provider is asked again for a refund of ours whose answer was lost; NULL: nothing is owed to us.
    next_ask_at: Mapped[Instant | None]
    asks: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[Instant]
    # When it was begun, at the provider where it says so: whether a charge's running sum knows it.
    created_at: Mapped[Instant] = mapped_column(default=now)


class Dispute(Identified, Base):
    """A buyer's bank takes money back, or asks about it."""

    __tablename__ = "dispute"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        Index("ix_dispute_intent", "provider", "payment_intent_id"),
    )

    payment_id: Mapped[Id | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("payment.id", ondelete="CASCADE"), index=True
    )
    provider: Mapped[str] = mapped_column(String(10))
    provider_id: Mapped[str] = mapped_column(String(255))
    payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    invoice_id: Mapped[str | None] = mapped_column(String(255))
    amount_minor: Mapped[BigInt]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(60), default="")
    # Stripe's words: needs_response, under_review, won, lost, warning_…, prevented, appeal_…
    state: Mapped[str] = mapped_column(String(40))
    told_at: Mapped[Instant]
    created_at: Mapped[Instant] = mapped_column(default=now)


class Subscription(Identified, Base):
    """A plan as the provider last told it. It grants nothing by itself: paid invoices do."""

    __tablename__ = "subscription"
    __table_args__ = (Index("ix_subscription_workspace", "workspace_id", "created_at"),)

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_WORKSPACE, ondelete="CASCADE"))
    provider_id: Mapped[str] = mapped_column(String(255), unique=True)
    customer_provider_id: Mapped[str] = mapped_column(String(255), default="")
    status: Mapped[str] = mapped_column(String(20))
    price_provider_id: Mapped[str] = mapped_column(String(255), default="")
    quantity: Mapped[int] = mapped_column(default=1)
    period_start: Mapped[Instant | None]
    period_end: Mapped[Instant | None]
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    is_collection_paused: Mapped[bool] = mapped_column(default=False)
    trial_ends_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]
    # Where an open invoice can be paid or confirmed; empty when nothing is owed.
    invoice_url: Mapped[str] = mapped_column(Text, default="")
    # A second live one of the same workspace: the operator is told.
    is_extra: Mapped[bool] = mapped_column(default=False)
    told_at: Mapped[Instant]
    created_at: Mapped[Instant] = mapped_column(default=now)
