"""An administrator gives money back: our row first, then the provider, then the credits follow what it says.

Laws: the ledger moves only when the provider says that the money has moved; a refund whose answer was lost is a row
that the sweeper finds and asks about again, without giving back twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert
from tokenboard.billing import payment_queries as queries, paystack_service, reversal_service
from tokenboard.billing.asking import Providers, paystack_refunds
from tokenboard.billing.errors import NotRefundable, ProviderFailed
from tokenboard.billing.models import Payment, Refund
from tokenboard.billing.reversal_service import Told
from tokenboard.billing.rules import REFUNDS_UNDER_WAY, PaymentKind, waits_after
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import NotFound
from tokenboard.providers.payments import PaymentError
from tokenboard.providers.paystack_objects import PaystackRefund
from tokenboard.providers.stripe_objects import Refund as StripeRefund

REQUESTED = "requested"  # ours, before the provider has answered
UNANSWERED_KIND = "billing.refund_unanswered"
_FIRST_WAIT = timedelta(minutes=2)  # longer than a call with its retries: nobody asks beside whoever asks
_CLOCKS_DIFFER = timedelta(minutes=5)


def refund(
    *, payment_id: str, amount_minor: int | None, actor: str, intent_key: str | None, providers: Providers
) -> Refund:
    """Give back so much, or all that is left. Idempotent: by the intent key; what was refused stays refused.

    Raises: NotFound, NotRefundable, ProviderFailed.
    """
    _find_intent(payment_id, providers)
    row, payment = _requested(payment_id, amount_minor, actor, intent_key)
    db.session.commit()
    if row.provider_id is not None or row.state != REQUESTED:
        return row
    return _carry_out(row, payment, providers)


def ask_again(*, refund_id: str, providers: Providers) -> Refund:
    """For a refund whose answer was lost: ask once more, safely. One that is answered stays as it is.

    Raises: NotFound, ProviderFailed.
    """
    row = db.session.get(Refund, refund_id, populate_existing=True)
    payment = queries.by_id(row.payment_id) if row else None
    if row is None or payment is None:
        raise NotFound
    db.session.commit()
    if row.provider_id is not None or row.state != REQUESTED:
        return row
    return _carry_out(row, payment, providers)


def due(limit: int) -> Sequence[str]:
    """Refunds whose answer was lost and that should be asked for now."""
    wanted = select(Refund.id).where(Refund.next_ask_at <= now()).order_by(Refund.next_ask_at).limit(limit)
    return db.session.scalars(wanted).all()


def _carry_out(row: Refund, payment: Payment, providers: Providers) -> Refund:
    asks = _take_turn(row.id)
    if not asks:
        return row
    try:
        _ask(row, payment, providers, is_first=asks == 1)
    except PaymentError as error:
        db.session.rollback()
        if not error.is_outcome_unknown:
            kept = db.session.get_one(Refund, row.id, populate_existing=True)
            kept.state, kept.next_ask_at = "failed", None
            db.session.commit()
        raise ProviderFailed(error) from error
    kept = db.session.get_one(Refund, row.id, populate_existing=True)
    kept.next_ask_at = None
    db.session.commit()
    return kept


def _take_turn(refund_id: str) -> int:
    """Written before asking, so that a crash meanwhile is found again: how often it is asked with this time; 0 when
    somebody is asking, or asked a moment ago. The sweeper gives up after about nine hours, and tells the operator.
    """
    row = db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    if row.asks and row.next_ask_at and row.next_ask_at > now():
        db.session.commit()
        return 0
    row.asks += 1
    wait = waits_after(row.asks, 0)
    row.next_ask_at = now() + max(wait, _FIRST_WAIT) if wait else None
    if wait is None:
        words = f"The refund {row.id} has no answer from {row.provider.capitalize()}. Look there whether it was made."
        raise_alert(UNANSWERED_KIND, subject=row.id, severity="critical", message=words)
    asks = row.asks
    db.session.commit()
    return asks


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
    # Without a key: the same amount again, while the first is under way, is the same click; after a no it is a new one.
    intent_key = intent_key or f"auto:{amount_minor}:{payment.refunded_minor}:{_refused_before(payment)}"
    before = select(Refund).where(Refund.payment_id == payment.id, Refund.intent_key == intent_key)
    row = db.session.scalar(before)
    if row is None:
        row = _new(payment, _checked(payment, amount_minor), actor, intent_key)
    return row, payment


def _refused_before(payment: Payment) -> int:
    return sum(one.state == "failed" and one.provider_id is None for one in queries.refunds_of(payment.id))


def _checked(payment: Payment, amount_minor: int | None) -> int:
    going = sum(one.amount_minor for one in queries.refunds_of(payment.id) if one.state in REFUNDS_UNDER_WAY)
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
        state=REQUESTED,
        actor=actor,
        intent_key=intent_key[:255],
        next_ask_at=now() + _FIRST_WAIT,
        told_at=payment.created_at,
    )
    db.session.add(row)
    facts = {"amount_minor": amount_minor, "currency": payment.currency}
    audit.record(
        "billing.refund_asked", actor=actor, subject=payment.id, workspace_id=payment.workspace_id, facts=facts
    )
    return row


def _ask(row: Refund, payment: Payment, providers: Providers, *, is_first: bool) -> None:
    if payment.provider == "paystack":
        made = None if is_first else _made_at_paystack(row, payment, providers)
        if made is None:
            paystack = providers.paystack()
            made = paystack.create_refund(payment.id, amount=row.amount_minor, currency=payment.currency)
        paystack_service.learn_refund(payment, made, our_id=row.id)
        return
    answer = None if is_first else _made_at_stripe(row, payment, providers)
    answer = answer or _ask_stripe(row, payment, providers)
    reversal_service.learn_refund(told=_told(row, payment, answer), payment=payment)


def _ask_stripe(row: Refund, payment: Payment, providers: Providers) -> StripeRefund:
    assert payment.payment_intent_id is not None, "checked when it was asked for"
    return providers.stripe().create_refund(
        payment.payment_intent_id,
        amount=row.amount_minor,
        metadata={"refund_id": row.id, "payment_id": payment.id},
        idempotency_key=f"refund-{row.id}",
    )


def _told(row: Refund, payment: Payment, answer: StripeRefund) -> Told:
    at = answer.created_at or now()
    named = ("stripe", answer.id, payment.payment_intent_id, answer.amount, answer.currency, answer.status)
    return Told(*named, at, our_id=row.id, begun_at=at)


def _made_at_stripe(row: Refund, payment: Payment, providers: Providers) -> StripeRefund | None:
    """Whether the lost answer was a yes: an idempotency key is remembered for a day only."""
    assert payment.payment_intent_id is not None, "checked when it was asked for"
    listed = providers.stripe().refunds(payment.payment_intent_id)
    return next((one for one in listed if one.metadata.get("refund_id") == row.id), None)


def _made_at_paystack(row: Refund, payment: Payment, providers: Providers) -> PaystackRefund | None:
    """Paystack knows no idempotency key: one of this amount, begun since, that is no other order's is the lost answer.

    An event may have told of it already, as of a refund that nobody ordered: `learn_refund` makes one of the two.
    """
    begun = row.created_at - _CLOCKS_DIFFER
    ordered = {one.provider_id for one in queries.refunds_of(payment.id) if one.actor}
    db.session.commit()
    for one in paystack_refunds(providers, payment.id, begun):
        is_of_then = one.created_at is None or one.created_at >= begun
        if one.amount == row.amount_minor and is_of_then and paystack_service.refund_name(payment, one) not in ordered:
            return one
    return None
