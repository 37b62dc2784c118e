"""The operator's look at all payments: by filter, page after page, with the totals of what the filter leaves.

Law: the list, its totals and its CSV ask with one and the same condition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_

from tokenboard.accounts.models import Person
from tokenboard.billing.models import Dispute, Payment, PaymentGrant, Refund
from tokenboard.billing.rules import FINAL_DISPUTES, PaymentKind, PaymentState
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.workspaces.models import Membership, Role, Workspace

# Credits follow money within seconds; ten minutes leave room for a restart and the sweeper.
CREDITS_LATE = timedelta(minutes=10)
# A refund's answer is there in seconds; afterwards it is asked for again.
ANSWER_LATE = timedelta(minutes=10)
FAILED_SHOWN = timedelta(days=30)
# What Stripe's objects around a payment are called; Paystack's refunds and disputes are numbers.
_REFERENCE = re.compile(r"(?:cs|pi|in|il|re|pyr|du|dp|sub)_\w{1,250}|\d{4,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """What the operator wants to see; empty: everything. `trouble` is `stuck`, `dispute` or `refund`."""

    text: str = ""
    provider: str = ""
    state: str = ""
    kind: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment with whose it is. The e-mail is empty for renewals and for people who are gone."""

    payment: Payment
    workspace: str
    email: str


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What a filter leaves in one currency. A plan's checkout is counted, its money only with its invoices."""

    currency: str
    count: int
    paid_minor: int
    back_minor: int


def page(wanted: PaymentFilter, *, limit: int, before: tuple[datetime, str] | None = None) -> list[PaymentRow]:
    """Newest first; `before` is the last row of the page before."""
    found = (
        select(Payment, Workspace.name, func.coalesce(Person.email, ""))
        .join(Workspace, Workspace.id == Payment.workspace_id)
        .join(Person, Person.id == Payment.person_id, isouter=True)
        .where(*_conditions(wanted))
        .order_by(Payment.created_at.desc(), Payment.id.desc())
        .limit(limit)
    )
    if before is not None:
        found = found.where(tuple_(Payment.created_at, Payment.id) < before)
    return [PaymentRow(*row) for row in db.session.execute(found)]


def totals(wanted: PaymentFilter) -> list[CurrencyTotal]:
    """Count and sums of each currency, the most frequent first."""
    is_counted = and_(Payment.paid_at.is_not(None), Payment.kind != PaymentKind.PLAN)
    paid = func.sum(case((is_counted, func.coalesce(Payment.charged_minor, Payment.amount_minor)), else_=0))
    back = func.sum(case((is_counted, Payment.refunded_minor + Payment.disputed_minor), else_=0))
    found = select(Payment.currency, func.count(), paid, back).where(*_conditions(wanted)).group_by(Payment.currency)
    rows = db.session.execute(found.order_by(func.count().desc(), Payment.currency))
    return [CurrencyTotal(currency, count, int(paid), int(back)) for currency, count, paid, back in rows]


def one(payment_id: str) -> PaymentRow | None:
    """A single payment as the list shows it."""
    found = page(PaymentFilter(text=payment_id), limit=1)
    return found[0] if found and found[0].payment.id == payment_id else None


def _conditions(wanted: PaymentFilter) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if wanted.provider:
        chosen.append(Payment.provider == wanted.provider)
    if wanted.state:
        chosen.append(Payment.state == wanted.state)
    if wanted.kind:
        chosen.append(Payment.kind == wanted.kind)
    if wanted.trouble:
        chosen.append(_TROUBLES[wanted.trouble]())
    if wanted.text.strip():
        chosen.append(_names(wanted.text.strip()))
    return chosen


def _names(text: str) -> ColumnElement[bool]:
    """An id of ours, a reference of the provider's, an e-mail address, or a part of a workspace's name."""
    known_id = or_none(parse_id, text)
    if known_id:
        return or_(Payment.id == known_id, Payment.workspace_id == known_id, Payment.person_id == known_id)
    if _REFERENCE.fullmatch(text):
        return _is_about(text)
    if "@" in text:
        return _belongs_to(text.casefold())
    return Payment.workspace_id.in_(select(Workspace.id).where(Workspace.name.icontains(text, autoescape=True)))


def _is_about(reference: str) -> ColumnElement[bool]:
    refunded = select(Refund.payment_id).where(Refund.provider_id == reference)
    disputed = select(Dispute.payment_id).where(Dispute.provider_id == reference)
    granted = select(PaymentGrant.payment_id).where(PaymentGrant.key == f"stripe:{reference}")
    plain = (Payment.object_id, Payment.payment_intent_id, Payment.provider_subscription_id)
    named = [column == reference for column in plain]
    return or_(*named, *(Payment.id.in_(rows) for rows in (refunded, disputed, granted)))


def _belongs_to(email: str) -> ColumnElement[bool]:
    """Ordered by whoever has an address that begins so, or bought for a workspace of theirs."""
    people = select(Person.id).where(Person.email.startswith(email, autoescape=True))
    owned = select(Membership.workspace_id).where(Membership.role == Role.OWNER, Membership.person_id.in_(people))
    return or_(Payment.person_id.in_(people), Payment.workspace_id.in_(owned))


def is_stuck() -> ColumnElement[bool]:
    """Paid for ten minutes and not credited; or still open, and nobody asks the provider any more."""
    is_uncredited = and_(
        Payment.state == PaymentState.PAID,
        Payment.credited_at.is_(None),
        Payment.kind != PaymentKind.PLAN,
        Payment.credits_micros > 0,
        Payment.paid_at < now() - CREDITS_LATE,
    )
    is_open = Payment.state.in_((PaymentState.STARTED, PaymentState.PENDING))
    return or_(is_uncredited, and_(is_open, Payment.next_check_at.is_(None)))


def _is_disputed() -> ColumnElement[bool]:
    return Payment.id.in_(select(Dispute.payment_id).where(is_open_dispute()))


def _has_refund_trouble() -> ColumnElement[bool]:
    return Payment.id.in_(select(Refund.payment_id).where(is_refund_trouble()))


_TROUBLES: dict[str, Any] = {"stuck": is_stuck, "dispute": _is_disputed, "refund": _has_refund_trouble}
TROUBLES = tuple(_TROUBLES)


def is_open_dispute() -> ColumnElement[bool]:
    """The bank, or the buyer through it, waits for an answer or a decision."""
    return Dispute.state.not_in(FINAL_DISPUTES)


def is_refund_trouble() -> ColumnElement[bool]:
    """Of the last days: it failed and no later one was made; or its answer has not come."""
    after = Refund.__table__.alias("after")
    has_later = (
        select(after.c.id)
        .where(after.c.payment_id == Refund.payment_id, after.c.created_at > Refund.created_at)
        .where(after.c.state.not_in(("failed", "canceled")))
        .exists()
    )
    has_failed = and_(Refund.state == "failed", Refund.created_at > now() - FAILED_SHOWN, ~has_later)
    is_unanswered = and_(Refund.state == "requested", Refund.created_at < now() - ANSWER_LATE)
    return or_(has_failed, is_unanswered)
