"""Subscriptions: what Stripe last told of them, and the credits that their paid invoices bring.

Laws: only a paid invoice grants, line by line, never a checkout, a subscription's own events or a payment intent; a
line grants when it is a full period of a known price, not a proration, for more than nothing; the line is the key and
(item, price, period) a second one. Plan changes: an invoice with prorations grants nothing and the operator is told;
one without grants its full new line. Snapshots: a newer one wins, an ended one is final, on a tie Stripe is asked.
Source: reference "Stripe", section 3 and cases 8 to 15; docs/payments.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select, update

from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import raise_alert
from tokenboard.billing import catalogue_queries, catalogue_service, payment_queries as queries, settlement_service
from tokenboard.billing.asking import Answers
from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.errors import NotYet
from tokenboard.billing.models import Customer, Payment, PaymentGrant, Subscription
from tokenboard.billing.rules import ENDED_SUBSCRIPTIONS, PaymentKind, PaymentState, order_micros
from tokenboard.billing.settlement_service import Lot
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.core.upsert import insert_once
from tokenboard.ledger.kinds import Category
from tokenboard.providers import stripe_objects as stripe
from tokenboard.workspaces.models import Membership, Workspace

PROVIDER = "stripe"
GRANTING_REASONS = ("subscription_create", "subscription_cycle", "subscription_update")
_ONE = Decimal(1)  # a plan brings what it promises; the purchase multiplier is for packs
PLAN_KIND = "billing.plan"


def workspace_of(metadata: object, customer_id: str | None, subscription_id: str | None) -> str | None:
    """Whose it is: by the metadata we wrote, by the customer, by the subscription."""
    written = metadata if isinstance(metadata, dict) else {}
    named = or_none(parse_id, str(written.get("workspace_id", "")))
    if named and db.session.get(Workspace, named):
        return named
    if customer_id and (customer := queries.customer_by_id(PROVIDER, customer_id)):
        return customer.workspace_id
    if subscription_id and (known := queries.subscription_by_id(subscription_id)):
        return known.workspace_id
    return _own_workspace(or_none(parse_id, str(written.get("user_id", ""))))


def _own_workspace(person_id: str | None) -> str | None:
    if person_id is None:
        return None
    wanted = (
        select(Workspace.id)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Workspace.is_personal, Membership.role == "owner", Person.id == person_id)
    )
    return db.session.scalar(wanted)


def adopt_customer(*, workspace_id: str, customer_id: str) -> None:
    """Remember whose a customer is, when Stripe made it or we lost its answer. One that is known stays as it is."""
    if queries.customer_by_id(PROVIDER, customer_id) is not None:
        return
    own = queries.live_customer(workspace_id, PROVIDER)
    if own is not None and own.provider_id is None:
        own.provider_id = customer_id
    elif own is None:
        db.session.add(Customer(workspace_id=workspace_id, provider=PROVIDER, provider_id=customer_id))
    db.session.flush()


def learn_subscription(*, told: stripe.Subscription, at: datetime, answers: Answers) -> Subscription:
    """Keep a snapshot, unless a newer one is known. Raises: NotYet, NeedsAnswer."""
    workspace_id = workspace_of(dict(told.metadata), told.customer_id, told.id)
    if workspace_id is None:
        raise NotYet(f"Whose subscription {told.id} is, is not known yet.")
    adopt_customer(workspace_id=workspace_id, customer_id=told.customer_id)
    is_new = _insert(told, workspace_id, at)
    wanted = select(Subscription).where(Subscription.provider_id == told.id).with_for_update()
    row = db.session.scalars(wanted.execution_options(populate_existing=True)).one()
    if is_new or _is_newer(row, told, at):
        _write(row, told, at)
    elif at == row.told_at and row.status != told.status and row.status not in ENDED_SUBSCRIPTIONS:
        current = answers("stripe.subscription", told.id)
        _write(row, current or told, at)
    _flag_extra(row)
    return row


def _insert(told: stripe.Subscription, workspace_id: str, at: datetime) -> bool:
    fresh = {"id": new_id(), "workspace_id": workspace_id, "status": told.status, "told_at": at, "created_at": now()}
    plain = {"customer_provider_id": told.customer_id, "price_provider_id": "", "quantity": 1, "invoice_url": ""}
    flags = {"cancel_at_period_end": False, "is_collection_paused": False, "is_extra": False}
    return insert_once(Subscription, unique="provider_id", provider_id=told.id, **fresh, **plain, **flags)


def _is_newer(row: Subscription, told: stripe.Subscription, at: datetime) -> bool:
    if row.status in ENDED_SUBSCRIPTIONS:
        return False  # nothing comes back from there
    return at > row.told_at or told.status in ENDED_SUBSCRIPTIONS


def _write(row: Subscription, told: stripe.Subscription, at: datetime) -> None:
    row.status, row.told_at = told.status, max(at, row.told_at)
    row.customer_provider_id = told.customer_id
    row.cancel_at_period_end = told.cancel_at_period_end or told.cancel_at is not None
    row.is_collection_paused = told.is_collection_paused
    row.trial_ends_at, row.ended_at = told.trial_end, told.ended_at
    if told.items:
        item = told.items[0]
        row.price_provider_id, row.quantity = item.price_id, max(1, item.quantity)
        row.period_start, row.period_end = item.period_start, item.period_end
    if told.status in ("active", "trialing", *ENDED_SUBSCRIPTIONS):
        row.invoice_url = ""


def _flag_extra(row: Subscription) -> None:
    """At most one live subscription a workspace: a second one is flagged and the operator told."""
    db.session.flush()
    first = queries.live_subscription(row.workspace_id)
    row.is_extra = first is not None and first.id != row.id and row.status not in ENDED_SUBSCRIPTIONS
    if row.is_extra:
        words = f"The workspace {row.workspace_id} has a second live subscription, {row.provider_id}. Cancel one."
        raise_alert(PLAN_KIND, subject=row.provider_id, severity="warning", message=words)


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
    periods = [line for line in lines if line.subscription_item_id is not None]
    if invoice.billing_reason not in GRANTING_REASONS:
        return []
    if any(line.is_proration for line in periods):
        words = f"Invoice {invoice.id} changes a plan with prorations. It brings no credits; see docs/payments.md."
        raise_alert(PLAN_KIND, subject=invoice.id, severity="warning", message=words)
        return []
    return [lot for line in periods if line.amount > 0 and (lot := _lot(invoice, line, answers))]


def _lot(invoice: stripe.Invoice, line: stripe.InvoiceLine, answers: Answers) -> Lot | None:
    offer = _offer(line.price_id, answers) if line.price_id else None
    if offer is None or offer.price.problem or not offer.product.credits:
        words = f"Invoice {invoice.id} was paid for the price {line.price_id}, which promises no credits here."
        raise_alert(PLAN_KIND, subject=line.id, severity="warning", message=words)
        return None
    if _has_period(line):
        return None
    return Lot(
        key=f"{PROVIDER}:{line.id}",
        credits_micros=order_micros(offer.credits, max(1, line.quantity), _ONE),
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
    """A renewal failed, or the bank wants the buyer: show where to pay. No credits move."""
    known = queries.subscription_by_id(invoice.subscription_id or "")
    if known is not None and invoice.status == "open":
        known.invoice_url = invoice.hosted_url or ""
