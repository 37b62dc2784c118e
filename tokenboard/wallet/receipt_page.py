"""One transaction in finished texts: what moved, which grants paid, the hold it settled.

Price and tokens stand here too once metered calls leave them behind (`room:id` in the transaction's source).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.ledger.queries import HoldLine, Part, Receipt
from tokenboard.wallet.credits_page import LedgerLine, ledger_line, money, signed
from tokenboard.web.filters import credit_amount, credits_exact

_CATEGORY_WORDS = {"promotional": "Gift", "included": "Included in the plan", "paid": "Paid credits"}
_HOUSE_WORDS = {
    "sales:stripe": "sold through Stripe",
    "sales:paystack": "sold through Paystack",
    "promotions": "given away",
    "adjustments": "put right by an administrator",
    "usage": "used",
    "expired": "expired",
    "clawback": "taken back",
    "shrinkage": "absorbed by the house",
}


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """What one grant paid or got."""

    grant: str
    where: str
    amount: str


@dataclass(frozen=True, slots=True)
class ReceiptHold:
    """The hold that was settled: reserved first, then taken, the rest returned."""

    reserved: str
    captured: str
    returned: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Everything the receipt shows."""

    line: LedgerLine
    exact: str
    money: str
    parts: tuple[ReceiptPart, ...]
    hold: ReceiptHold | None
    reverses_id: str | None


def build(receipt: Receipt) -> ReceiptView:
    """The receipt of one transaction."""
    line = receipt.line
    return ReceiptView(
        line=ledger_line(line),
        exact=f"{credits_exact(line.amount_micros)} credits",
        money=money(abs(line.amount_micros)),
        parts=tuple(_part(part) for part in receipt.parts),
        hold=_hold(receipt.hold) if receipt.hold else None,
        reverses_id=line.reverses_id,
    )


def _part(part: Part) -> ReceiptPart:
    grant = _CATEGORY_WORDS.get(part.category or "", "Debt")
    return ReceiptPart(grant, _HOUSE_WORDS[part.house], signed(part.amount_micros))


def _hold(hold: HoldLine) -> ReceiptHold:
    return ReceiptHold(
        credit_amount(hold.amount_micros),
        credit_amount(hold.captured_micros),
        credit_amount(hold.amount_micros - hold.captured_micros),
        hold.created_at,
    )
