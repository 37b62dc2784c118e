"""Usage as tables for spreadsheets: what the page shows, in full precision, from the same queries.

Units: credits and US dollars as decimals with every digit; times in milliseconds; UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from flask import Response

from tokenboard.core.clock import iso
from tokenboard.core.money import credits_from_micros, usd_from_nano
from tokenboard.metering import usage_queries
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_queries import Summary
from tokenboard.metering.usage_rules import By, Filters, Span, Sums
from tokenboard.portal.usage_names import Names
from tokenboard.portal.usage_page import BY_LABELS, name_of
from tokenboard.web.spreadsheets import csv_answer

Row = list[str | Decimal]
_SUMS = ["Requests", "Errors", "Prompt tokens", "Cached tokens", "Completion tokens", "Reasoning tokens"]
_TIMES = ["Latency p50 ms", "Latency p95 ms", "First token p50 ms", "First token p95 ms"]
_LOG = [
    *("Time (UTC)", "Source", "Model", "Key", "Person", "Status", "Error", "Prompt tokens", "Cached tokens"),
    *("Completion tokens", "Reasoning tokens", "Credits", "USD at list price", "First token ms", "Latency ms"),
    *("Counted here", "In the background", "Request id", "Ledger entry", "Id"),
]


def summary_file(found: Summary, by: By, span: Span, names: Names) -> Response:
    """A breakdown; its last row is the total."""
    return csv_answer(f"tokenboard-usage-{span.first}-{span.last}-{by.value}.csv", _summary_rows(found, by, names))


def _summary_rows(found: Summary, by: By, names: Names) -> Iterator[Row]:
    yield [BY_LABELS[by], "Id", *_SUMS, "Credits", "USD at list price", *_TIMES]
    for item in found.items:
        yield [name_of(item, by, names), item.key or "", *_sums(item.sums)]
    yield ["Total", "", *_sums(found.total)]


def _sums(sums: Sums) -> Row:
    counts = (
        *(sums.requests, sums.errors, sums.prompt_tokens, sums.cached_tokens),
        *(sums.completion_tokens, sums.reasoning_tokens),
    )
    money = [credits_from_micros(sums.credits_micros), usd_from_nano(sums.cost_nano_usd)]
    times = (sums.latency_ms(50), sums.latency_ms(95), sums.first_token_ms(50), sums.first_token_ms(95))
    return [*map(Decimal, counts), *money, *map(_or_empty, times)]


def log_file(workspace_id: str, span: Span, filters: Filters, names: Names) -> Response:
    """Single requests, newest first, at most 100,000."""
    rows = (_log_row(record, names) for record in usage_queries.exported(workspace_id, span, filters))
    return csv_answer(
        f"tokenboard-requests-{span.first}-{span.last}.csv", (row for part in ([_LOG], rows) for row in part)
    )


def _log_row(record: UsageRecord, names: Names) -> Row:
    counts = (record.prompt_tokens, record.cached_tokens, record.completion_tokens, record.reasoning_tokens)
    who = (names.key(record.key_id), names.person(record.person_id))
    return [
        *(iso(record.occurred_at), record.source, record.model, *who, record.status, record.error_code),
        *map(Decimal, counts),
        *(credits_from_micros(record.credits_micros), usd_from_nano(record.cost_nano_usd)),
        *(_or_empty(record.first_token_ms), _or_empty(record.latency_ms)),
        *("yes" if record.is_estimated else "", "yes" if record.is_background else ""),
        *(record.request_id or "", record.transaction_id or "", record.id),
    ]


def _or_empty(value: int | None) -> str | Decimal:
    return "" if value is None else Decimal(value)
