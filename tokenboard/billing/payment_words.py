"""A payment's state in words, and the way it has come: started → paid → credited. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.billing.models import Payment
from tokenboard.billing.rules import OPEN_STATES, PaymentKind, PaymentState

# What a page calls it, and its tone.
STATE_WORDS = {
    PaymentState.STARTED: ("started", ""),
    PaymentState.PENDING: ("on its way", "accent"),
    PaymentState.PAID: ("paid", "accent"),
    PaymentState.CREDITED: ("credited", "ok"),
    PaymentState.FAILED: ("failed", "bad"),
    PaymentState.EXPIRED: ("left", ""),
    PaymentState.PARTLY_REFUNDED: ("partly refunded", "warn"),
    PaymentState.REFUNDED: ("refunded", "warn"),
    PaymentState.DISPUTED: ("disputed", "bad"),
    PaymentState.LOST: ("charged back", "bad"),
}
_PROVIDERS = {"stripe": "Stripe", "paystack": "Paystack"}


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a payment has been, and where it is."""

    before: str
    state: str
    tone: str


def trail(payment: Payment) -> Trail:
    """started → paid → credited, as far as it has come."""
    words, tone = STATE_WORDS[PaymentState(payment.state)]
    if is_all(payment):
        words, tone = "begun", "ok"
    passed = [
        word
        for word, is_passed in (
            ("started", payment.state != PaymentState.STARTED),
            ("paid", payment.paid_at is not None and payment.state != PaymentState.PAID),
            ("credited", payment.credited_at is not None and payment.state != PaymentState.CREDITED),
        )
        if is_passed
    ]
    return Trail("".join(f"{word} → " for word in passed), words, tone)


def is_open(payment: Payment) -> bool:
    """Whether something is still to come that the provider can be asked about."""
    return payment.state in OPEN_STATES and not is_all(payment)


def is_all(payment: Payment) -> bool:
    """A plan's checkout that is done, whether it or its invoice was heard of first: the invoice brings the credits."""
    return payment.kind == PaymentKind.PLAN and (payment.paid_at is not None or payment.credited_at is not None)


def can_begin_again(payment: Payment) -> bool:
    """Whether the same basket may be ordered once more: it came to nothing, and somebody had chosen it."""
    is_unpaid = payment.state in (PaymentState.FAILED, PaymentState.EXPIRED) and payment.paid_at is None
    return is_unpaid and payment.kind in (PaymentKind.PACK, PaymentKind.CUSTOM, PaymentKind.PLAN)


def why(payment: Payment) -> str:
    """The provider's reason as a sentence; of a payment that came to nothing also that it cost nothing."""
    told = payment.told.rstrip(". ")
    sentences = [f"{told}."] if told else []
    if payment.ended_at is not None and payment.paid_at is None and "othing was charged" not in told:
        sentences.append("Nothing was charged.")
    return " ".join(sentences)


def provider_name(payment: Payment) -> str:
    return _PROVIDERS[payment.provider]
