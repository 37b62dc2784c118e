"""What a sync run reads, in which order, and where it may be committed.

`steps` is a generator: it reads a piece from the provider with no transaction open, writes it, and yields; the task
commits at every yield. So a kill between any two statements loses at most the piece under way, and a run taken up again
goes on from `reached_on`. The money comes first, then usage, then names (of projects once more after the first days, so
that a page that fills shows names). A usage report that this key may not read does not fail the bill: the run ends as
done and says so. Names never do, unless the key is revoked: ids are shown, and the next run asks again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import Select, select, update

from tokenboard.audit.alerts import resolve_alert
from tokenboard.core import jobs
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs import sync_personal, sync_rules, sync_runs, sync_write
from tokenboard.costs.models import Connection, CostRow, ProviderName, UsageRow
from tokenboard.costs.sync_errors import ForeignCurrency, UnusableBill
from tokenboard.costs.sync_rules import PROVIDER_NAMES, Reason, State
from tokenboard.costs.sync_runs import Lease
from tokenboard.providers.costs import CostDay, CostProvider, KeyName, ProjectName, UsageDay
from tokenboard.providers.errors import KeyLacksScope, KeyRefused, NotAvailable, ProviderError, RequestRefused

log = logging.getLogger(__name__)

SYNC_FAILED = "costs.sync_failed"  # alert kinds; the subject is the connection
KEY_REJECTED = "costs.key_rejected"
CHECK_BUDGETS = "costs.check_budgets"  # budget_tasks.py, by name: a service stands below tasks
_PROJECTS_MAX = 5_000
_PROJECTS_WITH_KEYS_MAX = 200  # one call each
_KEYS_PER_PROJECT_MAX = 1_000

Day = TypeVar("Day", CostDay, UsageDay)
# A part of the reading that this key may not have, or this address does not offer: the bill stands without it.
_SPARABLE = (KeyLacksScope, NotAvailable, RequestRefused)


@dataclass(slots=True)
class Notes:
    """What a run that went well has to say all the same."""

    unread_usage: list[str] = field(default_factory=list)
    rows_without_amount: int = 0

    @property
    def sentence(self) -> str:
        said = []
        if self.unread_usage:
            named = ", ".join(kind.replace("_", " ") for kind in self.unread_usage)
            said.append(f"Costs are complete, but this key could not read the usage of: {named}.")
        if self.rows_without_amount:
            named = "1 row" if self.rows_without_amount == 1 else f"{self.rows_without_amount} rows"
            said.append(f"Left out for want of an amount: {named}.")
        return " ".join(said)


def steps(lease: Lease, reader: CostProvider) -> Iterator[None]:
    """Read and write one run; the caller commits at every yield.

    Raises: ProviderError, UnusableBill, LostLease; what was yielded before stays.
    """
    notes = Notes()
    if lease.mode == "personal":
        assert isinstance(reader, sync_personal.BalanceReader), "only such a provider can be connected in this mode"
        yield from sync_personal.read_and_write(lease, reader)
        jobs.ring(CHECK_BUDGETS, lease.workspace_id)
    else:
        costs = _costs(lease, reader, notes)
        yield from islice(costs, 1)
        if lease.reason is Reason.BACKFILL:
            yield from _names(lease, reader, [])
        yield from costs
        for kind in reader.usage_kinds:
            yield from _usage(lease, reader, kind, notes)
        wanted = _projects_with_keys(lease)
        yield
        yield from _names(lease, reader, wanted)
    finish(lease, notes.sentence)
    yield


def _costs(lease: Lease, reader: CostProvider, notes: Notes) -> Iterator[None]:
    end = lease.period.last + timedelta(days=1)
    newest: date | None = None
    for days in _batches(_in_dollars(lease, _begun(lease, reader.costs(lease.reached_on, end)))):
        dates = [day.day for day in days]
        is_in_order = sync_rules.is_in_order(dates, newest)
        newest = max([*dates, newest or dates[0]])
        reached = _reached(lease, newest) if is_in_order else None
        sync_write.write_costs(lease, days, reached_on=reached)
        notes.rows_without_amount += sum(day.rows_without_amount for day in days)
        yield
    sync_runs.hold(lease, reached_on=end)
    _touch(lease, last_synced_at=now())
    jobs.ring(CHECK_BUDGETS, lease.workspace_id)  # the money is in, whatever becomes of usage and names
    yield


def _reached(lease: Lease, newest: date) -> date:
    """The first day still to be read; never past the end, never back."""
    return max(lease.reached_on, min(newest, lease.period.last) + timedelta(days=1))


def _begun(lease: Lease, days: Iterator[Day]) -> Iterator[Day]:
    """Days past those asked for are left out: none can be billed before it begins. Earlier ones may come: providers
    snap a range to their own borders.
    """
    return (day for day in days if day.day <= lease.period.last)


def _in_dollars(lease: Lease, days: Iterator[CostDay]) -> Iterator[CostDay]:
    for day in days:
        if foreign := day.currencies - {sync_rules.CURRENCY}:
            raise ForeignCurrency(PROVIDER_NAMES[lease.provider], day.day, foreign)
        yield day


def _batches(days: Iterator[Day]) -> Iterator[list[Day]]:
    """Days in pieces of one short transaction each. A provider's failure comes after the days that were whole."""
    batch: list[Day] = []
    failure: ProviderError | UnusableBill | None = None
    while True:
        _assert_nothing_open()
        try:
            day = next(days, None)
        except (ProviderError, UnusableBill) as error:
            day, failure = None, error
        if day is not None:
            batch.append(day)
        if batch and (day is None or _is_full(batch)):
            yield batch
            batch = []
        if day is None:
            break
    if failure is not None:
        raise failure


def _is_full(batch: Sequence[Day]) -> bool:
    return len(batch) >= sync_rules.BATCH_DAYS or sum(len(day.rows) for day in batch) >= sync_rules.BATCH_ROWS


def _assert_nothing_open() -> None:
    # Held while a provider thinks it would keep SQLite's only writer, or a PostgreSQL connection, for minutes.
    assert not db.session().in_transaction(), "no transaction may be open while a provider is read"


def _usage(lease: Lease, reader: CostProvider, kind: str, notes: Notes) -> Iterator[None]:
    try:
        told = reader.usage(kind, lease.period.first, lease.period.last + timedelta(days=1))
        for days in _batches(_begun(lease, told)):
            sync_write.write_usage(lease, kind, days)
            yield
    except _SPARABLE as error:
        log.warning("usage_unread", extra={"connection": lease.connection_id, "kind": kind, "why": str(error)})
        notes.unread_usage.append(kind)


def _names(lease: Lease, reader: CostProvider, projects_with_keys: Iterable[str]) -> Iterator[None]:
    _assert_nothing_open()
    projects: list[ProjectName] = []
    keys: list[KeyName] = []
    try:
        projects = _as_far_as_allowed(lease, reader.projects(), _PROJECTS_MAX)
        for project_id in projects_with_keys:
            keys += _as_far_as_allowed(lease, reader.api_keys(project_id), _KEYS_PER_PROJECT_MAX)
    except KeyRefused:
        raise
    except ProviderError as error:  # the provider is in trouble: no further name is worth waiting for
        _note_unread(lease, error)
    sync_write.write_names(lease, projects, keys)
    yield


def _note_unread(lease: Lease, error: ProviderError) -> None:
    log.info("names_unread", extra={"connection": lease.connection_id, "why": str(error)})


Name = TypeVar("Name", ProjectName, KeyName)


def _as_far_as_allowed(lease: Lease, names: Iterable[Name], limit: int) -> list[Name]:
    """Names are a courtesy: without them ids are shown."""
    found: list[Name] = []
    try:
        for name in islice(names, limit):
            found.append(name)  # noqa: PERF402 - what came before a refusal is kept
    except _SPARABLE as error:
        _note_unread(lease, error)
    return found


def _projects_with_keys(lease: Lease) -> list[str]:
    """Projects whose keys appear in what was just read; hourly only those with a key that has no name yet."""
    found: set[str] = set()
    for row in (CostRow, UsageRow):
        seen = select(row.project_id).where(
            row.connection_id == lease.connection_id,
            row.on.between(lease.period.first, lease.period.last),
            row.api_key_id != "",
            row.project_id != "",
        )
        if lease.reason in (Reason.HOURLY, Reason.CRON):
            seen = seen.where(row.api_key_id.not_in(_named_keys(lease.connection_id)))
        found.update(db.session.scalars(seen.distinct()))
    return sorted(found)[:_PROJECTS_WITH_KEYS_MAX]


def _named_keys(connection_id: str) -> Select[str]:
    return select(ProviderName.external_id).where(
        ProviderName.connection_id == connection_id, ProviderName.kind == "api_key"
    )


def finish(lease: Lease, note: str) -> None:
    """End a run that went well. Raises: LostLease."""
    sync_runs.end(lease, State.DONE, code="partly_read" if note else "", message=note)
    fresh: dict[str, object] = {"last_synced_at": now(), "last_error": "", "last_error_code": ""}
    if lease.reason in sync_rules.FULL_READINGS:
        fresh["last_full_sync_at"] = now()
    _touch(lease, **fresh)
    resolve_alert(SYNC_FAILED, subject=lease.connection_id)
    resolve_alert(KEY_REJECTED, subject=lease.connection_id)


def _touch(lease: Lease, **values: object) -> None:
    """Update the connection, unless its key was replaced or removed meanwhile."""
    ours = update(Connection).where(
        Connection.id == lease.connection_id,
        Connection.status == "active",
        Connection.key_fingerprint == lease.key_fingerprint,
    )
    db.session.execute(ours.values(**values), execution_options={"synchronize_session": False})
