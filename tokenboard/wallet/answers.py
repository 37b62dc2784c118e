"""How balances and transactions look on the wire (api.md, Credits and payments)."""

from __future__ import annotations

from typing import Any

from tokenboard.core.money import credits_from_micros, json_number
from tokenboard.ledger.queries import Line, WalletBalance
from tokenboard.ledger.results import Posting


def credits_number(micros: int) -> int | float:
    """A credit amount as a JSON number; the integer beside it is the authority."""
    return json_number(credits_from_micros(micros))


def balance_answer(balance: WalletBalance) -> dict[str, Any]:
    """A wallet: what is settled, what of it is reserved, what can be spent."""
    return {
        "balance": credits_number(balance.posted_micros),
        "balanceMicros": balance.posted_micros,
        "held": credits_number(balance.held_micros),
        "available": credits_number(balance.available_micros),
    }


def posting_answer(posting: Posting) -> dict[str, Any]:
    """What a spend or grant did, also when it is shown again."""
    return {
        "entryId": posting.transaction_id,
        "balance": credits_number(posting.balance.posted_micros),
        "balanceMicros": posting.balance.posted_micros,
    }


def line_answer(line: Line) -> dict[str, Any]:
    """One line of the statement."""
    return {
        "id": line.transaction_id,
        "kind": line.kind,
        "amount": credits_number(line.amount_micros),
        "amountMicros": line.amount_micros,
        "balanceAfter": credits_number(line.posted_after_micros),
        "balanceAfterMicros": line.posted_after_micros,
        "description": line.description,
        "source": line.source,
        "createdAt": line.created_at,
    }
