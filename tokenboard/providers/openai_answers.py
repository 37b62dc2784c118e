"""OpenAI's admin answers, read. Pure: a page of JSON in, frozen rows out.

Sources: openai-openapi@f85dbe2 and live answers (2025 and 2026). What live answers taught: amounts come as numbers or
as strings; a list is called `results`, in older copies `result`; only a result's `object` is sure to be there;
`input_tokens` is the total, so cached and audio tokens are never added to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tokenboard.core.money import AmountError, nano_from_usd
from tokenboard.providers import reading
from tokenboard.providers.costs import (
    CostDay,
    CostRow,
    CreditGrant,
    CreditGrants,
    KeyName,
    ProjectName,
    UsageDay,
    UsageRow,
)
from tokenboard.providers.reading import Unreadable


@dataclass(frozen=True, slots=True)
class UsageKind:
    """How one usage endpoint counts."""

    group_by: tuple[str, ...]
    requests_key: str | None
    quantity_key: str | None = None
    unit: str | None = None


_BY_ALL = ("project_id", "model", "api_key_id")
USAGE_KINDS: dict[str, UsageKind] = {
    "completions": UsageKind(_BY_ALL, "num_model_requests"),
    "embeddings": UsageKind(_BY_ALL, "num_model_requests"),
    "moderations": UsageKind(_BY_ALL, "num_model_requests"),
    "images": UsageKind(_BY_ALL, "num_model_requests", "images", "images"),
    "audio_speeches": UsageKind(_BY_ALL, "num_model_requests", "characters", "characters"),
    "audio_transcriptions": UsageKind(_BY_ALL, "num_model_requests", "seconds", "seconds"),
    "vector_stores": UsageKind(("project_id",), None, "usage_bytes", "bytes"),
    "code_interpreter_sessions": UsageKind(("project_id",), None, "num_sessions", "sessions"),
    "file_search_calls": UsageKind(("project_id", "api_key_id"), "num_requests", "num_requests", "calls"),
    "web_search_calls": UsageKind(_BY_ALL, "num_model_requests", "num_requests", "calls"),
}


def _buckets(page: dict[str, object]) -> Iterator[tuple[date, list[object]]]:
    for entry in reading.list_of(page.get("data"), "data"):
        bucket = reading.object_of(entry, "bucket")
        day = reading.day_of_unix(bucket.get("start_time"), "start_time")
        rows = bucket.get("results", bucket.get("result"))
        yield day, reading.list_of(rows, f"results of {day}")


def cost_days(page: dict[str, object]) -> Iterator[CostDay]:
    """The days of a costs page. Raises: Unreadable, naming the day."""
    for day, results in _buckets(page):
        try:
            rows = [_cost_row(reading.object_of(row, "row")) for row in results]
        except Unreadable as error:
            raise Unreadable(f"costs of {day}: {error}") from error
        kept = tuple(row for row in rows if row is not None)
        yield CostDay(day, kept, len(rows) - len(kept))


def _cost_row(row: dict[str, object]) -> CostRow | None:
    amount = row.get("amount")
    if amount is None:
        return None
    money = reading.object_of(amount, "amount")
    value = money.get("value")
    if value is None or value == "":
        return None
    return CostRow(
        reading.text_of(row.get("project_id"), "project_id"),
        reading.text_of(row.get("line_item"), "line_item"),
        reading.text_of(row.get("api_key_id"), "api_key_id"),
        nano(value, "amount"),
        reading.currency_of(money.get("currency")),
        reading.quantity_of(row.get("quantity"), "quantity"),
        reading.text_of(row.get("quantity_unit"), "quantity_unit"),
    )


def nano(value: object, name: str) -> int:
    """An amount in major units as nano-units, half-even."""
    try:
        return nano_from_usd(value)
    except AmountError as error:
        raise Unreadable(f"{name}: {error}") from error


def usage_days(kind: str, page: dict[str, object]) -> Iterator[UsageDay]:
    """The days of a usage page. Raises: Unreadable, naming the day."""
    shape = USAGE_KINDS[kind]
    for day, results in _buckets(page):
        try:
            rows = tuple(_usage_row(kind, shape, reading.object_of(row, "row")) for row in results)
        except Unreadable as error:
            raise Unreadable(f"{kind} usage of {day}: {error}") from error
        yield UsageDay(day, rows)


def _usage_row(kind: str, shape: UsageKind, row: dict[str, object]) -> UsageRow:
    return UsageRow(
        kind=kind,
        project_id=reading.text_of(row.get("project_id"), "project_id"),
        model=reading.text_of(row.get("model"), "model"),
        api_key_id=reading.text_of(row.get("api_key_id"), "api_key_id"),
        requests=reading.count_of(row.get(shape.requests_key), shape.requests_key) if shape.requests_key else 0,
        input_tokens=reading.count_of(row.get("input_tokens"), "input_tokens"),
        cached_tokens=reading.count_of(row.get("input_cached_tokens"), "input_cached_tokens"),
        output_tokens=reading.count_of(row.get("output_tokens"), "output_tokens"),
        quantity=reading.count_of(row.get(shape.quantity_key), shape.quantity_key) if shape.quantity_key else 0,
        unit=shape.unit,
    )


def project_names(page: dict[str, object]) -> Iterator[ProjectName]:
    for entry in reading.list_of(page.get("data"), "data"):
        row = reading.object_of(entry, "project")
        is_archived = row.get("archived_at") is not None or row.get("status") == "archived"
        yield ProjectName(
            reading.id_of(row.get("id"), "id"),
            reading.text_of(row.get("name"), "name"),
            is_archived,
        )


def key_names(project_id: str, page: dict[str, object]) -> Iterator[KeyName]:
    for entry in reading.list_of(page.get("data"), "data"):
        row = reading.object_of(entry, "key")
        yield KeyName(
            reading.id_of(row.get("id"), "id"),
            reading.text_of(row.get("name"), "name"),
            project_id,
            reading.text_of(row.get("redacted_value"), "redacted_value"),
        )


def credit_grants(answer: dict[str, object], now: datetime) -> CreditGrants:
    """Prepaid credit, unexpired grants added up: OpenAI's own totals keep counting expired ones (community 1126488).

    Resellers that list no grants give totals only; those are taken as they are.
    """
    grants = tuple(_grant(reading.object_of(row, "grant")) for row in _listed_grants(answer))
    if not grants:
        granted, used = (
            nano(answer.get("total_granted"), "total_granted"),
            nano(answer.get("total_used"), "total_used"),
        )
        return CreditGrants(granted, used, granted - used, used, ())
    live = [grant for grant in grants if grant.expires_at is None or grant.expires_at > now]
    granted, used = (
        sum(grant.amount_nano for grant in live),
        sum(grant.used_nano for grant in live),
    )
    return CreditGrants(granted, used, granted - used, sum(grant.used_nano for grant in grants), grants)


def _listed_grants(answer: dict[str, object]) -> list[object]:
    listed = answer.get("grants")
    return [] if listed is None else reading.list_of(reading.object_of(listed, "grants").get("data"), "grants")


def _grant(row: dict[str, object]) -> CreditGrant:
    return CreditGrant(
        id=reading.id_of(row.get("id"), "id"),
        amount_nano=nano(row.get("grant_amount"), "grant_amount"),
        used_nano=nano(row.get("used_amount"), "used_amount"),
        effective_at=reading.instant_of(row.get("effective_at"), "effective_at"),
        expires_at=reading.instant_of(row.get("expires_at"), "expires_at"),
    )
