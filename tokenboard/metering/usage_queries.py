"""The one query layer of usage: page, JSON and CSV ask here, so their totals agree. Sums come from roll-ups.

Units: credits are micro-credits, cost nano-USD. Access has been decided by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, Select, String, Uuid, and_, bindparam, or_, select, text
from sqlalchemy.sql.selectable import TextualSelect
from sqlalchemy.types import TypeEngine

from tokenboard.core.clock import days_between, midnight
from tokenboard.core.db import db
from tokenboard.metering.usage_columns import COUNTS
from tokenboard.metering.usage_models import NIL, UsageRecord
from tokenboard.metering.usage_rules import (
    NOTHING,
    By,
    Filters,
    Span,
    Sums,
    added,
    cursor_of,
    read_cursor,
    sums_of,
)

LARGEST_PAGE = 200
MOST_ITEMS = 1_000
MOST_EXPORTED = 100_000
_NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a breakdown. `key` is None for what belongs to nobody; names of keys are the keys room's."""

    key: str | None
    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Summary:
    """A breakdown, the most credits first (days in their order), and everything together."""

    items: list[Item]
    total: Sums


@dataclass(frozen=True, slots=True)
class LogPage:
    """So many records, newest first."""

    records: list[UsageRecord]
    next_cursor: str | None


def summary(workspace_id: str, span: Span, by: By, filters: Filters = _NO_FILTERS) -> Summary:
    """What a workspace has used, broken down. One query; days without use are 0."""
    wanted = {name: value for name in _FILTERED if (value := getattr(filters, name)) is not None}
    bounds = {"workspace_id": workspace_id, "first": span.first, "last": span.last}
    items = [_item(by, tuple(found)) for found in db.session.execute(_statement(by, tuple(wanted)), bounds | wanted)]
    if by == By.DAY:
        items = _every_day(span, items)
    else:
        items.sort(key=lambda item: (-item.sums.credits_micros, -item.sums.requests, item.name))
    return Summary(items, added([item.sums for item in items]))


_FILTERED = ("person_id", "source", "key_id", "model")
_KEYS = {By.MODEL: "model", By.KEY: "key_id", By.USER: "person_id", By.SOURCE: "source", By.DAY: "day_on"}
_TYPES: dict[str, TypeEngine[Any]] = {
    "workspace_id": Uuid(as_uuid=False),
    "person_id": Uuid(as_uuid=False),
    "key_id": Uuid(as_uuid=False),
    "day_on": Date(),
    "first": Date(),
    "last": Date(),
}


@cache
def _statement(by: By, wanted: tuple[str, ...]) -> TextualSelect:
    """Text, and built once: forty summed columns as expressions cost several times the query itself."""
    key, names = _KEYS[by], ["workspace_id", "first", "last", *wanted]
    table = "usage_workspace_day" if by == By.DAY and not wanted else "usage_day"
    columns, group = _summed("used"), f"GROUP BY used.{key}"
    if table == "usage_workspace_day":  # a day is one row there
        columns, group = ", ".join(COUNTS), ""
    name, join = f"used.{key}", ""
    if by == By.USER:
        name = "min(coalesce(nullif(person.display_name, ''), person.email))"
        join = "LEFT JOIN person ON person.id = used.person_id"
    chosen = " ".join(f"AND used.{one} = :{one}" for one in wanted)
    # Nothing but names of our own columns; what was asked for travels as parameters.
    asked = f"""
        SELECT used.{key} AS item_key, {name} AS item_name, {columns} FROM {table} AS used {join}
         WHERE used.workspace_id = :workspace_id AND used.day_on BETWEEN :first AND :last {chosen} {group}
         LIMIT {MOST_ITEMS}
    """  # noqa: S608
    typed = [bindparam(one, type_=_TYPES.get(one, String())) for one in names]
    told = {"item_key": _TYPES.get(key, String())} | ({} if by == By.USER else {"item_name": _TYPES.get(key, String())})
    return text(asked).bindparams(*typed).columns(**told)


def _summed(table: str) -> str:
    # PostgreSQL's sum of BIGINT is NUMERIC.
    return ", ".join(f"CAST(sum({table}.{name}) AS BIGINT)" for name in COUNTS)


def _item(by: By, found: tuple[Any, ...]) -> Item:
    key, name, *counts = found
    known = None if key == NIL else str(key)
    fallback = {By.USER: "Nobody in particular", By.KEY: "Without a key"}.get(by, "")
    return Item(known, str(name) if known and name else fallback or str(key), sums_of(counts))


def _every_day(span: Span, items: list[Item]) -> list[Item]:
    known = {item.key: item for item in items}
    return [known.get(str(day)) or Item(str(day), str(day), NOTHING) for day in days_between(span.first, span.last)]


def by_workspace(span: Span) -> list[Item]:
    """For administrators: what every workspace has used, the most credits first; demo workspaces are left out."""
    found = [
        Item(workspace_id, name, sums_of(counts))
        for workspace_id, name, *counts in db.session.execute(
            _ALL, {"first": span.first, "last": span.last, "no": False}
        )
    ]
    return sorted(found, key=lambda item: -item.sums.credits_micros)


_ALL = (
    text(
        f"""
        SELECT used.workspace_id AS workspace_id, min(workspace.name), {_summed("used")}
          FROM usage_workspace_day AS used JOIN workspace ON workspace.id = used.workspace_id
         WHERE used.day_on BETWEEN :first AND :last AND workspace.is_demo = :no
         GROUP BY used.workspace_id
        """  # noqa: S608
    )
    .bindparams(bindparam("first", type_=Date()), bindparam("last", type_=Date()), bindparam("no", type_=Boolean()))
    .columns(workspace_id=Uuid(as_uuid=False))
)


def logs(
    workspace_id: str, span: Span | None, filters: Filters = _NO_FILTERS, *, limit: int = 50, cursor: str | None = None
) -> LogPage:
    """Single requests, newest first, by keyset. One query. Raises: ValidationFailed for a cursor that is none."""
    size = max(1, min(limit, LARGEST_PAGE))
    before = read_cursor(cursor) if cursor else None
    asked = _logged(workspace_id, span, filters, before).limit(size + 1)
    found: list[UsageRecord] = list(db.session.scalars(asked).all())
    last = found[size - 1] if len(found) > size else None
    return LogPage(found[:size], cursor_of(last.occurred_at, last.id) if last else None)


def exported(workspace_id: str, span: Span, filters: Filters = _NO_FILTERS) -> Iterator[UsageRecord]:
    """The same records for a file, page by page, at most 100,000."""
    cursor: str | None = None
    for _ in range(MOST_EXPORTED // LARGEST_PAGE):
        page = logs(workspace_id, span, filters, limit=LARGEST_PAGE, cursor=cursor)
        yield from page.records
        db.session.expunge_all()
        cursor = page.next_cursor
        if cursor is None:
            return


def _logged(
    workspace_id: str, span: Span | None, filters: Filters, before: tuple[datetime, str] | None
) -> Select[UsageRecord]:
    record = UsageRecord
    chosen: list[ColumnElement[bool]] = [record.workspace_id == workspace_id]
    until = None
    if span is not None:
        until = midnight(span.last) + timedelta(days=1)
        chosen.append(record.occurred_at >= midnight(span.first))
    if before is not None and (until is None or before[0] < until):
        # One upper bound, the tightest: the index is entered where the page begins, however far back that is.
        chosen.append(record.occurred_at <= before[0])
    elif until is not None:
        chosen.append(record.occurred_at < until)
    for name in ("person_id", "source", "key_id", "model", "status", "conversation_id"):
        value = getattr(filters, name)
        if value is not None:
            chosen.append(getattr(record, name) == value)
    if before is not None:
        chosen.append(_earlier(*before))
    return select(record).where(*chosen).order_by(record.occurred_at.desc(), record.id.desc())


def _earlier(occurred_at: datetime, record_id: str) -> ColumnElement[bool]:
    same = and_(UsageRecord.occurred_at == occurred_at, UsageRecord.id < record_id)
    return or_(UsageRecord.occurred_at < occurred_at, same)
