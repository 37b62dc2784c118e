"""What the sandbox's OpenAI charges for what was used, and how the bill settles. Pure; exact decimals.

Prices are invented but of the usual size. A closed day's bill grows for 48 hours (real ones are revised too; no
official figure exists), and a revision ordered through the control API multiplies what it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tokenboard.core import clock
from tokenboard.core.money import json_number
from tokenboard.sandbox.openai_world import Cell
from tokenboard.sandbox.store import Revision
from tokenboard.sandbox.workload import spread

_MILLION = Decimal(1_000_000)
# USD per million tokens: input, cached input, output.
_TOKEN_PRICES = {
    "gpt-5.2-2026-01-15": (Decimal("1.75"), Decimal("0.175"), Decimal("14")),
    "gpt-5.2-mini-2026-01-15": (Decimal("0.25"), Decimal("0.025"), Decimal("2")),
    "gpt-5.6-luna": (Decimal("5"), Decimal("0.5"), Decimal("30")),
    "gpt-4o-2024-08-06": (Decimal("2.5"), Decimal("1.25"), Decimal("10")),
    "gpt-4.1-mini-2025-04-14": (Decimal("0.4"), Decimal("0.1"), Decimal("1.6")),
    "text-embedding-3-large": (Decimal("0.13"), Decimal("0.13"), Decimal(0)),
}
_OTHER_PRICES = (Decimal("0.3"), Decimal("0.03"), Decimal("2.4"))
# Line item, USD for one unit, unit as the bill names it.
_QUANTITY_PRICES = {
    "images": ("{model}, output", Decimal("0.034"), "images"),
    "audio_speeches": ("{model}, characters", Decimal("0.000015"), "characters"),
    "audio_transcriptions": ("{model}, duration", Decimal("0.0001"), "duration_seconds"),
    "vector_stores": ("vector store storage", Decimal("0.0000000001"), None),
    "code_interpreter_sessions": ("code interpreter sessions", Decimal("0.03"), None),
    "file_search_calls": ("file search tool calls", Decimal("0.0025"), None),
    "web_search_calls": ("web search tool calls", Decimal("0.01"), None),
}
_SETTLED_AFTER_HOURS = 48
_FIRST_SHARE = Decimal("0.96")
DRIFT = Decimal("0.001")  # by so much a drifting day grows with every read


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill before grouping."""

    project_id: str
    api_key_id: str
    line_item: str
    quantity: int
    quantity_unit: str | None
    amount: Decimal  # USD


def bill(cells: Iterable[Cell], day: date, now: datetime, revisions: Iterable[Revision]) -> list[Line]:
    """A day's lines as they stand at this moment."""
    applying = [revision for revision in revisions if revision.day == day]
    share = settled_share(day, now)
    return [_settled(line, day, share, applying) for cell in cells for line in _lines(cell)]


def settled_share(day: date, now: datetime) -> Decimal:
    """How much of a day's bill has arrived: 96 % when it closes, all of it 48 hours later, in hourly steps."""
    closed_hours = int((now - clock.midnight(day)).total_seconds() // 3600) - 24
    settled = max(0, min(closed_hours, _SETTLED_AFTER_HOURS))
    return _FIRST_SHARE + (1 - _FIRST_SHARE) * settled / _SETTLED_AFTER_HOURS


def _settled(line: Line, day: date, share: Decimal, revisions: list[Revision]) -> Line:
    settles_late = spread(f"{line.project_id}|{line.line_item}|late", 3) > 0
    # Live amounts are products of long factors; a tail of digits keeps everyone honest about rounding.
    tail = 1 + Decimal(spread(f"{line.project_id}|{line.line_item}|{line.api_key_id}|{day}", 10**6)) / 10**13
    amount = line.amount * (share if settles_late else 1) * tail
    for revision in revisions:
        if revision.project_id in (None, line.project_id) and revision.line_item in (None, line.line_item):
            amount *= revision.factor
    return Line(line.project_id, line.api_key_id, line.line_item, line.quantity, line.quantity_unit, amount)


def _lines(cell: Cell) -> Iterator[Line]:
    if cell.endpoint in _QUANTITY_PRICES:
        item, price, unit = _QUANTITY_PRICES[cell.endpoint]
        yield _line(cell, item.format(model=cell.model), cell.quantity, unit, cell.quantity * price)
    elif cell.endpoint != "moderations":  # free of charge
        yield from _token_lines(cell)


def _token_lines(cell: Cell) -> Iterator[Line]:
    input_price, cached_price, output_price = _TOKEN_PRICES.get(cell.model or "", _OTHER_PRICES)
    for what, tokens, price in (
        ("input", cell.input_tokens - cell.cached_tokens, input_price),
        ("cached input", cell.cached_tokens, cached_price),
        ("output", cell.output_tokens, output_price),
    ):
        if tokens:
            yield _line(cell, f"{cell.model}, {what}", tokens, "tokens", tokens * price / _MILLION)


def _line(cell: Cell, item: str, quantity: int, unit: str | None, amount: Decimal) -> Line:
    return Line(cell.project_id, cell.api_key_id, item, quantity, unit, amount)


def results(lines: Iterable[Line], group_by: tuple[str, ...], *, as_text: bool) -> list[dict[str, Any]]:
    """One result for each combination of the asked keys; quantities only where one line item stands alone."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(getattr(line, name) for name in group_by), []).append(line)
    return [_result(dict(zip(group_by, key, strict=True)), group, as_text=as_text) for key, group in groups.items()]


def _result(keys: dict[str, str], lines: list[Line], *, as_text: bool) -> dict[str, Any]:
    amount = sum((line.amount for line in lines), Decimal(0))
    quantity = sum(line.quantity for line in lines) if "line_item" in keys else None
    return {
        "object": "organization.costs.result",
        "amount": {"value": f"{amount.normalize()}" if as_text else json_number(amount), "currency": "usd"},
        "line_item": keys.get("line_item"),
        "project_id": keys.get("project_id"),
        "api_key_id": keys.get("api_key_id"),
        "quantity": str(quantity) if as_text and quantity is not None else quantity,
        "quantity_unit": lines[0].quantity_unit if "line_item" in keys else None,
        "organization_id": "org-sandbox",  # undocumented, but in every live answer
    }
