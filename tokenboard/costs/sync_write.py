"""Writing what a provider told: whole days, replaced with their totals, their sum and their revision at once.

Laws: every function asks for the lease first, in the same transaction; a day not given is not touched; a day given
without rows is a day of zero; totals are computed from the rows just written, so they cannot disagree. Nothing commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, cast, delete, func, literal, select

from tokenboard.core.clock import now
from tokenboard.core.db import Base, db, new_id
from tokenboard.core.money import BIGINT_MAX
from tokenboard.core.upsert import insert
from tokenboard.costs import sync_runs
from tokenboard.costs.models import (
    CostDay,
    CostRevision,
    CostRow,
    CostTotal,
    ProviderName,
    SeenModel,
    UsageRow,
    UsageTotal,
)
from tokenboard.costs.sync_bulk import insert_rows
from tokenboard.costs.sync_errors import BillTooLarge
from tokenboard.costs.sync_rules import PROVIDER_NAMES
from tokenboard.costs.sync_runs import Lease
from tokenboard.providers import costs as told

# As wide as the columns: ids and texts past them are cut, never refused.
_ID, _LINE_ITEM, _NAME = 120, 200, 200
_COST_COLUMNS = ("connection_id", "on_day", "line", "project_id", "line_item", "api_key_id", "amount_nano")
_USAGE_COLUMNS = (
    *("connection_id", "on_day", "kind", "line", "project_id", "model", "api_key_id"),
    *("requests", "input_tokens", "cached_tokens", "output_tokens", "quantity"),
)
_COST_DIMENSIONS = (
    ("project", CostRow.project_id),
    ("line_item", CostRow.line_item),
    ("api_key", CostRow.api_key_id),
)
_USAGE_DIMENSIONS = (("project", UsageRow.project_id), ("model", UsageRow.model), ("api_key", UsageRow.api_key_id))
_COUNTS = ("requests", "input_tokens", "cached_tokens", "output_tokens")


def write_costs(lease: Lease, days: Sequence[told.CostDay], *, reached_on: date | None) -> int:
    """Replace these days' bill; answers how many known days changed.

    Raises: LostLease, BillTooLarge.
    """
    sums = {day.day: _sum_of(lease, day) for day in days}
    known = _known_days(lease.connection_id, sums)
    changed = {day: known[day] for day, nano in sums.items() if day in known and known[day] != nano}
    sync_runs.hold(lease, reached_on=reached_on, revised_days=len(changed))
    _replace_cost_rows(lease.connection_id, days)
    _note_models(lease.connection_id, {_text(row.model, _ID) for day in days for row in day.rows})
    _write_cost_days(lease.connection_id, sums)
    _write_revisions(lease.connection_id, sums, changed)
    return len(changed)


def _sum_of(lease: Lease, day: told.CostDay) -> int:
    nano = sum(row.amount_nano for row in day.rows)
    if sum(abs(row.amount_nano) for row in day.rows) > BIGINT_MAX:
        raise BillTooLarge(PROVIDER_NAMES[lease.provider], day.day)
    return nano


def _known_days(connection_id: str, days: Iterable[date]) -> dict[date, int]:
    wanted = select(CostDay.on, CostDay.amount_nano).where(CostDay.connection_id == connection_id)
    return dict(db.session.execute(wanted.where(CostDay.on.in_(list(days)))).all())


def _forget(row: Any, connection_id: str, days: Sequence[date]) -> None:
    db.session.execute(
        delete(row).where(row.connection_id == connection_id, row.on.in_(days)),
        execution_options={"synchronize_session": False},
    )


def _replace_cost_rows(connection_id: str, days: Sequence[told.CostDay]) -> None:
    dates = [day.day for day in days]
    _forget(CostRow, connection_id, dates)
    _forget(CostTotal, connection_id, dates)
    insert_rows(CostRow, _COST_COLUMNS, [_cost_values(connection_id, day, n) for day in days for n in _lines(day)])
    for dimension, key in _COST_DIMENSIONS:
        _total_costs(connection_id, dates, dimension, key)


def _lines(day: told.CostDay | told.UsageDay) -> range:
    return range(len(day.rows))


def _cost_values(connection_id: str, day: told.CostDay, line: int) -> tuple[Any, ...]:
    row = day.rows[line]
    texts = (_text(row.project_id, _ID), _text(_line_item(row), _LINE_ITEM), _text(row.api_key_id, _ID))
    return (connection_id, day.day, line, *texts, row.amount_nano)


def _line_item(row: told.CostRow) -> str | None:
    """The bill's own text; a model named beside it (Anthropic) comes first, as OpenAI writes it."""
    if row.model is None or (row.line_item or "").startswith(row.model):
        return row.line_item
    return f"{row.model}, {row.line_item}" if row.line_item else row.model


def _text(value: str | None, longest: int) -> str:
    return (value or "")[:longest]


def _total_costs(connection_id: str, days: Sequence[date], dimension: str, key: Any) -> None:
    sums = (
        select(CostRow.connection_id, literal(dimension), CostRow.on, key, _summed(CostRow.amount_nano))
        .where(CostRow.connection_id == connection_id, CostRow.on.in_(days))
        .group_by(CostRow.connection_id, CostRow.on, key)
    )
    _insert_from(CostTotal, ["connection_id", "dimension", "on_day", "key", "amount_nano"], sums)


def _summed(column: Any) -> Any:
    # PostgreSQL's sum of BIGINT is NUMERIC.
    return cast(func.sum(column), BigInteger)


def _insert_from(row: type[Base], columns: list[str], query: Any) -> None:
    db.session.execute(row.__table__.insert().from_select(columns, query))  # type: ignore[attr-defined]


def _write_cost_days(connection_id: str, sums: dict[date, int]) -> None:
    instant = now()
    rows = [
        {"connection_id": connection_id, "on": on, "amount_nano": nano, "first_seen_at": instant, "seen_at": instant}
        for on, nano in sums.items()
    ]
    statement = insert(CostDay).values(rows)
    fresh = {"amount_nano": statement.excluded.amount_nano, "seen_at": statement.excluded.seen_at}
    db.session.execute(statement.on_conflict_do_update(index_elements=["connection_id", "on_day"], set_=fresh))


def _write_revisions(connection_id: str, sums: dict[date, int], changed: dict[date, int]) -> None:
    instant = now()
    db.session.add_all(
        CostRevision(id=new_id(), connection_id=connection_id, on=on, old_nano=old, new_nano=sums[on], seen_at=instant)
        for on, old in changed.items()
    )
    db.session.flush()


def write_usage(lease: Lease, kind: str, days: Sequence[told.UsageDay]) -> None:
    """Replace one kind's usage of these days, and the totals of all kinds. Raises: LostLease."""
    dates = [day.day for day in days]
    sync_runs.hold(lease)
    gone = db.session.execute(
        delete(UsageRow).where(
            UsageRow.connection_id == lease.connection_id, UsageRow.kind == kind, UsageRow.on.in_(dates)
        ),
        execution_options={"synchronize_session": False},
    )
    values = [_usage_values(lease.connection_id, kind, day, n) for day in days for n in _lines(day)]
    if not values and not gone.rowcount:  # type: ignore[attr-defined]
        return  # most kinds are never used: nothing changed, so no total did
    insert_rows(UsageRow, _USAGE_COLUMNS, values)
    _total_usage(lease.connection_id, dates)
    _note_models(lease.connection_id, {_text(row.model, _ID) for day in days for row in day.rows})


def _usage_values(connection_id: str, kind: str, day: told.UsageDay, line: int) -> tuple[Any, ...]:
    row = day.rows[line]
    texts = (_text(row.project_id, _ID), _text(row.model, _ID), _text(row.api_key_id, _ID))
    counts = (row.requests, row.input_tokens, row.cached_tokens, row.output_tokens, row.quantity)
    return (connection_id, day.day, kind, line, *texts, *counts)


def _total_usage(connection_id: str, days: Sequence[date]) -> None:
    _forget(UsageTotal, connection_id, days)
    counts = [_summed(getattr(UsageRow, name)) for name in _COUNTS]
    for dimension, key in _USAGE_DIMENSIONS:
        sums = (
            select(UsageRow.connection_id, literal(dimension), UsageRow.on, key, *counts)
            .where(UsageRow.connection_id == connection_id, UsageRow.on.in_(days))
            .group_by(UsageRow.connection_id, UsageRow.on, key)
        )
        _insert_from(UsageTotal, ["connection_id", "dimension", "on_day", "key", *_COUNTS], sums)


def _note_models(connection_id: str, models: set[str]) -> None:
    rows = [{"connection_id": connection_id, "model": model} for model in sorted(filter(None, models))]
    if rows:
        db.session.execute(insert(SeenModel).values(rows).on_conflict_do_nothing())


def write_names(lease: Lease, projects: Sequence[told.ProjectName], keys: Sequence[told.KeyName]) -> None:
    """Keep what the provider calls its projects and keys. Raises: LostLease."""
    sync_runs.hold(lease)
    named = {("project", _text(one.id, _ID)): (one.name, one.is_archived) for one in projects}
    named |= {("api_key", _text(one.id, _ID)): (one.name or one.redacted_value, False) for one in keys}
    rows = [
        {
            "connection_id": lease.connection_id,
            "kind": kind,
            "external_id": external_id,
            "name": _text(name, _NAME),
            "is_archived": is_archived,
        }
        for (kind, external_id), (name, is_archived) in named.items()
        if name
    ]
    for start in range(0, len(rows), _NAMES_AT_ONCE):
        statement = insert(ProviderName).values(rows[start : start + _NAMES_AT_ONCE])
        fresh = {"name": statement.excluded.name, "is_archived": statement.excluded.is_archived}
        keyed = ["connection_id", "kind", "external_id"]
        db.session.execute(statement.on_conflict_do_update(index_elements=keyed, set_=fresh))


_NAMES_AT_ONCE = 500  # five values each, well under SQLite's 32,766 and PostgreSQL's 65,535 parameters
