"""Which of Stripe's events does what. Each handler reads the object, finds our row and calls one use case.

Law: an event of no kind we act on is stored and left alone; one that is not ours or does not fit is refused, visibly;
nothing here trusts what the browser or the metadata says about amounts or credits.
Source: reference "Stripe", section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokenboard.billing import (
    catalogue_service,
    invoice_service,
    payment_queries as queries,
    reversal_service,
    settlement_service,
    subscription_service,
)
from tokenboard.billing.asking import Answers
from tokenboard.billing.errors import Refused
from tokenboard.billing.models import Payment
from tokenboard.billing.reversal_service import Told
from tokenboard.billing.rules import PaymentKind, PaymentState
from tokenboard.billing.settlement_service import Paid
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.providers import stripe_answers as read, stripe_billing_answers as read_billing
from tokenboard.providers.stripe_objects import CheckoutSession, StripeEvent

PROVIDER = "stripe"


@dataclass(frozen=True, slots=True)
class Handled:
    """What an event led to; `note` when it was stored and nothing else."""

    payment_id: str | None = None
    note: str = ""


Handler = Callable[[StripeEvent, Answers], Handled]
NOTHING = Handled(note="Nothing to do.")


def handle(event: StripeEvent, answers: Answers) -> Handled:
    """Raises: Refused, NotYet, NeedsAnswer, Unreadable."""
    if event.foreign:
        raise Refused(f"Not ours: {event.foreign}.")
    handler = _HANDLERS.get(event.type)
    return Handled(note="No kind we act on.") if handler is None else handler(event, answers)


def order_of(session: CheckoutSession) -> Payment:
    """The order a checkout session was made for. Raises: Refused."""
    found = queries.by_object(PROVIDER, session.id)
    for named in (session.client_reference_id, session.metadata.get("payment_id")):
        found = found or queries.by_id(named)
    if found is None:
        raise Refused(f"The checkout {session.id} belongs to no order of ours.")
    if found.provider != PROVIDER or found.object_id not in (None, session.id):
        raise Refused(f"The checkout {session.id} is not what the order {found.id} was for.", payment_id=found.id)
    return found


def follow_session(session: CheckoutSession) -> Payment:
    """Bring an order to what its session says: also for the success page and the reconciler. Raises: Refused."""
    payment = order_of(session)
    if session.customer_id:
        subscription_service.adopt_customer(workspace_id=payment.workspace_id, customer_id=session.customer_id)
    if session.status == "expired":
        return settlement_service.end_unpaid(
            payment_id=payment.id, state=PaymentState.EXPIRED, why="The checkout was left and has expired."
        )
    if session.status != "complete":
        return payment
    if session.mode == "subscription":
        return _begin_plan(payment, session)
    if payment.kind not in (PaymentKind.PACK, PaymentKind.CUSTOM):
        raise Refused("The order was not for credits, the checkout is.", payment_id=payment.id)
    if not session.is_settled:
        return settlement_service.mark_waiting(
            payment_id=payment.id, object_id=session.id, payment_intent_id=session.payment_intent_id
        )
    return settlement_service.settle_payment(payment_id=payment.id, paid=_paid(session))


def _paid(session: CheckoutSession) -> Paid:
    return Paid(
        object_id=session.id,
        currency=session.currency,
        asked_minor=session.amount_subtotal,
        charged_minor=session.amount_total,
        tax_minor=session.amount_tax,
        payment_intent_id=session.payment_intent_id,
        discount_minor=session.amount_discount,
    )


def _begin_plan(payment: Payment, session: CheckoutSession) -> Payment:
    """The plan's checkout is done: link it. Its credits come with its invoice."""
    if payment.kind != PaymentKind.PLAN:
        raise Refused("The order was for credits, the checkout for a plan.", payment_id=payment.id)
    locked = queries.locked(payment.id)
    if locked.credited_at is None:
        locked.object_id, locked.provider_subscription_id = session.id, session.subscription_id
        locked.state = PaymentState.PAID
        locked.paid_at, locked.charged_minor = locked.paid_at or now(), session.amount_total
        locked.next_check_at, locked.url = None, ""
        db.session.flush()
    return locked


def _session(event: StripeEvent, _answers: Answers) -> Handled:
    return Handled(follow_session(read.checkout_session(event.object)).id)


def _session_failed(event: StripeEvent, _answers: Answers) -> Handled:
    payment = order_of(read.checkout_session(event.object))
    words = "The bank could not collect the money. Nothing was charged."
    settlement_service.end_unpaid(payment_id=payment.id, state=PaymentState.FAILED, why=words)
    return Handled(payment.id)


def _invoice_paid(event: StripeEvent, answers: Answers) -> Handled:
    invoice = read_billing.invoice(event.object)
    payment = invoice_service.pay_invoice(invoice=invoice, answers=answers)
    if payment is None:
        return Handled(note="An invoice of no subscription brings no credits.")
    return Handled(payment.id, "" if payment.credited_at else "Paid, but nothing of it brings credits.")


def _invoice_owed(event: StripeEvent, _answers: Answers) -> Handled:
    invoice_service.owe_invoice(invoice=read_billing.invoice(event.object))
    return NOTHING


def _subscription(event: StripeEvent, answers: Answers) -> Handled:
    told = read_billing.subscription(event.object)
    subscription_service.learn_subscription(told=told, at=event.created_at, answers=answers)
    return Handled()


def _charge_refunded(event: StripeEvent, answers: Answers) -> Handled:
    charge = read.charge(event.object)
    payment, invoice_id = reversal_service.payment_behind(charge.payment_intent_id, answers)
    reversal_service.learn_charge(charge=charge, at=event.created_at, payment=payment, invoice_id=invoice_id)
    return Handled(payment.id if payment else None)


def _refund(event: StripeEvent, answers: Answers) -> Handled:
    refund = read.refund(event.object)
    payment, invoice_id = reversal_service.payment_behind(refund.payment_intent_id, answers)
    told = Told(
        PROVIDER,
        refund.id,
        refund.payment_intent_id,
        refund.amount,
        refund.currency,
        refund.status,
        event.created_at,
        our_id=refund.metadata.get("refund_id"),
        begun_at=refund.created_at,
    )
    reversal_service.learn_refund(told=told, payment=payment, invoice_id=invoice_id)
    return Handled(payment.id if payment else None)


def _dispute(event: StripeEvent, answers: Answers) -> Handled:
    dispute = read.dispute(event.object)
    payment, invoice_id = reversal_service.payment_behind(dispute.payment_intent_id, answers)
    told = Told(
        PROVIDER,
        dispute.id,
        dispute.payment_intent_id,
        dispute.amount,
        dispute.currency,
        dispute.status,
        event.created_at,
        reason=dispute.reason,
    )
    reversal_service.learn_dispute(told=told, payment=payment, invoice_id=invoice_id)
    return Handled(payment.id if payment else None)


def _product(event: StripeEvent, _answers: Answers) -> Handled:
    is_deleted = event.type.endswith(".deleted")
    catalogue_service.learn_product(product=read.product(event.object), at=event.created_at, is_deleted=is_deleted)
    return Handled()


def _price(event: StripeEvent, _answers: Answers) -> Handled:
    is_deleted = event.type.endswith(".deleted")
    catalogue_service.learn_price(price=read.price(event.object), at=event.created_at, is_deleted=is_deleted)
    return Handled()


def _customer_deleted(event: StripeEvent, _answers: Answers) -> Handled:
    """The customer goes, the balance stays; the next purchase makes a new one."""
    known = queries.customer_by_id(PROVIDER, event.object_id or "")
    if known is not None and known.deleted_at is None:
        known.deleted_at = event.created_at
    return Handled()


_HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session,
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _invoice_owed,
    "invoice.payment_action_required": _invoice_owed,
    "invoice.voided": _invoice_owed,
    **dict.fromkeys(
        (f"customer.subscription.{act}" for act in ("created", "updated", "deleted", "paused", "resumed")),
        _subscription,
    ),
    "charge.refunded": _charge_refunded,
    **dict.fromkeys(("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"), _refund),
    **dict.fromkeys(
        (f"charge.dispute.{act}" for act in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")),
        _dispute,
    ),
    **dict.fromkeys(("product.created", "product.updated", "product.deleted"), _product),
    **dict.fromkeys(("price.created", "price.updated", "price.deleted"), _price),
    "customer.deleted": _customer_deleted,
}
EVENT_TYPES = tuple(_HANDLERS)
