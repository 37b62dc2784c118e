"""Money has gone back: take its share of the credits, or give them back when the money returns.

Laws: the target is computed from everything known (refunds that succeeded, the charge's running sum, open and lost
disputes) and the ledger is moved to it by differences; so the order of events and how often they come play no part.
A target that falls undoes clawbacks exactly, the newest first. Together never more than was granted.
A refund or dispute that was told before its payment waits as an orphan: crediting adopts it, and the sweeper one whose
payment was being credited in the same moment.
Source: reference "Stripe", cases 16 to 18. Policy: docs/payments.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, select, union, update

from tokenboard.audit import service as audit
from tokenboard.billing import payment_queries as queries
from tokenboard.billing.models import Dispute, Payment, PaymentClawback, PaymentGrant, Refund
from tokenboard.billing.rules import (
    PaymentKind,
    RefundFact,
    clawback_target_micros,
    refunded_minor,
    state_after,
    takes_money,
)
from tokenboard.core.db import db
from tokenboard.ledger import service as ledger

SUM_PREFIX = "sum:"  # a refund row that holds a charge's running sum, told before its payment was known


_BACK: tuple[type[Refund] | type[Dispute], ...] = (Refund, Dispute)


def adopt_orphans(*, payment: Payment, cause: str) -> None:
    """Take over refunds and disputes that were told before this payment (locked) was, and follow them."""
    for row in _BACK:
        for named in _named(row, payment):
            mine = (row.provider == payment.provider, row.currency == payment.currency, row.payment_id.is_(None))
            db.session.execute(update(row).where(*mine, named).values(payment_id=payment.id))
    follow_money(payment=payment, cause=cause)


def _named(row: type[Refund] | type[Dispute], payment: Payment) -> list[ColumnElement[bool]]:
    """How money that went back names what it paid for. An absent name names nothing."""
    found: list[ColumnElement[bool]] = []
    if payment.payment_intent_id is not None:
        found.append(row.payment_intent_id == payment.payment_intent_id)
    if payment.kind == PaymentKind.INVOICE and payment.object_id is not None:
        found.append(row.invoice_id == payment.object_id)
    return found


def with_orphans(limit: int) -> Sequence[str]:
    """Credited payments whose refund or dispute waits unadopted: both were handled in the same moment."""
    looks = []
    for row in _BACK:
        waits = and_(row.provider == Payment.provider, row.currency == Payment.currency, row.payment_id.is_(None))
        by_intent = and_(waits, row.payment_intent_id == Payment.payment_intent_id)
        by_invoice = and_(waits, row.invoice_id == Payment.object_id, Payment.kind == PaymentKind.INVOICE)
        looks += [select(Payment.id).join(row, named) for named in (by_intent, by_invoice)]
    credited = [look.where(Payment.credited_at.is_not(None)) for look in looks]
    return db.session.scalars(union(*credited).limit(limit)).all()


def follow_money(*, payment: Payment, cause: str) -> None:
    """Bring the credits of a payment (its row locked) to what its money says. Idempotent."""
    _add_up(payment)
    if payment.credited_at is None:
        return  # nothing granted yet; the settlement comes back here
    charged = payment.charged_minor or 0
    gone = payment.refunded_minor + payment.disputed_minor
    for grant in queries.grants_of(payment.id):
        _move_to(grant, clawback_target_micros(grant.credits_micros, gone, charged), cause)
    payment.state = state_after(
        charged_minor=charged,
        gone_back_minor=payment.refunded_minor,
        disputed_minor=payment.disputed_minor,
        is_lost=any(one.state == "lost" for one in queries.disputes_of(payment.id)),
    )
    facts = {"refunded_minor": payment.refunded_minor, "disputed_minor": payment.disputed_minor}
    if gone:
        audit.record(
            "billing.money_back",
            actor=payment.provider,
            subject=payment.id,
            workspace_id=payment.workspace_id,
            facts=facts,
        )


def _add_up(payment: Payment) -> None:
    rows = queries.refunds_of(payment.id)
    single = [one for one in rows if not (one.provider_id or "").startswith(SUM_PREFIX)]
    sums = [(one.told_at, one.amount_minor) for one in rows if one not in single]
    if payment.refund_sum_told_at is not None:
        sums.append((payment.refund_sum_told_at, payment.refund_sum_minor))
    told_at, newest_sum = max(sums) if sums else (None, 0)
    facts = [RefundFact(one.amount_minor, one.state, one.created_at, one.told_at) for one in single]
    payment.refunded_minor = refunded_minor(facts, newest_sum, told_at)
    payment.disputed_minor = sum(one.amount_minor for one in queries.disputes_of(payment.id) if takes_money(one.state))
    db.session.flush()


def _move_to(grant: PaymentGrant, target_micros: int, cause: str) -> None:
    standing = list(queries.standing_clawbacks(grant.id))
    taken = sum(one.amount_micros for one in standing)
    # The one that is exactly too much goes first, so that a failed refund restores what that refund took.
    exact = next((one for one in standing if one.amount_micros == taken - target_micros), None)
    for one in [exact] if exact else standing:
        if taken <= target_micros:
            break
        taken -= _undo(one, cause)
    if taken < target_micros:
        _take(grant, target_micros - taken, cause)


def _undo(one: PaymentClawback, cause: str) -> int:
    posting = ledger.undo_clawback(
        transaction_id=one.transaction_id, description=f"Given back: {cause}"[:200], source="billing:refund"
    )
    one.undone_transaction_id = posting.transaction_id
    db.session.flush()
    return one.amount_micros


def _take(grant: PaymentGrant, amount_micros: int, cause: str) -> None:
    number = queries.clawback_count(grant.id) + 1
    posting = ledger.clawback(
        grant_id=grant.grant_id,
        amount_micros=amount_micros,
        key=f"clawback:{grant.id}:{number}",
        description=f"Taken back: {cause}"[:200],
        source=f"billing:{grant.payment_id}",
    )
    db.session.add(
        PaymentClawback(
            payment_grant_id=grant.id,
            number=number,
            amount_micros=amount_micros,
            cause=cause[:300],
            transaction_id=posting.transaction_id,
        )
    )
    db.session.flush()
