"""How an answer's cost was computed, in finished texts, from metering's reckoning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.chat.access import OwnMessage
from tokenboard.core.errors import NotFound
from tokenboard.metering import receipt_queries
from tokenboard.metering.receipt_queries import UsageReceipt
from tokenboard.web.filters import MINUS, credits_exact, number, usd_exact

_SOURCES = {
    "litellm": "LiteLLM's price list",
    "genai-prices": "the public price list",
    "admin": "an administrator's price",
}


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One step of the computation."""

    what: str
    how: str
    amount: str


@dataclass(frozen=True, slots=True)
class AnswerReceipt:
    """An answer's cost, explained."""

    model: str
    at: datetime
    lines: tuple[ReceiptLine, ...]
    charged: str
    notes: tuple[str, ...]
    transaction_id: str | None


def build(own: OwnMessage) -> AnswerReceipt:
    """Raises: NotFound while there is no record: the answer is still being written."""
    try:
        found = receipt_queries.receipt(workspace_id=own.conversation.workspace_id, call_id=own.message.id)
    except NotFound as error:
        raise NotFound("There is no receipt yet: the answer is still being written.") from error
    record = found.record
    return AnswerReceipt(
        model=record.model,
        at=record.occurred_at,
        lines=(*_token_lines(found), *_money_lines(found)),
        charged=f"{credits_exact(record.credits_micros)} credits",
        notes=tuple(_notes(found)),
        transaction_id=record.transaction_id,
    )


def _token_lines(found: UsageReceipt) -> list[ReceiptLine]:
    return [
        ReceiptLine(
            line.words,
            f"{number(line.tokens)} tokens × {usd_exact(line.nano_per_mtok)} per 1 M",
            usd_exact(-int(-line.nano_usd // 1)),
        )
        for line in found.lines
    ]


def _money_lines(found: UsageReceipt) -> list[ReceiptLine]:
    how = "as the provider's proxy reckoned it" if found.is_cost_told else "the sum, rounded up once"
    value = f"× {found.markup.normalize():f} ÷ {usd_exact(found.credit_value_nano)} a credit, rounded up to a millionth"
    lines = [
        ReceiptLine("Provider's price", how, usd_exact(found.record.cost_nano_usd)),
        ReceiptLine("In credits", value, f"{credits_exact(found.full_micros)} credits"),
    ]
    absorbed = found.record.absorbed_micros
    if absorbed:
        why = "nothing was delivered" if found.is_waived else "more was used than was reserved"
        lines.append(ReceiptLine("Taken on by this site", why, f"{MINUS}{credits_exact(absorbed)} credits"))
    return lines


def _notes(found: UsageReceipt) -> list[str]:
    notes = []
    if found.price is not None:
        notes.append(f"Version {found.price.version} of the price, from {_SOURCES[found.price.source]}.")
    if found.record.is_estimated:
        notes.append("The provider told no usage, so the tokens were counted here, from what you received.")
    else:
        notes.append("The tokens are as the provider counted them.")
    return notes
