"""Building roll-ups again from the records, workspace by workspace, and what windows of caps hold from the open calls.

Law: while a workspace is repaired nobody adds to a roll-up (a table lock on PostgreSQL, the one writer on SQLite), so
that no record is counted twice or left out. Nothing here commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Select, case, cast, delete, func, insert, literal, select, text, union

from tokenboard.core.db import db, is_postgresql
from tokenboard.metering.histogram_rules import BOUNDS_MS, COLUMNS
from tokenboard.metering.models import CapWindow, MeteredCall
from tokenboard.metering.usage_columns import COUNTS, DAY_KEY, WORKSPACE_KEY
from tokenboard.metering.usage_models import ERRORS, NIL, SUMS, UsageDay, UsageRecord, UsageWorkspaceDay

_LOCK = "LOCK TABLE usage_day, usage_workspace_day IN SHARE ROW EXCLUSIVE MODE"


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of a roll-up that is not the sum of its records."""

    table: str
    workspace_id: str
    day_on: date
    stored_requests: int
    stored_micros: int
    true_requests: int
    true_micros: int


def workspaces_with_usage() -> list[str]:
    """Every workspace that has records or sums."""
    known = union(
        select(UsageRecord.workspace_id).distinct(),
        select(UsageWorkspaceDay.workspace_id).distinct(),
        select(UsageDay.workspace_id).distinct(),
    )
    return sorted(db.session.scalars(known))


def differences(workspace_id: str) -> list[Difference]:
    """Where a workspace's roll-ups and records disagree. Reads only."""
    return [*_compared(UsageDay, DAY_KEY, workspace_id), *_compared(UsageWorkspaceDay, WORKSPACE_KEY, workspace_id)]


def repair(workspace_id: str) -> list[Difference]:
    """Put a workspace's roll-ups right; what was wrong. Idempotent."""
    if is_postgresql():
        db.session.execute(text(_LOCK))
    found = differences(workspace_id)
    if found:
        build_again(workspace_id)
    return found


def build_again(workspace_id: str) -> None:
    """Write a workspace's roll-ups anew from its records, whatever they say now."""
    for row, key in ((UsageDay, DAY_KEY), (UsageWorkspaceDay, WORKSPACE_KEY)):
        _build_again(row, key, workspace_id)


def wrong_windows() -> list[CapWindow]:
    """Windows of caps that do not hold what their open calls hold. Reads only."""
    held = _held_by_window()
    return [one for one in db.session.scalars(select(CapWindow)) if one.held_micros != held.get(_window(one), 0)]


def repair_window(window: CapWindow) -> None:
    """Let a window hold what its open calls hold. It is locked first: the calls are counted as they then are."""
    db.session.refresh(window, with_for_update=True)
    window.held_micros = _held_by_window().get(_window(window), 0)
    db.session.flush()


def _window(one: CapWindow) -> tuple[str, str, str]:
    return (one.kind, one.subject_id, one.month)


def _held_by_window() -> dict[tuple[str, str | None, str], int]:
    call = MeteredCall
    kinds = (("person", call.person_id, call.cap_month), ("member", call.membership_id, call.cap_month))
    found: dict[tuple[str, str | None, str], int] = {}
    for kind, subject, window in (*kinds, ("key", call.key_id, call.key_window)):
        held = cast(func.sum(call.held_micros), BigInteger)
        asked = select(subject, window, held).where(call.state == "open", subject.is_not(None))
        rows = db.session.execute(asked.group_by(subject, window))
        found |= {(kind, subject_id, name): micros for subject_id, name, micros in rows}
    return found


def _build_again(row: Any, key: tuple[str, ...], workspace_id: str) -> None:
    gone = delete(row).where(row.workspace_id == workspace_id)
    db.session.execute(gone, execution_options={"synchronize_session": False})
    db.session.execute(insert(row.__table__).from_select([*key, *COUNTS], _true_sums(key, workspace_id)))


def _compared(row: Any, key: tuple[str, ...], workspace_id: str) -> list[Difference]:
    stored = _by_key(select(*(getattr(row, name) for name in (*key, *COUNTS))).where(row.workspace_id == workspace_id))
    true = _by_key(_true_sums(key, workspace_id))
    wrong = [one for one in sorted({*stored, *true}) if stored.get(one, _NONE) != true.get(one, _NONE)]
    return [_difference(row, one, stored.get(one, _NONE), true.get(one, _NONE)) for one in wrong]


_NONE = (0,) * len(COUNTS)
_MICROS = SUMS.index("credits_micros")


def _by_key(asked: Select[Any]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    cut = -len(COUNTS)
    return {tuple(found[:cut]): tuple(found[cut:]) for found in map(tuple, db.session.execute(asked))}


def _difference(row: Any, key: tuple[Any, ...], stored: tuple[int, ...], true: tuple[int, ...]) -> Difference:
    counts = (stored[0], stored[_MICROS], true[0], true[_MICROS])
    return Difference(row.__tablename__, key[0], key[1], *counts)


def _true_sums(key: tuple[str, ...], workspace_id: str) -> Select[Any]:
    """The sums as the records say them, in the order of `COUNTS`."""
    columns = [_key_column(name) for name in key]
    plain = [cast(func.sum(getattr(UsageRecord, name)), BigInteger) for name in SUMS[2:]]
    failed = func.sum(case((UsageRecord.status.in_(ERRORS), 1), else_=0))
    histograms = [
        _counted(column, number)
        for column in (UsageRecord.latency_ms, UsageRecord.first_token_ms)
        for number in range(COLUMNS)
    ]
    asked = select(*columns, func.count(), failed, *plain, *histograms)
    return asked.where(UsageRecord.workspace_id == workspace_id).group_by(*columns)


def _key_column(name: str) -> Any:
    column = getattr(UsageRecord, name)
    return func.coalesce(column, literal(NIL, column.type)) if name in {"person_id", "key_id"} else column


def _counted(column: Any, number: int) -> Any:
    """How many latencies lie within one column's bounds."""
    above = column > BOUNDS_MS[number - 1] if number else column.is_not(None)
    within = above & (column <= BOUNDS_MS[number]) if number < len(BOUNDS_MS) else above
    return func.sum(case((within, 1), else_=0))
