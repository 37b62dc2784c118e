"""Anthropic's admin answers, read. Pure: a page of JSON in, frozen rows out.

Sources: platform.claude.com's field lists; mozilla/bigquery-etl claude_costs_v1. Amounts are decimal strings in
cents. Input is reported without what came from or went into the cache, so the total is the sum of four counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tokenboard.core.money import AmountError, nano_from_cents
from tokenboard.providers import reading
from tokenboard.providers.costs import (
    CostDay,
    CostRow,
    KeyName,
    ProjectName,
    UsageDay,
    UsageRow,
)
from tokenboard.providers.reading import Unreadable

_CACHE_WRITES = ("ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens")


def _buckets(page: dict[str, object]) -> Iterator[tuple[date, list[object]]]:
    for entry in reading.list_of(page.get("data"), "data"):
        bucket = reading.object_of(entry, "bucket")
        day = reading.day_of_text(bucket.get("starting_at"), "starting_at")
        yield day, reading.list_of(bucket.get("results"), f"results of {day}")


def cost_days(page: dict[str, object]) -> Iterator[CostDay]:
    """The days of a cost report page. Raises: Unreadable, naming the day."""
    for day, results in _buckets(page):
        try:
            rows = [_cost_row(reading.object_of(row, "row")) for row in results]
        except Unreadable as error:
            raise Unreadable(f"costs of {day}: {error}") from error
        kept = tuple(row for row in rows if row is not None)
        yield CostDay(day, kept, len(rows) - len(kept))


def _cost_row(row: dict[str, object]) -> CostRow | None:
    amount = row.get("amount")
    if amount is None or amount == "":
        return None
    line_item = reading.text_of(row.get("description"), "description")
    return CostRow(
        project_id=reading.text_of(row.get("workspace_id"), "workspace_id"),
        line_item=line_item or reading.text_of(row.get("cost_type"), "cost_type"),
        api_key_id=None,  # the report knows no keys (claude-quickstarts#431 asks for them)
        amount_nano=_nano(amount),
        currency=reading.currency_of(row.get("currency")),
        model=reading.text_of(row.get("model"), "model"),
    )


def _nano(amount: object) -> int:
    try:
        return nano_from_cents(amount)
    except AmountError as error:
        raise Unreadable(f"amount: {error}") from error


def usage_days(page: dict[str, object]) -> Iterator[UsageDay]:
    """The days of a message usage page. Raises: Unreadable, naming the day."""
    for day, results in _buckets(page):
        try:
            rows = tuple(_usage_row(reading.object_of(row, "row")) for row in results)
        except Unreadable as error:
            raise Unreadable(f"message usage of {day}: {error}") from error
        yield UsageDay(day, rows)


def _usage_row(row: dict[str, object]) -> UsageRow:
    cached = reading.count_of(row.get("cache_read_input_tokens"), "cache_read_input_tokens")
    uncached = reading.count_of(row.get("uncached_input_tokens"), "uncached_input_tokens")
    return UsageRow(
        kind="messages",
        project_id=reading.text_of(row.get("workspace_id"), "workspace_id"),
        model=reading.text_of(row.get("model"), "model"),
        api_key_id=reading.text_of(row.get("api_key_id"), "api_key_id"),
        requests=0,  # the report counts tokens, not requests
        input_tokens=uncached + cached + _cache_writes(row),
        cached_tokens=cached,
        output_tokens=reading.count_of(row.get("output_tokens"), "output_tokens"),
        quantity=_web_searches(row),
        unit="web searches",
    )


def _cache_writes(row: dict[str, object]) -> int:
    writes = row.get("cache_creation")
    if writes is None:
        return 0
    counts = reading.object_of(writes, "cache_creation")
    return sum(reading.count_of(counts.get(name), name) for name in _CACHE_WRITES)


def _web_searches(row: dict[str, object]) -> int:
    tools = row.get("server_tool_use")
    if tools is None:
        return 0
    return reading.count_of(
        reading.object_of(tools, "server_tool_use").get("web_search_requests"),
        "web_search_requests",
    )


def workspace_names(page: dict[str, object]) -> Iterator[ProjectName]:
    for entry in reading.list_of(page.get("data"), "data"):
        row = reading.object_of(entry, "workspace")
        name = reading.text_of(row.get("name"), "name")
        yield ProjectName(reading.id_of(row.get("id"), "id"), name, row.get("archived_at") is not None)


def key_names(page: dict[str, object]) -> Iterator[KeyName]:
    for entry in reading.list_of(page.get("data"), "data"):
        row = reading.object_of(entry, "key")
        yield KeyName(
            reading.id_of(row.get("id"), "id"),
            reading.text_of(row.get("name"), "name"),
            reading.text_of(row.get("workspace_id"), "workspace_id"),
            reading.text_of(row.get("partial_key_hint"), "partial_key_hint"),
        )
