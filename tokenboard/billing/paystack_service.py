"""Which of Paystack's events does what.

Law: an event is a hint. Before anything is credited the reference is verified with Paystack: status, currency and
amount against our own order; refunds are read from Paystack's list, whose ids make each count once.
Source: reference "Paystack", B2, B3, B4.
"""

from __future__ import annotations

from datetime import datetime

from tokenboard.billing import payment_queries as queries, reversal_service, settlement_service
from tokenboard.billing.asking import Answers, refunds_question
from tokenboard.billing.errors import NotYet, Refused
from tokenboard.billing.models import Payment
from tokenboard.billing.reversal_service import Told
from tokenboard.billing.rules import PaymentState
from tokenboard.billing.settlement_service import Paid
from tokenboard.billing.stripe_service import Handled
from tokenboard.core.clock import now
from tokenboard.providers import paystack_answers as read
from tokenboard.providers.paystack_objects import (
    PaystackDispute,
    PaystackEvent,
    PaystackRefund,
    PaystackStatus,
    PaystackTransaction,
)

PROVIDER = "paystack"
# What we act on, by its beginning; these are the ones Paystack sends.
EVENT_TYPES = (
    "charge.success",
    *(f"refund.{state}" for state in ("pending", "processing", "processed", "failed", "needs-attention")),
    *(f"charge.dispute.{act}" for act in ("create", "remind", "resolve")),
)
_REFUND_STATES = {"processed": "succeeded", "failed": "failed"}
_FAILED_WORDS = "The payment did not go through. Nothing was charged."


def handle(event: PaystackEvent, answers: Answers) -> Handled:
    """Raises: Refused, NotYet, NeedsAnswer, Unreadable."""
    if event.foreign:
        raise Refused(f"Not ours: {event.foreign}.")
    if event.type == "charge.success":
        return Handled(_charged(event, answers).id)
    if event.type.startswith("refund."):
        return Handled(_refunded(event, answers).id)
    if event.type.startswith("charge.dispute."):
        return Handled(learn_dispute(read.dispute(event.object)).id)
    return Handled(note="No kind we act on.")


def order_of(reference: str | None) -> Payment:
    """Raises: Refused."""
    found = queries.by_id(reference)
    if found is None or found.provider != PROVIDER:
        raise Refused(f"The reference {reference} belongs to no Paystack order of ours.")
    return found


def follow_transaction(payment: Payment, told: PaystackTransaction, *, is_final: bool = False) -> Payment:
    """Bring an order to what `verify` says: for webhook, callback, *Check now* and reconciler. Raises: Refused.

    An abandoned transaction may still be paid while its page is open; `is_final` ends it (the reconciler's last look).
    """
    if told.status in (PaystackStatus.SUCCEEDED, PaystackStatus.REVERSED):
        _require_same(payment, told)
        settled = settlement_service.settle_payment(payment_id=payment.id, paid=_paid(payment, told))
        return _reverse_whole(settled, told) if told.status is PaystackStatus.REVERSED else settled
    if told.status is PaystackStatus.FAILED:
        words = told.gateway_response or _FAILED_WORDS
        return settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.FAILED, why=words)
    if told.status is PaystackStatus.PENDING:
        return settlement_service.mark_waiting(payment_id=payment.id, object_id=told.reference, payment_intent_id=None)
    if is_final:
        words = "The payment was not completed in time."
        return settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.EXPIRED, why=words)
    return payment


def _require_same(payment: Payment, told: PaystackTransaction) -> None:
    wrong = told.mismatch(reference=payment.id, amount=payment.amount_minor, currency=payment.currency)
    if wrong:
        raise Refused(f"Paystack's {wrong}.", payment_id=payment.id)


def _paid(payment: Payment, told: PaystackTransaction) -> Paid:
    return Paid(
        object_id=told.reference,
        currency=told.currency,
        asked_minor=told.requested_amount,
        charged_minor=told.requested_amount,  # fees the buyer bears are not ours, and do not come back
        paid_at=told.paid_at,
        payment_intent_id=payment.id,
    )


def _reverse_whole(payment: Payment, told: PaystackTransaction) -> Payment:
    """`reversed`: everything went back, by a refund or a lost dispute that we may not have heard of."""
    known = payment.refunded_minor + payment.disputed_minor
    if known < (payment.charged_minor or 0):
        missing = (payment.charged_minor or 0) - known
        reversal_service.learn_refund(
            told=_told(payment, f"reversed:{told.reference}", missing, "succeeded", now()), payment=payment
        )
    return payment


def _told(payment: Payment, provider_id: str, amount_minor: int, state: str, at: datetime) -> Told:
    return Told(PROVIDER, provider_id, payment.id, amount_minor, payment.currency, state, at)


def _charged(event: PaystackEvent, answers: Answers) -> Payment:
    payment = order_of(event.reference)
    verified: PaystackTransaction | None = answers("paystack.verify", payment.id)
    if verified is None:
        raise NotYet(f"Paystack does not know {payment.id} yet.")
    if verified.status is not PaystackStatus.SUCCEEDED and verified.status is not PaystackStatus.REVERSED:
        raise NotYet(f"Paystack announces {payment.id} and verifies it as {verified.raw_status}.")
    return follow_transaction(payment, verified)


def _refunded(event: PaystackEvent, answers: Answers) -> Payment:
    payment = order_of(event.reference)
    listed: list[PaystackRefund] = answers(*refunds_question(payment.id, payment.created_at)) or []
    if not listed:
        raise NotYet(f"Paystack lists no refund of {payment.id} yet.")
    for one in listed:
        learn_refund(payment, one)
    return payment


def learn_refund(payment: Payment, told: PaystackRefund, our_id: str | None = None) -> None:
    """One refund as the list or the answer tells it."""
    state = refund_state(told)
    named = refund_name(payment, told)
    fact = Told(PROVIDER, named, payment.id, told.amount, told.currency, state, now(), our_id=our_id)
    reversal_service.learn_refund(told=fact, payment=payment)


def refund_name(payment: Payment, told: PaystackRefund) -> str:
    """Under which name a refund counts once."""
    return told.id or told.refund_reference or f"{payment.id}:{told.amount}"


def refund_state(told: PaystackRefund) -> str:
    """Only `processed` has moved money; `needs-attention` may still do so."""
    return _REFUND_STATES.get(told.status, "pending")


def learn_dispute(told: PaystackDispute) -> Payment:
    """One dispute as the event or the list tells it. Raises: Refused."""
    payment, state = order_of(told.reference), dispute_state(told)
    if state is not None:
        amount = told.amount if told.amount is not None else payment.amount_minor
        currency = told.currency or payment.currency
        fact = Told(PROVIDER, str(told.id), payment.id, amount, currency, state, now())
        reversal_service.learn_dispute(told=fact, payment=payment)
    return payment


def dispute_state(told: PaystackDispute) -> str | None:
    """In Stripe's words; None for one that was put away, which says nothing about who won."""
    if told.status == "archived":
        return None
    if told.is_lost:
        return "lost"
    return "won" if told.status == "resolved" else "needs_response"
