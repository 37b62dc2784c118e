"""What the page of one payment says: which step it is in, and what the buyer can do."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.billing.models import Payment
from tokenboard.billing.rules import CREDITED_STATES, PaymentState, money_text
from tokenboard.core.clock import now
from tokenboard.web.filters import credit_amount

PATH = "/credits/payments"
SLOW_AFTER_SECONDS = 60  # then the page offers to look itself
_STEPS = ("Started", "Paid", "Credits added")
_TITLES = {
    PaymentState.STARTED: "Waiting for your payment",
    PaymentState.PENDING: "The payment is on its way",
    PaymentState.PAID: "Paid. Your credits are being added",
    PaymentState.CREDITED: "Your credits are here",
    PaymentState.FAILED: "The payment did not go through",
    PaymentState.EXPIRED: "The checkout was left",
    PaymentState.PARTLY_REFUNDED: "Partly refunded",
    PaymentState.REFUNDED: "Refunded",
    PaymentState.DISPUTED: "Your bank is looking at this payment",
    PaymentState.LOST: "The payment was charged back",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the strip. `href` is there for the macro; a step leads nowhere."""

    label: str
    is_done: bool
    is_current: bool
    href: str = ""


@dataclass(frozen=True, slots=True)
class WaitingBlock:
    """Everything the page prints."""

    id: str
    title: str
    tone: str
    steps: list[Step]
    what: str
    amount: str
    rate: str
    brings: str
    told: str
    pay_href: str
    is_waiting: bool
    is_slow: bool
    poll_seconds: int


def waiting_block(payment: Payment) -> WaitingBlock:
    """The payment as the page shows it."""
    state = PaymentState(payment.state)
    age_seconds = int((now() - payment.created_at).total_seconds())
    is_waiting = state in (PaymentState.STARTED, PaymentState.PENDING, PaymentState.PAID) and not _is_all(payment)
    return WaitingBlock(
        id=payment.id,
        title="Your plan has begun" if _is_all(payment) else _TITLES[state],
        tone="ok" if state in CREDITED_STATES else "bad" if payment.ended_at and not payment.paid_at else "",
        steps=_steps(payment),
        what=payment.title,
        amount=money_text(payment.amount_minor, payment.currency),
        rate=f"1 USD = {payment.exchange_rate} {payment.currency.upper()}" if payment.exchange_rate else "",
        brings=f"{credit_amount(payment.credits_micros)} credits" if payment.credits_micros else "",
        told=payment.told,
        pay_href=payment.url if state == PaymentState.STARTED else "",
        is_waiting=is_waiting,
        is_slow=is_waiting and age_seconds > SLOW_AFTER_SECONDS,
        poll_seconds=2 if age_seconds < SLOW_AFTER_SECONDS else 10,
    )


def _is_all(payment: Payment) -> bool:
    """A plan's checkout that is paid; its credits come with its invoice."""
    return payment.kind == "plan" and payment.paid_at is not None


def _steps(payment: Payment) -> list[Step]:
    done = 1 + (payment.paid_at is not None) + (payment.credited_at is not None)
    return [Step(label, number < done, number == done) for number, label in enumerate(_STEPS)]
