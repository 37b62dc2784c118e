"""What of payments waits for a person: one question, however many things are counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from tokenboard.billing import payment_search
from tokenboard.billing.inbox_models import EventState, InboxEvent
from tokenboard.billing.models import Dispute, Payment, Refund
from tokenboard.billing.payment_search import CurrencyTotal
from tokenboard.billing.rules import PaymentKind
from tokenboard.core.db import Base, db

_PAID_LATE = timedelta(days=14)  # how long after its order a payment may still be paid: bank debits


@dataclass(frozen=True, slots=True)
class Attention:
    """How many of each."""

    dead_events: int
    waiting_events: int
    stuck_payments: int
    open_disputes: int
    refund_troubles: int


def attention() -> Attention:
    """Everything at once."""
    counts = (
        _count(InboxEvent, InboxEvent.state == EventState.DEAD),
        _count(InboxEvent, InboxEvent.state == EventState.RETRY),
        _count(Payment, payment_search.is_stuck()),
        _count(Dispute, payment_search.is_open_dispute()),
        _count(Refund, payment_search.is_refund_trouble()),
    )
    return Attention(*db.session.execute(select(*counts)).one())


def _count(row: type[Base], condition: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(row).where(condition).scalar_subquery()


def sales_since(at: datetime) -> list[CurrencyTotal]:
    """What was paid since an instant, in each currency."""
    paid = func.sum(func.coalesce(Payment.charged_minor, Payment.amount_minor))
    back = func.sum(Payment.refunded_minor + Payment.disputed_minor)
    found = (
        select(Payment.currency, func.count(), paid, back)
        .where(Payment.paid_at >= at, Payment.created_at >= at - _PAID_LATE, Payment.kind != PaymentKind.PLAN)
        .group_by(Payment.currency)
        .order_by(func.count().desc(), Payment.currency)
    )
    return [CurrencyTotal(one, count, int(paid), int(back)) for one, count, paid, back in db.session.execute(found)]
