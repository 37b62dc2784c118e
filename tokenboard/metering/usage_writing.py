"""Few records at once, on either database: insert each, then add up what was new and upsert the sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tokenboard.core.db import db, is_postgresql
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.histogram_rules import COLUMNS, column_of
from tokenboard.metering.usage_columns import (
    COUNTS,
    DAY_KEY,
    RECORD,
    WORKSPACE_KEY,
    day_key,
    key_values,
    postgresql_values,
    sqlite_values,
)
from tokenboard.metering.usage_models import ERRORS, SUMS

_LATENCY_FROM = len(SUMS)
_FIRST_TOKEN_FROM = _LATENCY_FROM + COLUMNS


def upsert_sums(table: str, key: Sequence[str]) -> str:
    """`INSERT INTO table (…) … ON CONFLICT`: the part after the values or the query."""
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in COUNTS)
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}"


def _upsert(table: str, key: Sequence[str], mark: str) -> str:
    columns = (*key, *COUNTS)
    values = ", ".join([mark] * len(columns))
    # Nothing but names of our own columns in here and below.
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) {upsert_sums(table, key)}"  # noqa: S608


def _insert(mark: str) -> str:
    values = ", ".join([mark] * len(RECORD))
    columns = ", ".join(RECORD)
    into = f"INSERT INTO usage_record ({columns}) VALUES ({values})"  # noqa: S608
    return f"{into} ON CONFLICT (dedupe_key) DO NOTHING"


_MARKS = {True: "%s", False: "?"}
_INSERT = _insert("?")
# The row count of an INSERT is not told by every driver of PostgreSQL; what it returns is.
_INSERT_RETURNING = _insert("%s") + " RETURNING id"
_DAY = {is_pg: _upsert("usage_day", DAY_KEY, mark) for is_pg, mark in _MARKS.items()}
_WORKSPACE_DAY = {is_pg: _upsert("usage_workspace_day", WORKSPACE_KEY, mark) for is_pg, mark in _MARKS.items()}


def insert_records(records: Iterable[UsageFact]) -> list[UsageFact]:
    """Insert what is not there yet; which records that were."""
    connection = db.session.connection()
    if is_postgresql():
        sent = ((one, connection.exec_driver_sql(_INSERT_RETURNING, postgresql_values(one))) for one in records)
        return [one for one, answer in sent if answer.first() is not None]
    driver: Any = connection.connection.driver_connection
    return [one for one in records if driver.execute(_INSERT, sqlite_values(one)).rowcount == 1]


def add_to_rollups(records: Sequence[UsageFact]) -> None:
    """Count these records, which must be new, in both roll-ups."""
    if not records:
        return
    is_pg = is_postgresql()
    days: dict[tuple[Any, ...], list[int]] = {}
    workspaces: dict[tuple[Any, ...], list[int]] = {}
    for record in records:
        key = day_key(record)
        _count(days.setdefault(key, [0] * len(COUNTS)), record)
        _count(workspaces.setdefault(key[:2], [0] * len(COUNTS)), record)
    _write(_DAY[is_pg], days, is_pg)
    _write(_WORKSPACE_DAY[is_pg], workspaces, is_pg)


def _write(statement: str, sums: dict[tuple[Any, ...], list[int]], is_pg: bool) -> None:
    rows = [(*key_values(key, is_postgresql=is_pg), *counts) for key, counts in sorted(sums.items())]
    db.session.connection().exec_driver_sql(statement, rows if len(rows) > 1 else rows[0])


def _count(counts: list[int], record: UsageFact) -> None:
    for number, added in enumerate(_sums_of(record)):
        counts[number] += added
    if record.latency_ms is not None:
        counts[_LATENCY_FROM + column_of(record.latency_ms)] += 1
    if record.first_token_ms is not None:
        counts[_FIRST_TOKEN_FROM + column_of(record.first_token_ms)] += 1


def _sums_of(record: UsageFact) -> tuple[int, ...]:
    """In the order of `SUMS`."""
    return (
        1,
        int(record.status in ERRORS),
        record.prompt_tokens,
        record.cached_tokens,
        record.completion_tokens,
        record.reasoning_tokens,
        record.credits_micros,
        record.cost_nano_usd,
    )
