"""The list of payments in finished texts: the filter that its address says, what it leaves, and its totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from tokenboard.billing import payment_queries, payment_search
from tokenboard.billing.models import Payment
from tokenboard.billing.payment_search import TROUBLES, CurrencyTotal, PaymentFilter, PaymentRow
from tokenboard.billing.rules import PaymentKind, PaymentState, currency_decimals, price_text
from tokenboard.core.clock import iso
from tokenboard.core.money import credits_from_micros
from tokenboard.core.parsing import clean_text, or_none
from tokenboard.web.filters import credit_amount, plural

PATH = "/admin/payments"
CSV_PATH = "/admin/payments/list.csv"
LINES, CSV_LINES, MOST_CSV_LINES = 30, 500, 20_000
LONGEST_TEXT = 260
STATE_WORDS = {
    PaymentState.STARTED: ("started", ""),
    PaymentState.PENDING: ("pending", "accent"),
    PaymentState.PAID: ("paid", "accent"),
    PaymentState.CREDITED: ("credited", "ok"),
    PaymentState.FAILED: ("failed", "bad"),
    PaymentState.EXPIRED: ("left", ""),
    PaymentState.PARTLY_REFUNDED: ("partly refunded", "warn"),
    PaymentState.REFUNDED: ("refunded", "warn"),
    PaymentState.DISPUTED: ("disputed", "bad"),
    PaymentState.LOST: ("charged back", "bad"),
}
STATE_ICONS = {"ok": "check", "warn": "undo-2", "bad": "circle-alert", "accent": "clock", "": "circle-help"}
KIND_WORDS = {
    PaymentKind.PACK: "pack",
    PaymentKind.CUSTOM: "typed amount",
    PaymentKind.PLAN: "plan, its checkout",
    PaymentKind.INVOICE: "plan, one period",
    PaymentKind.TOP_UP: "automatic top-up",
}
PROVIDER_WORDS = {"stripe": "Stripe", "paystack": "Paystack"}
_CSV_HEAD = (
    *("Time (UTC)", "Id", "Provider", "Kind", "State", "E-mail", "Workspace", "What", "Currency", "Asked for"),
    *("Charged", "Gone back", "Held by the bank", "Credits", "Paid", "Credited", "Object", "Payment intent"),
)
TROUBLE_WORDS = {"stuck": "Stuck", "dispute": "Open disputes", "refund": "Refunds in trouble"}


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment of the list."""

    href: str
    at: datetime
    who: str
    workspace: str
    what: str
    kind: str
    provider: str
    amount: str
    back: str
    credits: str
    state: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class Total:
    """One currency of the filter."""

    currency: str
    count: str
    paid: str
    back: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter as a link."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    """Everything on the page."""

    wanted: PaymentFilter
    lines: tuple[PaymentLine, ...]
    totals: tuple[Total, ...]
    troubles: tuple[Choice, ...]
    providers: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    older_href: str
    newest_href: str
    csv_href: str
    is_filtered: bool


def read_filter(given: Mapping[str, str]) -> PaymentFilter:
    """What the address says; a word that does not exist filters nothing."""
    return PaymentFilter(
        text=or_none(lambda text: clean_text(text, longest=LONGEST_TEXT), given.get("q", "")) or "",
        provider=_known(given.get("provider", ""), PROVIDER_WORDS),
        state=_known(given.get("state", ""), PaymentState),
        kind=_known(given.get("kind", ""), PaymentKind),
        trouble=_known(given.get("trouble", ""), TROUBLES),
    )


def _known(word: str, words: Iterable[str]) -> str:
    return word if word in set(words) else ""


def build(wanted: PaymentFilter, *, cursor: str) -> PaymentsPage:
    """Two reads, and one for the cursor."""
    rows = payment_search.page(wanted, limit=LINES + 1, before=_before(cursor))
    is_more = len(rows) > LINES
    shown = rows[:LINES]
    older = href(wanted, cursor=shown[-1].payment.id) if is_more else ""
    return PaymentsPage(
        wanted=wanted,
        lines=tuple(_line(row) for row in shown),
        totals=tuple(_total(one) for one in payment_search.totals(wanted)),
        troubles=_troubles(wanted),
        providers=(("", "Any provider"), *PROVIDER_WORDS.items()),
        states=(("", "Any state"), *((state, words[0].capitalize()) for state, words in STATE_WORDS.items())),
        kinds=(("", "Any kind"), *((kind, words.capitalize()) for kind, words in KIND_WORDS.items())),
        older_href=older,
        newest_href=href(wanted) if cursor else "",
        csv_href=href(wanted, path=CSV_PATH),
        is_filtered=wanted != PaymentFilter(),
    )


def _before(cursor: str) -> tuple[datetime, str] | None:
    last = payment_queries.by_id(cursor)
    return (last.created_at, last.id) if last else None


def href(wanted: PaymentFilter, *, path: str = PATH, cursor: str = "", trouble: str | None = None) -> str:
    """The address of a filter."""
    chosen = {
        "q": wanted.text,
        "provider": wanted.provider,
        "state": wanted.state,
        "kind": wanted.kind,
        "trouble": wanted.trouble if trouble is None else trouble,
        "cursor": cursor,
    }
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{path}?{query}" if query else path


def _troubles(wanted: PaymentFilter) -> tuple[Choice, ...]:
    choices = (("", "All"), *TROUBLE_WORDS.items())
    return tuple(Choice(label, href(wanted, trouble=one), wanted.trouble == one) for one, label in choices)


def _line(row: PaymentRow) -> PaymentLine:
    payment = row.payment
    state, tone = STATE_WORDS[PaymentState(payment.state)]
    back = payment.refunded_minor + payment.disputed_minor
    return PaymentLine(
        href=f"{PATH}/{payment.id}",
        at=payment.created_at,
        who=row.email or row.workspace,
        workspace=row.workspace if row.email else "",
        what=payment.title or "Credits",
        kind=KIND_WORDS[PaymentKind(payment.kind)],
        provider=PROVIDER_WORDS[payment.provider],
        amount=price_text(shown_minor(payment), payment.currency),
        back=price_text(-back, payment.currency) if back else "",
        credits=credit_amount(payment.credits_micros) if payment.credits_micros else "",
        state=state,
        tone=tone,
        icon=STATE_ICONS[tone],
    )


def state_word(payment: Payment) -> str:
    """A payment's state as it is told."""
    return STATE_WORDS[PaymentState(payment.state)][0]


def shown_minor(payment: Payment) -> int:
    """What was charged where it is known, else what was asked for."""
    return payment.amount_minor if payment.charged_minor is None else payment.charged_minor


def _total(one: CurrencyTotal) -> Total:
    return Total(
        currency=one.currency.upper(),
        count=plural(one.count, "payment"),
        paid=price_text(one.paid_minor, one.currency),
        back=price_text(one.back_minor, one.currency) if one.back_minor else "",
    )


def csv_rows(wanted: PaymentFilter) -> Iterator[list[str | Decimal]]:
    """The same filter, page after page, newest first; amounts in the currency's own decimals."""
    yield list(_CSV_HEAD)
    before: tuple[datetime, str] | None = None
    for _ in range(MOST_CSV_LINES // CSV_LINES):
        rows = payment_search.page(wanted, limit=CSV_LINES, before=before)
        yield from (_csv_row(row) for row in rows)
        if len(rows) < CSV_LINES:
            return
        before = (rows[-1].payment.created_at, rows[-1].payment.id)


def _csv_row(row: PaymentRow) -> list[str | Decimal]:
    payment = row.payment
    minor = (payment.amount_minor, payment.charged_minor, payment.refunded_minor, payment.disputed_minor)
    amounts: list[str | Decimal] = ["" if one is None else _major(one, payment.currency) for one in minor]
    named = (payment.provider, payment.kind, payment.state, row.email, row.workspace, payment.title)
    times = [iso(one) if one else "" for one in (payment.paid_at, payment.credited_at)]
    about = [payment.object_id or "", payment.payment_intent_id or ""]
    head: list[str | Decimal] = [iso(payment.created_at), payment.id, *named, payment.currency.upper()]
    return [*head, *amounts, credits_from_micros(payment.credits_micros), *times, *about]


def _major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-currency_decimals(currency))
