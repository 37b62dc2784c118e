"""The one query layer of usage: page, JSON and CSV ask here, so their totals agree. Sums come from roll-ups.

Units: credits are micro-credits, cost nano-USD. Access has been decided by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, func, or_, select

from tokenboard.accounts.models import Person
from tokenboard.core.clock import days_between, midnight
from tokenboard.core.db import db
from tokenboard.metering.usage_columns import COUNTS
from tokenboard.metering.usage_models import NIL, UsageDay, UsageRecord, UsageWorkspaceDay
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
from tokenboard.workspaces.models import Workspace

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
    row = UsageWorkspaceDay if by == By.DAY and filters == _NO_FILTERS else UsageDay
    asked = _grouped(row, by).where(row.workspace_id == workspace_id, row.day_on.between(span.first, span.last))
    asked = asked.where(*_filtered(filters))
    items = [_item(by, tuple(found)) for found in db.session.execute(asked.limit(MOST_ITEMS))]
    if by == By.DAY:
        items = _every_day(span, items)
    else:
        items.sort(key=lambda item: (-item.sums.credits_micros, -item.sums.requests, item.name))
    return Summary(items, added([item.sums for item in items]))


def _grouped(row: Any, by: By) -> Select[Any]:
    key: Any = {By.MODEL: "model", By.KEY: "key_id", By.USER: "person_id", By.SOURCE: "source", By.DAY: "day_on"}[by]
    column = getattr(row, key)
    name = func.min(func.coalesce(func.nullif(Person.display_name, ""), Person.email)) if by == By.USER else column
    asked = select(column, name, *_summed(row)).group_by(column)
    return asked.outerjoin(Person, Person.id == UsageDay.person_id) if by == By.USER else asked


def _summed(row: Any) -> list[ColumnElement[int]]:
    # PostgreSQL's sum of BIGINT is NUMERIC.
    return [cast(func.sum(getattr(row, name)), BigInteger) for name in COUNTS]


def _filtered(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = {"person_id": filters.person_id, "source": filters.source, "key_id": filters.key_id}
    wanted["model"] = filters.model
    return [getattr(UsageDay, name) == value for name, value in wanted.items() if value is not None]


def _item(by: By, found: tuple[Any, ...]) -> Item:
    key, name, *counts = found
    text = None if key == NIL else str(key)
    fallback = {By.USER: "Nobody in particular", By.KEY: "Without a key"}.get(by, "")
    return Item(text, str(name) if text and name else fallback or str(key), sums_of(counts))


def _every_day(span: Span, items: list[Item]) -> list[Item]:
    known = {item.key: item for item in items}
    return [known.get(str(day)) or Item(str(day), str(day), NOTHING) for day in days_between(span.first, span.last)]


def by_workspace(span: Span) -> list[Item]:
    """For administrators: what every workspace has used, the most credits first; demo workspaces are left out."""
    row = UsageWorkspaceDay
    asked = (
        select(row.workspace_id, func.min(Workspace.name), *_summed(row))
        .join(Workspace, Workspace.id == row.workspace_id)
        .where(row.day_on.between(span.first, span.last), Workspace.is_demo.is_(False))
        .group_by(row.workspace_id)
    )
    found = [Item(key, name, sums_of(counts)) for key, name, *counts in db.session.execute(asked)]
    return sorted(found, key=lambda item: -item.sums.credits_micros)


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
    if span is not None:
        until = midnight(span.last) + timedelta(days=1)
        chosen += [record.occurred_at >= midnight(span.first), record.occurred_at < until]
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
