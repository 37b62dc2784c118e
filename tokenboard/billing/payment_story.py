"""Everything that happened to one payment, for the operator: rows of every kind, and what a refund would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from tokenboard.billing import payment_queries as queries
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Dispute, Payment, PaymentClawback, PaymentGrant, Refund
from tokenboard.billing.rules import REFUNDS_UNDER_WAY, clawback_target_micros
from tokenboard.core.db import db
from tokenboard.ledger import glance_queries, queries as ledger
from tokenboard.ledger.queries import Line

MOST_EVENTS = 50


@dataclass(frozen=True, slots=True)
class Story:
    """A payment with all that belongs to it, oldest first; `lines` are its ledger transactions by id."""

    payment: Payment
    grants: Sequence[PaymentGrant]
    clawbacks: Sequence[PaymentClawback]
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    events: Sequence[InboxEvent]
    lines: dict[str, Line]

    @property
    def left_minor(self) -> int:
        """What may still go back: charged, less what has gone, is on its way, or is held by the bank."""
        going = sum(one.amount_minor for one in self.refunds if one.state in REFUNDS_UNDER_WAY)
        payment = self.payment
        return max(0, (payment.charged_minor or 0) - payment.refunded_minor - payment.disputed_minor - going)

    @property
    def standing(self) -> list[PaymentClawback]:
        """Clawbacks that have not been undone."""
        return [one for one in self.clawbacks if one.undone_transaction_id is None]


@dataclass(frozen=True, slots=True)
class RefundOutlook:
    """What a refund would do to the wallet, were its money back now."""

    taken_micros: int
    covered_micros: int
    owed_micros: int


def tell(payment: Payment) -> Story:
    """Six reads."""
    grants = queries.grants_of(payment.id)
    clawbacks = _clawbacks(payment.id) if grants else []
    ids = [grant.transaction_id for grant in grants] + [one.transaction_id for one in clawbacks]
    ids += [one.undone_transaction_id for one in clawbacks if one.undone_transaction_id]
    return Story(
        payment,
        grants,
        clawbacks,
        sorted(queries.refunds_of(payment.id), key=lambda one: (one.created_at, one.id)),
        sorted(queries.disputes_of(payment.id), key=lambda one: (one.created_at, one.id)),
        _events(payment),
        ledger.lines(ids) if ids else {},
    )


def _clawbacks(payment_id: str) -> Sequence[PaymentClawback]:
    wanted = (
        select(PaymentClawback)
        .join(PaymentGrant, PaymentGrant.id == PaymentClawback.payment_grant_id)
        .where(PaymentGrant.payment_id == payment_id)
        .order_by(PaymentClawback.created_at, PaymentClawback.number)
    )
    return db.session.scalars(wanted).all()


def _events(payment: Payment) -> Sequence[InboxEvent]:
    """Those that were about it, and those that name its object and have not been understood yet."""
    named = [one for one in (payment.object_id, payment.payment_intent_id, payment.id) if one]
    wanted = select(InboxEvent).where(or_(InboxEvent.payment_id == payment.id, InboxEvent.object_id.in_(named)))
    return db.session.scalars(wanted.order_by(InboxEvent.received_at, InboxEvent.id).limit(MOST_EVENTS)).all()


def refund_outlook(story: Story, amount_minor: int) -> RefundOutlook:
    """The credits that so much money takes along, as `clawback_service` will count them, and what the wallet has."""
    payment = story.payment
    gone = payment.refunded_minor + payment.disputed_minor + amount_minor
    wanted: dict[str, int] = {}
    for grant in story.grants:
        target = clawback_target_micros(grant.credits_micros, gone, payment.charged_minor or 0)
        taken = sum(one.amount_micros for one in story.standing if one.payment_grant_id == grant.id)
        wanted[grant.grant_id] = max(0, target - taken)
    found = glance_queries.clawback_outlook({one: micros for one, micros in wanted.items() if micros})
    return RefundOutlook(found.covered_micros + found.owed_micros, found.covered_micros, found.owed_micros)
