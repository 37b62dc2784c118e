"""Refunds and disputes as a provider tells them: keep the newest word, find the payment, let its credits follow.

Law: each is a row under the provider's own id, so that it counts once however many events speak of it; one that comes
before its payment waits as an orphan and is adopted when the payment is credited.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.billing import clawback_service, payment_queries as queries
from tokenboard.billing.asking import Answers
from tokenboard.billing.clawback_service import SUM_PREFIX
from tokenboard.billing.errors import Refused
from tokenboard.billing.models import Dispute, Payment, Refund
from tokenboard.billing.rules import is_final_dispute, money_text, takes_money
from tokenboard.core.db import db, new_id
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.core.upsert import insert
from tokenboard.providers import stripe_objects as stripe

DISPUTE_KIND = "billing.dispute"
_RANK = {"requested": 0, "pending": 1, "requires_action": 1, "succeeded": 2, "failed": 3, "canceled": 3}


@dataclass(frozen=True, slots=True)
class Told:
    """A refund or dispute in words that both providers share; `payment_intent_id` leads to what was bought."""

    provider: str
    provider_id: str
    payment_intent_id: str | None
    amount_minor: int
    currency: str
    state: str
    at: datetime
    reason: str = ""
    our_id: str | None = None  # the refund row that asked for it
    begun_at: datetime | None = None


def payment_behind(payment_intent_id: str | None, answers: Answers) -> tuple[Payment | None, str | None]:
    """The Stripe payment that an intent paid for, and the invoice where it was one. Raises: NeedsAnswer."""
    if payment_intent_id is None:
        return None, None
    known = queries.by_payment_intent("stripe", payment_intent_id)
    if known is not None:
        return known, None
    invoice: stripe.Invoice | None = answers("stripe.invoice_of_payment", payment_intent_id)
    if invoice is None:
        return None, None
    payment = queries.by_object("stripe", invoice.id)
    if payment is not None:
        payment.payment_intent_id = payment_intent_id
        db.session.flush()
    return payment, invoice.id


def learn_refund(*, told: Told, payment: Payment | None, invoice_id: str | None = None) -> Refund:
    """Keep what is known of a refund and move the credits. Idempotent; an older word changes nothing."""
    locked = _locked_in(payment, told.currency, f"The refund {told.provider_id}", told.amount_minor)
    row = _refund_row(told, locked, invoice_id)
    if _may_follow(row, told):
        row.state, row.told_at = told.state, max(told.at, row.told_at)
        row.amount_minor = told.amount_minor
    if locked is not None:
        row.payment_id = locked.id
        db.session.flush()
        clawback_service.follow_money(payment=locked, cause=f"refund {told.provider_id}")
    return row


def _locked_in(payment: Payment | None, currency: str, what: str, amount_minor: int) -> Payment | None:
    """The payment, ours alone. Raises: Refused when its money is of another currency: no share can be told."""
    if payment is None:
        return None
    if currency != payment.currency:
        words = f"{what} is about {money_text(amount_minor, currency)}, the payment is in {payment.currency.upper()}."
        raise Refused(words, payment_id=payment.id)
    return queries.locked(payment.id)


def _may_follow(row: Refund, told: Told) -> bool:
    """A refund only moves on: one that succeeded is not pending again, one that was called off does not come back."""
    if row.state in ("failed", "canceled"):
        return False
    stage, reached = _RANK.get(told.state, 1), _RANK.get(row.state, 0)
    return stage > reached or (stage == reached and told.at > row.told_at)


def _refund_row(told: Told, payment: Payment | None, invoice_id: str | None) -> Refund:
    by_id = select(Refund).where(Refund.provider == told.provider, Refund.provider_id == told.provider_id)
    row = db.session.scalar(by_id.with_for_update())
    our_id = or_none(parse_id, told.our_id) if told.our_id else None
    ours = db.session.get(Refund, our_id) if our_id else None
    if ours is not None and ours.provider_id is None:
        row = _ours(ours, row, told)
    if row is None:
        fresh = {"id": new_id(), "provider": told.provider, "provider_id": told.provider_id, "actor": ""}
        facts = {"amount_minor": told.amount_minor, "currency": told.currency, "state": "requested"}
        where = {"payment_intent_id": told.payment_intent_id, "invoice_id": invoice_id, "told_at": told.at}
        statement = insert(Refund).values(**fresh, **facts, **where, created_at=told.begun_at or told.at)
        db.session.execute(statement.on_conflict_do_nothing(index_elements=["provider", "provider_id"]))
        row = db.session.scalars(by_id.with_for_update()).one()
    row.payment_intent_id = row.payment_intent_id or told.payment_intent_id
    row.created_at = told.begun_at or row.created_at
    return row


def _ours(ours: Refund, told_before: Refund | None, told: Told) -> Refund:
    """The refund that we asked for; an event that came before the provider's answer made a row of its own."""
    if told_before is not None:
        ours.state, ours.told_at = told_before.state, told_before.told_at
        db.session.delete(told_before)
        db.session.flush()
    ours.provider_id, ours.next_ask_at = told.provider_id, None
    return ours


def learn_charge(*, charge: stripe.Charge, at: datetime, payment: Payment | None, invoice_id: str | None) -> None:
    """A charge's running sum of refunds. Without a payment yet, it waits as a refund of its own name."""
    if payment is None:
        # `charge.refunded` came before everything: kept as one refund of the whole sum until the payment is known.
        intent = charge.payment_intent_id
        told = Told(
            "stripe", f"{SUM_PREFIX}{charge.id}", intent, charge.amount_refunded, charge.currency, "succeeded", at
        )
        if charge.amount_refunded > 0:
            row = learn_refund(told=told, payment=None, invoice_id=invoice_id)
            row.amount_minor = max(row.amount_minor, charge.amount_refunded)
        return
    locked = _locked_in(payment, charge.currency, f"The charge {charge.id}", charge.amount)
    assert locked is not None, "there is a payment"
    if locked.kind != "plan" and _is_newer_sum(locked, charge, at):
        locked.refund_sum_minor, locked.refund_sum_told_at = charge.amount_refunded, at
    db.session.flush()
    clawback_service.follow_money(payment=locked, cause=f"charge {charge.id}")


def _is_newer_sum(payment: Payment, charge: stripe.Charge, at: datetime) -> bool:
    known_at = payment.refund_sum_told_at
    return known_at is None or at > known_at or (at == known_at and charge.amount_refunded > payment.refund_sum_minor)


def learn_dispute(*, told: Told, payment: Payment | None, invoice_id: str | None = None) -> Dispute:
    """Keep what is known of a dispute and move the credits. Idempotent; a decided one stays decided."""
    locked = _locked_in(payment, told.currency, f"The dispute {told.provider_id}", told.amount_minor)
    wanted = select(Dispute).where(Dispute.provider == told.provider, Dispute.provider_id == told.provider_id)
    row = db.session.scalar(wanted.with_for_update())
    if row is None:
        row = _new_dispute(told, invoice_id)
    elif _dispute_follows(row, told):
        row.state, row.told_at, row.amount_minor = told.state, max(told.at, row.told_at), told.amount_minor
    if locked is not None:
        row.payment_id = locked.id
        db.session.flush()
        clawback_service.follow_money(payment=locked, cause=f"dispute {told.provider_id} is {row.state}")
    _tell_operator(row)
    return row


def _new_dispute(told: Told, invoice_id: str | None) -> Dispute:
    row = Dispute(
        provider=told.provider,
        provider_id=told.provider_id,
        payment_intent_id=told.payment_intent_id,
        invoice_id=invoice_id,
        amount_minor=told.amount_minor,
        currency=told.currency,
        reason=told.reason[:60],
        state=told.state,
        told_at=told.at,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _dispute_follows(row: Dispute, told: Told) -> bool:
    if row.provider == "paystack" and is_final_dispute(row.state):
        return False  # its events tell no time, and it knows no appeal: a reminder may come after the decision
    if told.at == row.told_at:
        return is_final_dispute(told.state) or not is_final_dispute(row.state)
    # An appeal reopens a lost one; nothing older than the decision does.
    return told.at > row.told_at


def _tell_operator(row: Dispute) -> None:
    if is_final_dispute(row.state):
        resolve_alert(DISPUTE_KIND, subject=row.provider_id)
    elif takes_money(row.state):
        words = f"The dispute {row.provider_id} wants an answer at {row.provider.capitalize()}."
        raise_alert(DISPUTE_KIND, subject=row.provider_id, severity="warning", message=words)
