"""Our books against the providers': what was paid there and not credited here, which events never arrived.

Laws: it reports first and heals only when told to, by the very functions that webhooks use; nobody is asked inside a
transaction; a provider that cannot be asked is a finding, not a crash.
Source: reference "Stripe", section 3 (missed events, events never made), case 20.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tokenboard.billing import (
    inbox_service,
    invoice_service,
    lost_orders,
    payment_queries as queries,
    paystack_reconciling,
    stripe_service,
    tasks,
    topping_up,
)
from tokenboard.billing.asking import MOST_QUESTIONS, Answers
from tokenboard.billing.errors import EventUnusable, NeedsAnswer
from tokenboard.billing.findings import Finding, Look
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.lost_orders import Lost
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TokenBoardError
from tokenboard.providers.payments import EventUnreadable, PaymentError
from tokenboard.providers.reading import Unreadable
from tokenboard.providers.stripe_objects import CheckoutSession, Invoice, PaymentIntent, StripeEvent
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)

USUAL_DAYS, MOST_DAYS = 3, 30  # Stripe keeps events for 30
_NOT_HEALED = (EventUnusable, EventUnreadable, Unreadable, PaymentError, TokenBoardError, IntegrityError)


def look(*, days: int) -> Look:
    """Compare the last days. Changes nothing; ends the transaction it was called in."""
    since, seen = now() - timedelta(days=min(days, MOST_DAYS)), Look()
    for provider, compare in (("stripe", _stripe), ("paystack", _paystack)):
        try:
            seen.findings += list(compare(since, seen))
        except NotConfigured:
            continue
        except (PaymentError, EventUnreadable) as error:
            db.session.rollback()
            seen.findings.append(Finding(provider, "", f"It could not be asked: {error}"))
    return seen


def heal(finding: Finding) -> str:
    """Mend one difference; why that did not work, or nothing. Commits."""
    if finding.heal is None:
        return "Nothing here can mend it; a person must look."
    try:
        finding.heal()
        db.session.commit()
    except _NOT_HEALED as error:
        # One that cannot be mended leaves the others their turn; it is reported again in an hour.
        db.session.rollback()
        log.warning("not_healed", extra={"object": finding.object_id, "error": str(error)})
        return str(error) or type(error).__name__
    return ""


def reconcile(*, days: int = USUAL_DAYS, is_healing: bool) -> list[Finding]:
    """Every difference of the last days; with `is_healing` those that can be mended are. Commits."""
    findings = look(days=days).findings
    for finding in findings if is_healing else ():
        heal(finding)
    return findings


def _stripe(since: datetime, seen: Look) -> Iterator[Finding]:
    client = clients().stripe()
    events = client.events(since, stripe_service.EVENT_TYPES, only_undelivered=True)
    sessions = [one for one in client.checkout_sessions(since=since) if one.is_settled]
    invoices = list(client.invoices(since=since, status="paid"))
    seen.events, seen.sessions, seen.invoices = len(events), len(sessions), len(invoices)
    yield from _lost_events(events)
    yield from _uncredited_sessions(sessions)
    yield from _uncredited_invoices(invoices)
    yield from _lost_top_ups(client.payment_intents(since=since))


def _lost_events(events: list[StripeEvent]) -> Iterator[Finding]:
    wanted = select(InboxEvent.event_id).where(InboxEvent.provider == "stripe")
    known = set(db.session.scalars(wanted.where(InboxEvent.event_id.in_([one.id for one in events]))))
    db.session.commit()
    for event in events:
        if event.id not in known:
            yield Finding("stripe", event.id, f"{event.type} was never delivered", lambda found=event: _take_in(found))  # type: ignore[misc]


def _take_in(event: StripeEvent) -> None:
    """As if it had been delivered: stored, then handled by the same task."""
    inbox_service.receive_stripe(event=event, body=json.dumps(dict(event.payload), default=str).encode())
    db.session.commit()
    row = inbox_service.find(event.id)
    db.session.commit()
    if row is not None:
        tasks.process_event(row.id)


def _uncredited_sessions(sessions: list[CheckoutSession]) -> Iterator[Finding]:
    for session in sessions:
        payment = queries.by_object("stripe", session.id) or queries.by_id(session.client_reference_id)
        is_open = payment is not None and payment.paid_at is None
        lost = lost_orders.of_session(session) if payment is None else None
        db.session.commit()
        if is_open:
            words = "paid, and not credited"
            yield Finding("stripe", session.id, words, lambda found=session: stripe_service.follow_session(found))  # type: ignore[misc]
        if lost is not None:
            yield Finding("stripe", session.id, lost_orders.FOUND, lambda one=lost, found=session: _restore(one, found))  # type: ignore[misc]


def _restore(lost: Lost, session: CheckoutSession) -> None:
    lost_orders.restore(lost)
    stripe_service.follow_session(session)


def _uncredited_invoices(invoices: list[Invoice]) -> Iterator[Finding]:
    for invoice in invoices:
        if invoice.subscription_id is None:
            continue
        is_known = queries.by_object("stripe", invoice.id) is not None
        db.session.commit()
        if not is_known:
            yield Finding("stripe", invoice.id, "paid, and not credited", lambda found=invoice: _pay(found))  # type: ignore[misc]


def _lost_top_ups(intents: list[PaymentIntent]) -> Iterator[Finding]:
    """Charges of a saved card whose order is not in our books. A known order is asked about as long as it is open."""
    for intent in intents:
        lost = lost_orders.of_intent(intent) if intent.status == "succeeded" else None
        is_known = lost is not None and queries.by_id(lost.id) is not None
        db.session.commit()
        if lost is not None and not is_known:
            yield Finding("stripe", intent.id, lost_orders.FOUND, lambda one=lost, found=intent: _top_up(one, found))  # type: ignore[misc]


def _top_up(lost: Lost, intent: PaymentIntent) -> None:
    topping_up.follow_intent(lost_orders.restore(lost), intent)


def _pay(invoice: Invoice) -> None:
    answers = Answers()
    for _ in range(MOST_QUESTIONS):
        try:
            invoice_service.pay_invoice(invoice=invoice, answers=answers)
            return
        except NeedsAnswer as missing:
            db.session.rollback()
            answers.learn(missing.question, clients())


def _paystack(since: datetime, seen: Look) -> Iterator[Finding]:
    return paystack_reconciling.differences(clients().paystack(), since, seen)
