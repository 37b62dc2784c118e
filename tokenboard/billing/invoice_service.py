"""Credits of a plan: what its paid invoices bring.

Laws: only a paid invoice grants, line by line, never a checkout, a subscription's own events or a payment intent; a
line grants when it is a full period of a known price, not a proration, for more than nothing; the line is the key and
(item, price, period) a second one. Never more than was paid for: an invoice that was settled in part with a credit on
the customer's balance (what an earlier proration gave back) brings its paid share. Plan changes: an invoice for one
with prorations grants nothing and the operator is told; one without grants its full new line.
Source: reference "Stripe", section 3 and cases 8 to 15; docs/payments.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select, update

from tokenboard.audit.alerts import raise_alert
from tokenboard.billing import catalogue_queries, catalogue_service, payment_queries as queries, settlement_service
from tokenboard.billing.asking import Answers
from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.errors import NotYet
from tokenboard.billing.models import Payment, PaymentGrant
from tokenboard.billing.rules import PaymentKind, PaymentState, money_text, order_micros, paid_share_micros
from tokenboard.billing.settlement_service import Lot
from tokenboard.billing.subscription_service import PLAN_KIND, PROVIDER, adopt_customer, workspace_of
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ledger.kinds import Category
from tokenboard.providers import stripe_objects as stripe

GRANTING_REASONS = ("subscription_create", "subscription_cycle", "subscription_update")
_ONE = Decimal(1)  # a plan brings what it promises; the purchase multiplier is for packs


def pay_invoice(*, invoice: stripe.Invoice, answers: Answers) -> Payment | None:
    """The credits of a paid invoice; None when it is no invoice of a subscription.

    Idempotent: by line, and by item, price and period. Raises: NotYet, NeedsAnswer.
    """
    if invoice.subscription_id is None or invoice.status != "paid":
        return None
    lines = invoice.lines
    if invoice.has_more_lines:
        lines = tuple(answers("stripe.invoice_lines", invoice.id) or lines)
    payment = _invoice_payment(invoice, _owner(invoice, answers))
    owe_invoice(invoice=invoice)  # it is paid: nothing is owed for it any more
    if payment.credited_at is not None:
        return payment
    lots = _lots(invoice, lines, answers)
    _end_plan_order(invoice, payment)
    if lots:
        payment.credits_micros = sum(lot.credits_micros for lot in lots)
        payment.title = lots[0].title
        settlement_service.grant_lots(payment=payment, lots=lots, category=Category.INCLUDED)
    return payment


def _owner(invoice: stripe.Invoice, answers: Answers) -> str:
    assert invoice.subscription_id is not None, "asked for above"
    metadata = dict(invoice.subscription_metadata)
    found = workspace_of(metadata, invoice.customer_id, invoice.subscription_id)
    if found is None:
        told = answers("stripe.subscription", invoice.subscription_id)
        found = told and workspace_of(dict(told.metadata), told.customer_id, told.id)
    if found is None:
        raise NotYet(f"Whose subscription {invoice.subscription_id} is, is not known yet.")
    if invoice.customer_id:
        adopt_customer(workspace_id=found, customer_id=invoice.customer_id)
    return str(found)


def _invoice_payment(invoice: stripe.Invoice, workspace_id: str) -> Payment:
    """The invoice's row, made once, locked."""
    found = queries.by_object(PROVIDER, invoice.id)
    if found is None:
        found = Payment(
            workspace_id=workspace_id,
            provider=PROVIDER,
            kind=PaymentKind.INVOICE,
            state=PaymentState.PAID,
            intent_key=f"invoice:{invoice.id}",
            title="Subscription",
            amount_minor=max(0, invoice.total),
            currency=invoice.currency,
            credits_micros=0,
            object_id=invoice.id,
            provider_subscription_id=invoice.subscription_id,
            charged_minor=max(0, invoice.amount_paid),
            receipt_url=invoice.hosted_url or "",
            paid_at=invoice.paid_at or now(),
        )
        db.session.add(found)
        db.session.flush()
    return queries.locked(found.id)


def _lots(invoice: stripe.Invoice, lines: Sequence[stripe.InvoiceLine], answers: Answers) -> list[Lot]:
    if invoice.billing_reason not in GRANTING_REASONS:
        return []
    if invoice.billing_reason == "subscription_update" and any(line.is_proration for line in lines):
        _tell_operator(invoice, "changes a plan with prorations. It brings no credits; see docs/payments.md.")
        return []
    sold = [line for line in lines if line.subscription_item_id and line.amount > 0 and not line.is_proration]
    asked = sum(line.amount for line in sold)
    came = max(0, invoice.amount_paid) + sum(line.discount_amount for line in sold)
    if came < asked:
        told = money_text(asked, invoice.currency), money_text(came, invoice.currency)
        _tell_operator(invoice, f"sells for {told[0]}, and {told[1]} came. It brings its share of the credits.")
    found = [_lot(invoice, line, answers, (came, asked)) for line in sold]
    return [lot for lot in found if lot is not None and lot.credits_micros > 0]


def _tell_operator(invoice: stripe.Invoice, words: str) -> None:
    raise_alert(PLAN_KIND, subject=invoice.id, severity="warning", message=f"Invoice {invoice.id} {words}")


def _lot(
    invoice: stripe.Invoice, line: stripe.InvoiceLine, answers: Answers, came_of_asked: tuple[int, int]
) -> Lot | None:
    offer = _offer(line.price_id, answers) if line.price_id else None
    if offer is None or offer.price.problem or not offer.product.credits:
        words = f"Invoice {invoice.id} was paid for the price {line.price_id}, which promises no credits here."
        raise_alert(PLAN_KIND, subject=line.id, severity="warning", message=words)
        return None
    if _has_period(line):
        return None
    promised = order_micros(offer.credits, max(1, line.quantity), _ONE)
    return Lot(
        key=f"{PROVIDER}:{line.id}",
        credits_micros=paid_share_micros(promised, *came_of_asked),
        title=offer.product.name,
        subscription_item_id=line.subscription_item_id,
        price_provider_id=line.price_id,
        period_start=line.period_start,
        period_end=line.period_end,
    )


def _offer(price_id: str, answers: Answers) -> Offer | None:
    """What a price promises; one we have not heard of is asked for."""
    known = catalogue_queries.known_price(price_id)
    if known is None and (told := answers("stripe.price", price_id)):
        if told.product is not None:
            catalogue_service.learn_product(product=told.product, at=now())
        catalogue_service.learn_price(price=told, at=now())
        known = catalogue_queries.known_price(price_id)
    return known


def _has_period(line: stripe.InvoiceLine) -> bool:
    """Whether this period of this plan has been granted under another invoice."""
    wanted = select(PaymentGrant.key).where(
        PaymentGrant.subscription_item_id == line.subscription_item_id,
        PaymentGrant.price_provider_id == line.price_id,
        PaymentGrant.period_start == line.period_start,
    )
    return db.session.scalar(wanted) not in (None, f"{PROVIDER}:{line.id}")


def _end_plan_order(invoice: stripe.Invoice, payment: Payment) -> None:
    """The checkout that began the plan is done: its first invoice is here."""
    wanted = update(Payment).where(
        Payment.workspace_id == payment.workspace_id,
        Payment.kind == PaymentKind.PLAN,
        Payment.id == or_none(parse_id, invoice.subscription_metadata.get("payment_id", "")),
    )
    done = {"state": PaymentState.CREDITED, "credited_at": now(), "next_check_at": None, "url": ""}
    db.session.execute(wanted.values(**done))


def owe_invoice(*, invoice: stripe.Invoice) -> None:
    """A renewal failed, or the bank wants the buyer: show where to pay, until it is paid or void. No credits move."""
    known = queries.subscription_by_id(invoice.subscription_id or "")
    if known is None:
        return
    if invoice.status == "open" and queries.by_object(PROVIDER, invoice.id) is None:
        known.invoice_url = invoice.hosted_url or ""
    elif known.invoice_url == invoice.hosted_url:
        known.invoice_url = ""
