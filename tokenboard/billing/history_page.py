"""Payments and receipts as the tabs of /credits list them, and as a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from tokenboard.billing import basket_service, history_queries, waiting_page
from tokenboard.billing.models import Payment
from tokenboard.billing.payment_words import Trail, can_begin_again, is_open, provider_name, trail, why
from tokenboard.billing.price_words import credits_words, price
from tokenboard.billing.rules import CREDITED_STATES, OPEN_STATES, PaymentKind, PaymentState, currency_decimals
from tokenboard.core.clock import iso
from tokenboard.core.money import credits_from_micros
from tokenboard.wallet.credits_page import PATH, Choice

LINES = 25
CSV_PATH = "/credits/payments.csv"
MOST_CSV_ROWS, _CSV_PAGE = 10_000, 500
LEDGER, PAYMENTS, RECEIPTS = "ledger", "payments", "receipts"
_TABS = ((LEDGER, "Ledger"), (PAYMENTS, "Payments"), (RECEIPTS, "Receipts"))
_FILTERS: dict[str, tuple[str, tuple[PaymentState, ...]]] = {
    "": ("All", ()),
    "open": ("Open", OPEN_STATES),
    "credited": ("Credited", (PaymentState.CREDITED,)),
    "unpaid": ("Not paid", (PaymentState.FAILED, PaymentState.EXPIRED)),
    "back": ("Sent back", tuple(one for one in CREDITED_STATES if one != PaymentState.CREDITED)),
}


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment."""

    id: str
    at: datetime
    what: str
    by: str
    amount: str
    sent_back: str
    brings: str
    trail: Trail
    told: str
    href: str
    pay_href: str
    check_href: str
    again_href: str
    again_total: int
    needs_phone: bool
    paid_at: datetime | None
    receipt_href: str
    provider_receipt_href: str


@dataclass(frozen=True, slots=True)
class History:
    """One tab's lines with its controls; the ledger's own lines come from the wallet."""

    tab: str
    tabs: tuple[Choice, ...]
    lines: tuple[PaymentLine, ...]
    filters: tuple[Choice, ...]
    older_href: str
    newest_href: str
    csv_href: str
    is_first_page: bool
    is_filtered: bool


def tab_of(wanted: str) -> str:
    """A tab of the page's address; one that does not exist is the ledger."""
    return wanted if wanted in (PAYMENTS, RECEIPTS) else LEDGER


def filter_of(wanted: str) -> str:
    return wanted if wanted in _FILTERS else ""


def history(workspace_id: str, *, tab: str, state: str, cursor: str, kept: dict[str, str]) -> History:
    """One page of payments or receipts; `kept` is what every link carries on."""
    is_receipts = tab == RECEIPTS
    shown = [] if tab == LEDGER else _read(workspace_id, tab, state, cursor)
    more = shown[LINES:]
    here = kept | {"tab": tab} | ({"state": state} if state and not is_receipts else {})
    return History(
        tab=tab,
        tabs=tuple(Choice(label, _href(kept | _named(one)), one == tab) for one, label in _TABS),
        lines=tuple(payment_line(one) for one in shown[:LINES]),
        filters=() if is_receipts else _filters(state, kept),
        older_href=_href(here | {"cursor": shown[LINES - 1].id}) if more else "",
        newest_href=_href(here),
        csv_href=f"{CSV_PATH}?{urlencode(here)}",
        is_first_page=not cursor,
        is_filtered=bool(state),
    )


def _read(workspace_id: str, tab: str, state: str, cursor: str) -> list[Payment]:
    is_paid = tab == RECEIPTS
    states = () if is_paid else _FILTERS[state][1]
    return history_queries.payments(workspace_id, limit=LINES + 1, states=states, cursor=cursor, is_paid=is_paid)


def _named(tab: str) -> dict[str, str]:
    return {} if tab == LEDGER else {"tab": tab}


def _href(query: dict[str, str]) -> str:
    return f"{PATH}?{urlencode(query)}" if query else PATH


def _filters(state: str, kept: dict[str, str]) -> tuple[Choice, ...]:
    here = kept | {"tab": PAYMENTS}
    return tuple(
        Choice(label, _href(here | ({"state": one} if one else {})), one == state)
        for one, (label, _) in _FILTERS.items()
    )


def payment_line(payment: Payment) -> PaymentLine:
    """A payment in words."""
    page = f"{waiting_page.PATH}/{payment.id}"
    charged = payment.amount_minor if payment.charged_minor is None else payment.charged_minor
    gone = payment.refunded_minor + payment.disputed_minor
    return PaymentLine(
        id=payment.id,
        at=payment.created_at,
        what=payment.title,
        by=provider_name(payment),
        amount=price(charged, payment.currency),
        sent_back=price(gone, payment.currency) if gone else "",
        brings=credits_words(payment.credits_micros) if payment.credits_micros else "",
        trail=trail(payment),
        told=why(payment),
        href=page,
        pay_href=payment.url if payment.state == PaymentState.STARTED else "",
        check_href=f"{page}/check" if is_open(payment) else "",
        again_href=f"{page}/again" if can_begin_again(payment) else "",
        again_total=payment.amount_minor,
        needs_phone=basket_service.is_prompt(payment),
        paid_at=payment.paid_at,
        receipt_href=f"{page}/receipt" if payment.paid_at and payment.kind != PaymentKind.PLAN else "",
        provider_receipt_href=payment.receipt_url,
    )


def csv_rows(workspace_id: str, *, tab: str, state: str) -> Iterator[list[str | Decimal]]:
    """The same query as the page's, page after page, newest first."""
    yield [
        *("Time (UTC)", "What", "Kind", "State", "Amount", "Charged", "Tax", "Refunded", "Currency"),
        *("Credits", "Multiplier", "Rate", "Paid (UTC)", "Credited (UTC)", "Through", "Id"),
    ]
    cursor, is_paid = "", tab == RECEIPTS
    states = () if is_paid else _FILTERS[state][1]
    for _ in range(MOST_CSV_ROWS // _CSV_PAGE):
        found = history_queries.payments(workspace_id, limit=_CSV_PAGE, states=states, cursor=cursor, is_paid=is_paid)
        yield from (_csv_row(one) for one in found)
        if len(found) < _CSV_PAGE:
            return
        cursor = found[-1].id


def _csv_row(one: Payment) -> list[str | Decimal]:
    def amount(minor: int | None) -> str | Decimal:
        return "" if minor is None else Decimal(minor).scaleb(-currency_decimals(one.currency))

    return [
        *(iso(one.created_at), one.title, one.kind, one.state),
        *(amount(one.amount_minor), amount(one.charged_minor), amount(one.tax_minor), amount(one.refunded_minor)),
        *(one.currency.upper(), credits_from_micros(one.credits_micros), one.multiplier, one.exchange_rate),
        *(iso(one.paid_at) if one.paid_at else "", iso(one.credited_at) if one.credited_at else ""),
        *(provider_name(one), one.id),
    ]
