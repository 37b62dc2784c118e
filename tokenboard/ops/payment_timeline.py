"""A payment's life as moments in order: ordered, paid, credited, refunds, disputes, credits taken and given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.billing.models import Dispute, Payment, PaymentClawback, PaymentGrant, Refund
from tokenboard.billing.payment_story import Story
from tokenboard.billing.refunding import REQUESTED
from tokenboard.billing.rules import PaymentKind, PaymentState, is_final_dispute, price_text, takes_money
from tokenboard.web.filters import credit_amount, day

_REFUND_TONES = {"succeeded": "ok", "failed": "bad", "canceled": "bad"}
_DISPUTE_TONES = {"won": "ok", "lost": "bad", "warning_closed": "ok", "prevented": "ok"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `transaction` is its entry in the ledger; `ask_href` asks again for a lost answer."""

    at: datetime
    icon: str
    tone: str
    what: str
    note: str = ""
    transaction: str = ""
    ask_href: str = ""


def moments(story: Story, *, who: str, names: dict[str, str]) -> tuple[Moment, ...]:
    """Oldest first; `names` are the administrators who asked for refunds."""
    payment = story.payment
    told = [_ordered(payment, who), *_paid(payment), *_ended(payment)]
    told += [_granted(one) for one in story.grants]
    told += [_refund(one, names) for one in story.refunds]
    told += [_dispute(one) for one in story.disputes]
    for one in story.clawbacks:
        told += _clawback(one, story)
    told.sort(key=lambda one: one.at)  # stable: at one instant they stay in the order of their making
    return (*told, *_next_look(payment))


def _ordered(payment: Payment, who: str) -> Moment:
    if payment.kind == PaymentKind.INVOICE:
        return Moment(payment.created_at, "calendar", "", "Invoice of the plan", "told by Stripe")
    by = f"by {who}" if who else "by somebody who has left"
    if payment.kind == PaymentKind.TOP_UP:
        by = "by the automatic top-up"
    what = f"Ordered for {price_text(payment.amount_minor, payment.currency)}"
    return Moment(payment.created_at, "receipt", "", what, by)


def _paid(payment: Payment) -> list[Moment]:
    if payment.paid_at is None:
        return []
    charged = payment.amount_minor if payment.charged_minor is None else payment.charged_minor
    words = "Paid" if charged else "Free by promotion"
    note = "its invoice brings the credits" if payment.kind == PaymentKind.PLAN else ""
    amount = f" {price_text(charged, payment.currency)}" if charged else ""
    return [Moment(payment.paid_at, "credit-card", "ok", f"{words}{amount}", note)]


def _ended(payment: Payment) -> list[Moment]:
    if payment.ended_at is None or payment.paid_at is not None:
        return []
    is_failed = payment.state == PaymentState.FAILED
    what = "The payment failed" if is_failed else "The checkout was left"
    return [Moment(payment.ended_at, "circle-x", "bad" if is_failed else "", what, payment.told)]


def _granted(one: PaymentGrant) -> Moment:
    period = ""
    if one.period_start and one.period_end:
        period = f"for {day(one.period_start.date())} – {day(one.period_end.date())}, "
    what = f"{credit_amount(one.credits_micros)} credits given"
    return Moment(one.created_at, "coins", "ok", what, f"{period}once for {one.key}", one.transaction_id)


def _refund(one: Refund, names: dict[str, str]) -> Moment:
    who = names.get(one.actor, "an administrator")
    by = f"asked for by {who}" if one.actor else f"made at {one.provider.capitalize()}"
    is_unanswered = one.state == REQUESTED and one.provider_id is None
    state = "no answer yet" if is_unanswered else one.state.replace("_", " ")
    note = f"{by}{f', {one.provider_id}' if one.provider_id else ''}"
    ask = f"/admin/payments/{one.payment_id}/refunds/{one.id}/ask" if is_unanswered else ""
    what = f"Refund of {price_text(one.amount_minor, one.currency)}: {state}"
    return Moment(one.created_at, "undo-2", _REFUND_TONES.get(one.state, "warn"), what, note, ask_href=ask)


def _dispute(one: Dispute) -> Moment:
    tone = _DISPUTE_TONES.get(one.state, "warn")
    holds = "the bank holds the money" if takes_money(one.state) and not is_final_dispute(one.state) else ""
    notes = [one.reason.replace("_", " "), holds, one.provider_id]
    what = f"Dispute of {price_text(one.amount_minor, one.currency)}: {one.state.replace('_', ' ')}"
    return Moment(one.created_at, "flag", tone, what, ", ".join(note for note in notes if note))


def _clawback(one: PaymentClawback, story: Story) -> list[Moment]:
    amount = credit_amount(one.amount_micros)
    what = f"{amount} credits taken back"
    taken = Moment(one.created_at, "trending-down", "warn", what, one.cause, one.transaction_id)
    undone = story.lines.get(one.undone_transaction_id or "")
    if undone is None:
        return [taken]
    what = f"{amount} credits given back"
    return [taken, Moment(undone.created_at, "trending-up", "ok", what, undone.description, undone.transaction_id)]


def _next_look(payment: Payment) -> list[Moment]:
    if payment.next_check_at is None:
        return []
    times = f"asked {payment.checks} times so far" if payment.checks else "not asked yet"
    return [Moment(payment.next_check_at, "clock", "", f"{payment.provider.capitalize()} will be asked", times)]
