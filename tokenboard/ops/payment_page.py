"""One payment in finished texts, for the operator: timeline, frozen facts, ledger, events, and its money back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.queries import people_by_id
from tokenboard.billing import payment_story
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Payment
from tokenboard.billing.payment_search import PaymentRow
from tokenboard.billing.payment_story import Story
from tokenboard.billing.rules import PaymentKind, PaymentState, money_text, price_text
from tokenboard.ops import payment_timeline
from tokenboard.ops.inbox_words import STATE_WORDS as EVENT_WORDS
from tokenboard.ops.payment_timeline import Moment
from tokenboard.ops.payments_page import KIND_WORDS, PATH, PROVIDER_WORDS, STATE_ICONS, STATE_WORDS, shown_minor
from tokenboard.wallet.credits_page import signed
from tokenboard.web.filters import credit_amount, credits_exact

_CATEGORY_OF = {"grant": "credits given", "clawback": "taken back", "restoration": "given back"}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One transaction in the wallet's books."""

    id: str
    at: datetime
    what: str
    kind: str
    amount: str
    after: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the inbox that concerns the payment."""

    href: str
    at: datetime
    type: str
    state: str
    tone: str
    icon: str
    note: str


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """A refund of an amount, before it is made."""

    amount_minor: int
    amount: str
    takes: str
    covered: str
    owed: str
    is_all: bool


@dataclass(frozen=True, slots=True)
class RefundPanel:
    """Whether money can go back, how much, and what that does. `why_not` says it when it cannot."""

    why_not: str
    left: str
    left_typed: str
    currency: str
    preview: RefundPreview | None


@dataclass(frozen=True, slots=True)
class PaymentDetail:
    """Everything on the page."""

    id: str
    title: str
    scope: str
    state: str
    tone: str
    icon: str
    who: str
    workspace: str
    workspace_href: str
    facts: tuple[tuple[str, str], ...]
    codes: tuple[tuple[str, str], ...]
    receipt_href: str
    moments: tuple[Moment, ...]
    ledger: tuple[LedgerRow, ...]
    events: tuple[EventRow, ...]
    refund: RefundPanel
    can_check: bool


def build(row: PaymentRow, *, amount_minor: int | None) -> PaymentDetail:
    """About ten reads. `amount_minor` is what a refund is looked at for; None: all that is left."""
    payment, story = row.payment, payment_story.tell(row.payment)
    state, tone = STATE_WORDS[PaymentState(payment.state)]
    actors = people_by_id({one.actor for one in story.refunds})
    names = {person_id: person.name for person_id, person in actors.items()}
    return PaymentDetail(
        id=payment.id,
        title=f"{price_text(shown_minor(payment), payment.currency)} · {payment.title or 'Credits'}",
        scope=f"{PROVIDER_WORDS[payment.provider]}, {KIND_WORDS[PaymentKind(payment.kind)]}",
        state=state,
        tone=tone,
        icon=STATE_ICONS[tone],
        who=row.email,
        workspace=row.workspace,
        workspace_href=f"{PATH}?q={payment.workspace_id}",
        facts=tuple(_facts(payment)),
        codes=tuple(_codes(payment)),
        receipt_href=payment.receipt_url if payment.receipt_url.startswith("https://") else "",
        moments=payment_timeline.moments(story, who=row.email, names=names),
        ledger=_ledger(story),
        events=tuple(event_row(one) for one in story.events),
        refund=_refund(story, amount_minor),
        can_check=payment.credited_at is None,
    )


def _facts(payment: Payment) -> list[tuple[str, str]]:
    """What was frozen when it was ordered, and what was really charged."""
    brings = credit_amount(payment.credits_micros)
    facts = [("Asked for", price_text(payment.amount_minor, payment.currency))]
    if payment.quantity > 1:
        facts.append(("Quantity", str(payment.quantity)))
    if payment.charged_minor is not None:
        tax = f", {price_text(payment.tax_minor, payment.currency)} of it tax" if payment.tax_minor else ""
        facts.append(("Charged", f"{price_text(payment.charged_minor, payment.currency)}{tax}"))
    if payment.exchange_rate:
        facts.append(("Rate", f"1 USD = {payment.exchange_rate} {payment.currency.upper()}"))
    if payment.amount_usd_cents is not None and payment.currency != "usd":
        facts.append(("In dollars", price_text(payment.amount_usd_cents, "usd")))
    facts.append(("Brings", f"{brings} credits" if payment.credits_micros else "no credits by itself"))
    if payment.multiplier not in ("1", "1.0"):
        facts.append(("Multiplier", f"× {payment.multiplier}"))
    if payment.told:
        facts.append(("Told", payment.told))
    return facts


def _codes(payment: Payment) -> list[tuple[str, str]]:
    """What it is called, here and there."""
    named = (
        ("Number", payment.id),
        ("Object", payment.object_id),
        ("Payment intent", payment.payment_intent_id if payment.payment_intent_id != payment.id else None),
        ("Subscription", payment.provider_subscription_id),
        ("Price", payment.price_provider_id),
    )
    return [(label, text) for label, text in named if text]


def _ledger(story: Story) -> tuple[LedgerRow, ...]:
    lines = sorted(story.lines.values(), key=lambda line: line.version)
    return tuple(
        LedgerRow(
            line.transaction_id,
            line.created_at,
            line.description or line.kind,
            _CATEGORY_OF.get(line.kind, line.kind),
            signed(line.amount_micros),
            credit_amount(line.posted_after_micros),
        )
        for line in lines
    )


def event_row(event: InboxEvent) -> EventRow:
    """An event in the list of a payment."""
    words = EVENT_WORDS[event.state]
    note = event.last_error or event.note
    return EventRow(
        f"/admin/webhooks/{event.id}", event.received_at, event.type, words.label, words.tone, words.icon, note
    )


def _refund(story: Story, amount_minor: int | None) -> RefundPanel:
    payment, left = story.payment, story.left_minor
    why_not = _why_not(story)
    wanted = left if amount_minor is None else amount_minor
    is_possible = not why_not and 0 < wanted <= left
    return RefundPanel(
        why_not=why_not,
        left=price_text(left, payment.currency),
        left_typed=money_text(left, payment.currency).partition(" ")[0].replace(",", ""),
        currency=payment.currency.upper(),
        preview=_preview(story, wanted) if is_possible else None,
    )


def _why_not(story: Story) -> str:
    payment = story.payment
    if payment.paid_at is None or not payment.charged_minor:
        return "No money came, so none can go back."
    if payment.kind == PaymentKind.PLAN:
        return "The money of a plan is on its invoices; refund one of those."
    if payment.disputed_minor:
        return "The buyer's bank is deciding about this payment; answer the dispute instead."
    return "" if story.left_minor else "All of it has gone back, or is on its way."


def _preview(story: Story, amount_minor: int) -> RefundPreview:
    found = payment_story.refund_outlook(story, amount_minor)
    return RefundPreview(
        amount_minor=amount_minor,
        amount=price_text(amount_minor, story.payment.currency),
        takes=credits_exact(found.taken_micros),
        covered=credits_exact(found.covered_micros),
        owed=credits_exact(found.owed_micros) if found.owed_micros else "",
        is_all=amount_minor == story.left_minor,
    )
