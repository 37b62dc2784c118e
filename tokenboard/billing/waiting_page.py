"""What the page of one payment says: which step it is in, what the buyer can do, what it brought and what went back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenboard.billing import basket_service
from tokenboard.billing.errors import PriceNotFound
from tokenboard.billing.models import Payment, PaymentGrant
from tokenboard.billing.payment_words import can_begin_again, is_all, is_open, provider_name, why
from tokenboard.billing.price_words import credits_words, price, rate
from tokenboard.billing.rules import CREDITED_STATES, PaymentKind, PaymentState
from tokenboard.core.clock import now
from tokenboard.core.errors import ValidationFailed
from tokenboard.wallet.credits_page import PATH as CREDITS_PATH
from tokenboard.web.filters import NBSP

RETURNED = "session_id"  # Stripe's way back names its session; that somebody came back is all that is read of it
PATH = f"{CREDITS_PATH}/payments"
SLOW_AFTER_SECONDS = 60  # then the page offers to look itself
PROMPT_SECONDS = 180  # what a phone gives its owner to enter the PIN (reference "Paystack", B5)
# The page looks ever less often: (age of the order, seconds until the next look).
_PACE = ((20, 2), (60, 4), (300, 10), (3_600, 30))
_SLOWEST_SECONDS = 60
_PROMPT_POLL_SECONDS = 4  # Paystack tells nobody of a declined prompt: the page asks
_RETURN_POLL_SECONDS = 5
_STEPS = ("Started", "Paid", "Received", "Credited")
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
class Again:
    """The same basket once more: what it costs today, and whether a phone must be named."""

    label: str
    total: int
    needs_phone: bool
    change_href: str


@dataclass(frozen=True, slots=True)
class WaitingBlock:
    """Everything the page prints. `asks_provider`: each look asks the provider too, not only our own rows."""

    id: str
    workspace_id: str
    title: str
    tone: str
    steps: list[Step]
    what: str
    through: str
    amount: str
    charged: str
    sent_back: str
    rate: str
    brings: str
    ledger_hrefs: tuple[str, ...]
    told: str
    prompt: str
    pay_href: str
    again: Again | None
    is_waiting: bool
    is_slow: bool
    asks_provider: bool
    poll_query: str
    poll_when: str
    receipt_href: str
    provider_receipt_href: str


def waiting_block(
    payment: Payment,
    *,
    grants: Sequence[PaymentGrant] = (),
    has_returned: bool = False,
    may_act: bool = True,
    is_first: bool = True,
) -> WaitingBlock:
    """The payment as the page shows it.

    `has_returned`: the buyer comes from the provider's page just now. `is_first`: a page, not its next look.
    """
    state, is_waiting = PaymentState(payment.state), is_open(payment)
    age_seconds = int((now() - payment.created_at).total_seconds())
    is_ringing = is_waiting and basket_service.is_prompt(payment)
    asks = may_act and is_waiting and (is_ringing or has_returned)
    return WaitingBlock(
        id=payment.id,
        workspace_id=payment.workspace_id,
        title=_title(payment, state, is_ringing, has_returned),
        tone=_tone(payment),
        steps=_steps(payment, has_returned and state == PaymentState.STARTED),
        what=payment.title,
        through=provider_name(payment),
        amount=price(payment.amount_minor, payment.currency),
        charged=_charged(payment),
        sent_back=_sent_back(payment),
        rate=rate(payment.exchange_rate, payment.currency) if payment.exchange_rate else "",
        brings=credits_words(payment.credits_micros) if payment.credits_micros else "",
        ledger_hrefs=tuple(f"{CREDITS_PATH}/transactions/{one.transaction_id}" for one in grants),
        told=why(payment),
        prompt=_prompt(age_seconds) if is_ringing else "",
        pay_href=payment.url if state == PaymentState.STARTED and may_act and not has_returned else "",
        again=_again(payment) if may_act and can_begin_again(payment) else None,
        is_waiting=is_waiting,
        is_slow=is_waiting and may_act and (age_seconds > SLOW_AFTER_SECONDS or has_returned),
        asks_provider=asks,
        poll_query=f"?{RETURNED}=1" if has_returned else "",
        poll_when=_poll_when(_poll_seconds(age_seconds, is_ringing=is_ringing, is_asking=asks), has_returned, is_first),
        receipt_href=f"{PATH}/{payment.id}/receipt" if payment.paid_at and payment.kind != PaymentKind.PLAN else "",
        provider_receipt_href=payment.receipt_url,
    )


def _tone(payment: Payment) -> str:
    if payment.state in CREDITED_STATES or is_all(payment):
        return "ok"
    return "bad" if payment.ended_at and not payment.paid_at else ""


def _title(payment: Payment, state: PaymentState, is_ringing: bool, has_returned: bool) -> str:
    if is_all(payment):
        return "Your plan has begun"
    if is_ringing:
        return "Look at your phone"
    if has_returned and state == PaymentState.STARTED:
        return "Thank you. The payment is being looked up"
    return _TITLES[state]


def _steps(payment: Payment, has_just_paid: bool) -> list[Step]:
    """Started: our order. Paid: the buyer is done. Received: the money is there. Credited: so are the credits."""
    is_on_its_way = payment.state == PaymentState.PENDING and not basket_service.is_prompt(payment)
    is_done = has_just_paid or is_on_its_way or payment.paid_at is not None
    done = 3 if is_all(payment) else 1 + is_done + (payment.paid_at is not None) + (payment.credited_at is not None)
    steps = _STEPS[:3] if payment.kind == PaymentKind.PLAN else _STEPS  # a plan's invoice brings the credits
    is_over = not is_open(payment)
    return [Step(label, number < done, number == done and not is_over) for number, label in enumerate(steps)]


def _charged(payment: Payment) -> str:
    """What was really charged, where discount or tax made it another amount."""
    if payment.charged_minor is None or payment.charged_minor == payment.amount_minor:
        return ""
    tax = f", {price(payment.tax_minor, payment.currency)} of it tax" if payment.tax_minor else ""
    return f"{price(payment.charged_minor, payment.currency)}{tax}"


def _sent_back(payment: Payment) -> str:
    gone = payment.refunded_minor + payment.disputed_minor
    return price(gone, payment.currency) if gone else ""


def _prompt(age_seconds: int) -> str:
    """How long the phone still asks."""
    left = PROMPT_SECONDS - age_seconds
    if left <= 0:
        return "The prompt has run out. We are asking M-Pesa how it ended; nothing is lost."
    minutes, seconds = divmod(left, 60)
    words = f"{minutes}{NBSP}min {seconds}{NBSP}s" if minutes else f"{seconds}{NBSP}s"
    return f"Enter your M-Pesa PIN there. The prompt stays for {words} more."


def _poll_seconds(age_seconds: int, *, is_ringing: bool, is_asking: bool) -> int:
    paced = next((seconds for age, seconds in _PACE if age_seconds < age), _SLOWEST_SECONDS)
    if is_ringing:
        return max(_PROMPT_POLL_SECONDS, paced)
    return max(_RETURN_POLL_SECONDS, paced) if is_asking else paced


def _poll_when(seconds: int, has_returned: bool, is_first: bool) -> str:
    """When htmx looks: as paced, when the tab is looked at again, and at once after the way back."""
    at_once = "load delay:800ms, " if has_returned and is_first else ""
    return f"{at_once}every {seconds}s, shown"


def _again(payment: Payment) -> Again | None:
    """None where it cannot be bought that way any more; the page then leads to what can."""
    try:
        basket = basket_service.again(payment)
    except (PriceNotFound, ValidationFailed):
        return None
    wish = basket_service.wish_again(payment)
    chosen = f"amount={wish.amount}&pack=custom" if wish.amount else f"pack={wish.what}"
    is_plan = payment.kind == PaymentKind.PLAN
    change = "?buy=plans" if is_plan else f"?currency={wish.currency}&{chosen}&method={wish.method}"
    label = f"Try again for {price(basket.amount_minor, basket.currency)}"
    is_prompt = basket_service.is_prompt(payment)
    return Again(label, basket.amount_minor, is_prompt, f"{CREDITS_PATH}{change}#add_credits")
