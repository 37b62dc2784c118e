"""Paystack's side of the reconciler: payments that were not credited, money that went back unheard.

Laws: as reconciling.py. Paystack keeps no list of undelivered events, and two refunds of one amount may be told in the
same bytes, so that its own lists of refunds and disputes are compared with our rows.
Source: reference "Paystack", B2 to B4.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select

from tokenboard.billing import lost_orders, payment_queries as queries, paystack_service
from tokenboard.billing.findings import Finding, Look
from tokenboard.billing.lost_orders import Lost
from tokenboard.billing.models import Dispute, Payment, Refund
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.paystack_objects import PaystackDispute, PaystackRefund, PaystackTransaction

_BEFORE = timedelta(days=90)  # a refund may be of a payment so much older; only lists without references need it


def differences(client: PaystackClient, since: datetime, seen: Look) -> Iterator[Finding]:
    """Counts in `seen` what it compares. Raises: PaymentError."""
    until = now() + timedelta(days=1)
    paid = list(client.transactions(since, until, "success"))
    refunds = _with_references(client, list(client.refunds(since, until)), since, until)
    disputes = list(client.disputes(since, until))
    seen.transactions = len(paid)
    yield from _uncredited(client, paid)
    yield from _refunds(refunds)
    yield from _disputes(disputes)


def _with_references(
    client: PaystackClient, listed: list[PaystackRefund], since: datetime, until: datetime
) -> list[tuple[str, PaystackRefund]]:
    names: dict[int, str] = {}
    if any(one.reference is None for one in listed):
        names = {one.id: one.reference for one in client.transactions(since - _BEFORE, until)}
    found = [(one.reference or names.get(one.transaction_id or 0), one) for one in listed]
    return [(reference, one) for reference, one in found if reference]


def _uncredited(client: PaystackClient, listed: list[PaystackTransaction]) -> Iterator[Finding]:
    for told in listed:
        payment = _payment(told.reference)
        is_open = payment is not None and payment.paid_at is None
        lost = lost_orders.of_transaction(told) if payment is None else None
        db.session.commit()
        if is_open:
            words = "paid, and not credited"
            yield Finding("paystack", told.reference, words, lambda found=told.reference: _follow(client, found))  # type: ignore[misc]
        if lost is not None:
            yield Finding("paystack", told.reference, lost_orders.FOUND, lambda one=lost: _restore(client, one))  # type: ignore[misc]


def _restore(client: PaystackClient, lost: Lost) -> None:
    restored = lost_orders.restore(lost)
    db.session.commit()  # nobody is asked inside a transaction
    _follow(client, restored.id)


def _payment(reference: str) -> Payment | None:
    found = queries.by_id(reference)
    return found if found is not None and found.provider == "paystack" else None


def _follow(client: PaystackClient, reference: str) -> None:
    verified = client.verify(reference)
    paystack_service.follow_transaction(paystack_service.order_of(reference), verified)


def _refunds(listed: list[tuple[str, PaystackRefund]]) -> Iterator[Finding]:
    for reference, told in listed:
        payment = _payment(reference)
        is_news = payment is not None and _known_refund(told) != paystack_service.refund_state(told)
        db.session.commit()
        if is_news:
            words = f"a refund of {reference} is {told.status}, and was not heard of"
            yield Finding("paystack", str(told.id), words, lambda named=reference, found=told: _refund(named, found))  # type: ignore[misc]


def _known_refund(told: PaystackRefund) -> str | None:
    wanted = select(Refund.state).where(Refund.provider == "paystack", Refund.provider_id == told.id)
    return db.session.scalar(wanted)


def _refund(reference: str, told: PaystackRefund) -> None:
    paystack_service.learn_refund(paystack_service.order_of(reference), told)


def _disputes(listed: list[PaystackDispute]) -> Iterator[Finding]:
    for told in listed:
        state = paystack_service.dispute_state(told)
        payment = _payment(told.reference)
        is_news = payment is not None and state is not None and _known_dispute(told) != state
        db.session.commit()
        if is_news:
            words = f"a dispute of {told.reference} is {told.status}, and was not heard of"
            yield Finding("paystack", str(told.id), words, lambda found=told: paystack_service.learn_dispute(found))  # type: ignore[misc]


def _known_dispute(told: PaystackDispute) -> str | None:
    wanted = select(Dispute.state).where(Dispute.provider == "paystack", Dispute.provider_id == str(told.id))
    return db.session.scalar(wanted)
