"""Reads of payments and of what belongs to them. Access is decided by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, tuple_

from tokenboard.billing.models import (
    Customer,
    Dispute,
    Payment,
    PaymentClawback,
    PaymentGrant,
    Refund,
    Subscription,
)
from tokenboard.billing.rules import LIVE_SUBSCRIPTIONS, PaymentState
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id


def locked(payment_id: str) -> Payment:
    """The payment, ours alone until the transaction ends. On SQLite the whole transaction is."""
    wanted = select(Payment).where(Payment.id == payment_id).with_for_update()
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def by_id(payment_id: str | None) -> Payment | None:
    wanted = or_none(parse_id, payment_id) if payment_id else None
    return db.session.get(Payment, wanted) if wanted else None


def by_object(provider: str, object_id: str) -> Payment | None:
    wanted = select(Payment).where(Payment.provider == provider, Payment.object_id == object_id)
    return db.session.scalar(wanted)


def by_payment_intent(provider: str, payment_intent_id: str) -> Payment | None:
    """The payment that the money of an intent paid for."""
    wanted = (
        select(Payment)
        .where(Payment.provider == provider, Payment.payment_intent_id == payment_intent_id)
        .order_by(Payment.created_at, Payment.id)
    )
    return db.session.scalars(wanted.limit(1)).first()


def by_intent_key(workspace_id: str, intent_key: str) -> Payment | None:
    wanted = select(Payment).where(Payment.workspace_id == workspace_id, Payment.intent_key == intent_key)
    return db.session.scalar(wanted)


def grants_of(payment_id: str) -> Sequence[PaymentGrant]:
    wanted = select(PaymentGrant).where(PaymentGrant.payment_id == payment_id)
    return db.session.scalars(wanted.order_by(PaymentGrant.created_at, PaymentGrant.id)).all()


def grant_by_key(key: str) -> PaymentGrant | None:
    return db.session.scalar(select(PaymentGrant).where(PaymentGrant.key == key))


def standing_clawbacks(payment_grant_id: str) -> Sequence[PaymentClawback]:
    """Those not undone, newest first."""
    wanted = select(PaymentClawback).where(
        PaymentClawback.payment_grant_id == payment_grant_id, PaymentClawback.undone_transaction_id.is_(None)
    )
    return db.session.scalars(wanted.order_by(PaymentClawback.number.desc())).all()


def clawback_count(payment_grant_id: str) -> int:
    wanted = select(db.func.count()).where(PaymentClawback.payment_grant_id == payment_grant_id)
    return int(db.session.scalar(wanted) or 0)


def refunds_of(payment_id: str) -> Sequence[Refund]:
    return db.session.scalars(select(Refund).where(Refund.payment_id == payment_id)).all()


def disputes_of(payment_id: str) -> Sequence[Dispute]:
    return db.session.scalars(select(Dispute).where(Dispute.payment_id == payment_id)).all()


def customer_by_id(provider: str, provider_id: str) -> Customer | None:
    """Deleted ones too: an invoice may arrive after its customer went."""
    wanted = select(Customer).where(Customer.provider == provider, Customer.provider_id == provider_id)
    return db.session.scalar(wanted)


def live_customer(workspace_id: str, provider: str) -> Customer | None:
    wanted = select(Customer).where(
        Customer.workspace_id == workspace_id, Customer.provider == provider, Customer.deleted_at.is_(None)
    )
    return db.session.scalar(wanted)


def subscription_by_id(provider_id: str) -> Subscription | None:
    return db.session.scalar(select(Subscription).where(Subscription.provider_id == provider_id))


def live_subscription(workspace_id: str) -> Subscription | None:
    """The one that renews or may; the oldest where there are, wrongly, two."""
    wanted = select(Subscription).where(
        Subscription.workspace_id == workspace_id, Subscription.status.in_(LIVE_SUBSCRIPTIONS)
    )
    return db.session.scalars(wanted.order_by(Subscription.created_at, Subscription.id).limit(1)).first()


def subscriptions(workspace_id: str) -> Sequence[Subscription]:
    """All there ever were, the newest first; two that live at once are a fault, which the page shows."""
    wanted = select(Subscription).where(Subscription.workspace_id == workspace_id)
    return db.session.scalars(wanted.order_by(Subscription.created_at.desc(), Subscription.id).limit(20)).all()


def ended_count(workspace_id: str, person_id: str) -> int:
    """How many orders of a person are past their checkout, however they ended."""
    wanted = select(db.func.count()).where(
        Payment.workspace_id == workspace_id, Payment.person_id == person_id, Payment.state != PaymentState.STARTED
    )
    return int(db.session.scalar(wanted) or 0)


def due_for_check(at: datetime, limit: int) -> Sequence[str]:
    """Open orders whose provider should be asked now."""
    wanted = select(Payment.id).where(Payment.next_check_at <= at).order_by(Payment.next_check_at).limit(limit)
    return db.session.scalars(wanted).all()


def history(workspace_id: str | None, *, limit: int, before: tuple[datetime, str] | None = None) -> Sequence[Payment]:
    """Payments, newest first; those of one workspace, or of all. A plan's checkout goes once its invoice is there."""
    wanted = select(Payment).order_by(Payment.created_at.desc(), Payment.id.desc()).limit(limit)
    wanted = wanted.where(or_(Payment.kind != "plan", Payment.state != PaymentState.CREDITED))
    if workspace_id is not None:
        wanted = wanted.where(Payment.workspace_id == workspace_id)
    if before is not None:
        wanted = wanted.where(tuple_(Payment.created_at, Payment.id) < before)
    return db.session.scalars(wanted).all()


def credited_micros(workspace_id: str, since: datetime, until: datetime) -> int:
    """The credits that payments have brought a workspace from one instant to before another."""
    asked = (
        select(func.coalesce(func.sum(PaymentGrant.credits_micros), 0))
        .join(Payment, Payment.id == PaymentGrant.payment_id)
        .where(Payment.workspace_id == workspace_id, PaymentGrant.created_at >= since, PaymentGrant.created_at < until)
    )
    return int(db.session.scalar(asked) or 0)
