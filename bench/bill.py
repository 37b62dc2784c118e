"""A large bill, written through the product's own import: what the dashboard and sync suites measure on.

Shape: 40 projects × 10 line items × `keys` API keys, every combination every day; 8 models in the line items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

from sqlalchemy import func, select

from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.costs import sync_runs, sync_write
from tokenboard.costs.models import Connection, CostRow, SyncRun
from tokenboard.costs.sync_rules import State
from tokenboard.portal.signup import sign_up
from tokenboard.providers.costs import CostDay, CostRow as ToldRow, UsageDay, UsageRow as ToldUsage

PROJECTS, LINE_ITEMS = 40, 10
MODELS = ("gpt-0", "gpt-1", "gpt-2", "gpt-3", "gpt-4", "o5-mini", "whisper-2", "text-embedding-4")
EMAIL, PASSWORD = "bench@example.com", "a long enough sentence"


@dataclass(frozen=True, slots=True)
class Bill:
    """What was written."""

    person_id: str
    workspace_id: str
    connection_id: str
    first: date
    last: date
    rows: int


def _line_items() -> list[str]:
    spoken = [f"{model}, {way}" for model in MODELS for way in ("input", "output")]
    return [*spoken[: LINE_ITEMS - 1], "web search tool calls"]


def days(first: date, last: date, keys: int) -> Iterator[CostDay]:
    """Every day of the bill, with the same rows and other amounts."""
    names = list(product(range(PROJECTS), _line_items(), range(keys)))
    for number, day in enumerate(clock.days_between(first, last)):
        rows = tuple(
            ToldRow(f"proj_{p}", item, f"key_{p}_{k}", 1_000_003 * (1 + (p * 7 + k + number) % 97), "usd")
            for p, item, k in names
        )
        yield CostDay(day, rows)


def _usage(first: date, last: date) -> list[UsageDay]:
    rows = tuple(
        ToldUsage("completions", f"proj_{p}", model, f"key_{p}_0", requests=9, input_tokens=5_000, output_tokens=900)
        for p in range(PROJECTS)
        for model in MODELS
    )
    return [UsageDay(day, rows) for day in clock.days_between(first, last)]


def write_bill(*, length_days: int, keys: int) -> Bill:
    """Sign somebody up, connect, and import `length_days` up to today. Commits."""
    signed_up = sign_up(email=EMAIL, password=PASSWORD)
    last = clock.today()
    first = last - timedelta(days=length_days - 1)
    lease = _leased(signed_up.workspace.id, first, last)
    # A few days a transaction, as a sync writes them.
    for some in _batches(days(first, last, keys)):
        sync_write.write_costs(lease, some, reached_on=some[-1].day + timedelta(days=1))
        db.session.commit()
    sync_write.write_usage(lease, "completions", _usage(first, last))
    sync_runs.end(lease, State.DONE)  # a running first sync would draw all its days on the page
    db.session.commit()
    rows = db.session.scalar(select(func.count()).select_from(CostRow)) or 0
    return Bill(signed_up.person.id, signed_up.workspace.id, lease.connection_id, first, last, rows)


def _batches(told: Iterator[CostDay]) -> Iterator[list[CostDay]]:
    batch: list[CostDay] = []
    for day in told:
        batch.append(day)
        if len(batch) == 10:
            yield batch
            batch = []
    if batch:
        yield batch


def _leased(workspace_id: str, first: date, last: date) -> sync_runs.Lease:
    connection = Connection(
        workspace_id=workspace_id,
        provider="openai",
        mode="organization",
        sealed_key="",
        key_fingerprint="",
        last4="0000",
    )
    db.session.add(connection)
    db.session.flush()
    run = SyncRun(connection_id=connection.id, reason="backfill", since_on=first, until_on=last, reached_on=first)
    db.session.add(run)
    db.session.commit()
    lease = sync_runs.take(run.id)
    assert lease is not None  # nobody else is in this database
    db.session.commit()
    return lease
