"""An administrator gives money back: our row first, then the provider, then the credits follow what it says.

Law: the ledger moves only when the provider says that the money has moved.
"""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.audit import service as audit
from tokenboard.billing import payment_queries as queries, paystack_service, reversal_service
from tokenboard.billing.asking import Providers
from tokenboard.billing.errors import NotRefundable, ProviderFailed
from tokenboard.billing.models import Payment, Refund
from tokenboard.billing.reversal_service import Told
from tokenboard.billing.rules import PaymentKind
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import NotFound
from tokenboard.providers.payments import PaymentError

_GOING = ("requested", "pending", "requires_action")


def refund(
    *, payment_id: str, amount_minor: int | None, actor: str, intent_key: str | None, providers: Providers
) -> Refund:
    """Give back so much, or all that is left. Idempotent: by the intent key.

    Raises: NotFound, NotRefundable, ProviderFailed.
    """
    _find_intent(payment_id, providers)
    row, payment = _requested(payment_id, amount_minor, actor, intent_key)
    db.session.commit()
    if row.provider_id is not None:
        return row
    try:
        _ask(row, payment, providers)
    except PaymentError as error:
        db.session.rollback()
        if not error.is_outcome_unknown:
            kept = db.session.get_one(Refund, row.id, populate_existing=True)
            kept.state = "failed"
            db.session.commit()
        raise ProviderFailed(error) from error
    db.session.commit()
    return db.session.get_one(Refund, row.id, populate_existing=True)


def _find_intent(payment_id: str, providers: Providers) -> None:
    """An invoice does not say which payment intent paid it; Stripe does."""
    payment = queries.by_id(payment_id)
    if payment is None or payment.kind != PaymentKind.INVOICE or payment.payment_intent_id or not payment.object_id:
        return
    db.session.commit()
    try:
        found = providers.stripe().invoice_payments(invoice_id=payment.object_id)
    except PaymentError as error:
        raise ProviderFailed(error) from error
    intents = [one.payment_intent_id for one in found if one.status == "paid" and one.payment_intent_id]
    if intents:
        queries.locked(payment.id).payment_intent_id = intents[0]
        db.session.commit()


def _requested(payment_id: str, amount_minor: int | None, actor: str, intent_key: str | None) -> tuple[Refund, Payment]:
    found = queries.by_id(payment_id)
    if found is None:
        raise NotFound
    payment = queries.locked(found.id)
    # Without a key: the same amount again, while the first is under way, is the same click.
    intent_key = intent_key or f"auto:{amount_minor}:{payment.refunded_minor}"
    before = select(Refund).where(Refund.payment_id == payment.id, Refund.intent_key == intent_key)
    row = db.session.scalar(before)
    if row is None:
        row = _new(payment, _checked(payment, amount_minor), actor, intent_key)
    return row, payment


def _checked(payment: Payment, amount_minor: int | None) -> int:
    going = sum(one.amount_minor for one in queries.refunds_of(payment.id) if one.state in _GOING)
    left = (payment.charged_minor or 0) - payment.refunded_minor - going
    wanted = left if amount_minor is None else amount_minor
    if payment.paid_at is None or payment.payment_intent_id is None:
        raise NotRefundable("Nothing was paid here that could go back.")
    if payment.disputed_minor:
        raise NotRefundable("The buyer's bank is deciding about this payment; answer the dispute instead.")
    if not 0 < wanted <= left:
        raise NotRefundable("More would go back than was paid.", leftMinor=left)
    return wanted


def _new(payment: Payment, amount_minor: int, actor: str, intent_key: str) -> Refund:
    row = Refund(
        id=new_id(),
        payment_id=payment.id,
        provider=payment.provider,
        payment_intent_id=payment.payment_intent_id,
        amount_minor=amount_minor,
        currency=payment.currency,
        state="requested",
        actor=actor,
        intent_key=intent_key[:255],
        told_at=payment.created_at,
    )
    db.session.add(row)
    facts = {"amount_minor": amount_minor, "currency": payment.currency}
    audit.record(
        "billing.refund_asked", actor=actor, subject=payment.id, workspace_id=payment.workspace_id, facts=facts
    )
    return row


def _ask(row: Refund, payment: Payment, providers: Providers) -> None:
    if payment.provider == "paystack":
        made = providers.paystack().create_refund(payment.id, amount=row.amount_minor, currency=payment.currency)
        paystack_service.learn_refund(payment, made, our_id=row.id)
        return
    assert payment.payment_intent_id is not None, "checked above"
    answer = providers.stripe().create_refund(
        payment.payment_intent_id,
        amount=row.amount_minor,
        metadata={"refund_id": row.id, "payment_id": payment.id},
        idempotency_key=f"refund-{row.id}",
    )
    at = answer.created_at or now()
    told = Told(
        "stripe",
        answer.id,
        payment.payment_intent_id,
        answer.amount,
        answer.currency,
        answer.status,
        at,
        our_id=row.id,
        begun_at=at,
    )
    reversal_service.learn_refund(told=told, payment=payment)
