"""A year of usage to measure on: 200 workspaces with a long tail, 20 keys each, 3 models a key.

The same house as in reference/performance.md, 4: of five million records the largest workspace has about 850,000.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from tokenboard.core.db import db, is_postgresql
from tokenboard.ledger import service as ledger
from tokenboard.metering import rollup_service
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.usage_service import ingest
from tokenboard.workspaces.models import Workspace

LAST = date(2026, 11, 20)
DAYS, WORKSPACES, KEYS, MODELS = 365, 200, 20, ("gpt-4o", "gpt-4o-mini", "claude-haiku-4-5")
BATCH = 1_000
_AT_ONCE = 250_000
_NAMES = uuid.UUID("7d6a1a6e-0f0c-4c1e-9d0b-62656e636855")
_PRIME = 1_000_003  # spreads numbers over places without chance, the same every time


@dataclass(frozen=True, slots=True)
class Place:
    """Where one number's record belongs."""

    workspace: int
    key: int
    model: int
    day: int

    @classmethod
    def of(cls, number: int) -> Place:
        """The share of workspace n falls with the square root of its cube: a long tail."""
        spread = number * 7_919 % _PRIME
        workspace = spread * spread // _PRIME * spread // _PRIME * WORKSPACES // _PRIME
        return cls(workspace, number // 7 % KEYS, number // 3 % len(MODELS), number * 31 % DAYS)


def key_id(workspace: int, key: int) -> str:
    return str(uuid.uuid5(_NAMES, f"{workspace}-{key}"))


def make_workspaces() -> list[str]:
    """Empty workspaces; the first will have used the most."""
    rows = []
    for number in range(WORKSPACES):
        account = ledger.open_account(credit_value_nano_usd=10_000_000)
        rows.append(Workspace(name=f"Workspace {number}", ledger_account_id=account))
    db.session.add_all(rows)
    db.session.commit()
    return [row.id for row in rows]


def facts(workspaces: list[str], numbers: range) -> Iterator[UsageFact]:
    """One record a number, each number the same record every time."""
    for number in numbers:
        place = Place.of(number)
        at = datetime(LAST.year, LAST.month, LAST.day, tzinfo=UTC) - timedelta(days=place.day)
        yield UsageFact(
            dedupe_key=f"litellm:bench-{number}",
            workspace_id=workspaces[place.workspace],
            source="key",
            model=MODELS[place.model],
            status="failed" if number % 50 == 0 else "ok",
            occurred_at=at + timedelta(seconds=number % 86_400),
            key_id=key_id(place.workspace, place.key),
            prompt_tokens=number % 4_000,
            completion_tokens=number % 900,
            credits_micros=number % 90_000,
            cost_nano_usd=number % 900_000,
            latency_ms=number % 20_000,
            first_token_ms=number % 2_000,
        )


def write_by_ingest(workspaces: list[str], count: int) -> None:
    """Through the product's own door."""
    for start in range(0, count, BATCH):
        ingest(records=list(facts(workspaces, range(start, min(start + BATCH, count)))))
        db.session.commit()


def write_in_the_database(workspaces: list[str], count: int, *, start: int = 0) -> None:
    """Millions at once, on PostgreSQL: the same records, made by one statement; then their sums."""
    assert is_postgresql()
    keys = [[key_id(workspace, key) for key in range(KEYS)] for workspace in range(WORKSPACES)]
    names = {"workspaces": json.dumps(workspaces), "keys": json.dumps(keys), "models": json.dumps(MODELS)}
    db.session.execute(text("SET statement_timeout = 0"))
    for statement in _BARE:  # four indexes kept up row by row would take most of the time
        db.session.execute(text(statement))
    for first in range(start, start + count, _AT_ONCE):
        bounds = {"start": first, "stop": min(first + _AT_ONCE, start + count) - 1, "last": LAST}
        db.session.execute(text(_MANY), names | bounds)
        db.session.commit()
    for statement in _INDEXED:
        db.session.execute(text(statement))
    db.session.commit()
    for workspace_id in workspaces:
        rollup_service.build_again(workspace_id)
        db.session.commit()
    db.session.execute(text("ANALYZE usage_record, usage_day, usage_workspace_day"))
    db.session.commit()


_BARE = (
    "ALTER TABLE usage_record DROP CONSTRAINT pk_usage_record",
    "DROP INDEX uq_usage_record_dedupe_key",
    "DROP INDEX ix_usage_record_workspace_id_occurred_at",
    "DROP INDEX ix_usage_record_key",
)
_INDEXED = (
    "ALTER TABLE usage_record ADD CONSTRAINT pk_usage_record PRIMARY KEY (id)",
    "CREATE UNIQUE INDEX uq_usage_record_dedupe_key ON usage_record (dedupe_key)",
    "CREATE INDEX ix_usage_record_workspace_id_occurred_at ON usage_record (workspace_id, occurred_at, id)",
    "CREATE INDEX ix_usage_record_key ON usage_record (workspace_id, key_id, occurred_at, id) WHERE key_id IS NOT NULL",
)
_MANY = f"""
WITH numbers AS (
    SELECT number, (number * 7919 % {_PRIME}) AS spread, number / 7 % {KEYS} AS key,
           number / 3 % {len(MODELS)} AS model,
           number * 31 % {DAYS} AS day
      FROM generate_series(CAST(:start AS bigint), CAST(:stop AS bigint)) AS number
), places AS (
    SELECT *, CAST(spread * spread / {_PRIME} * spread / {_PRIME} * {WORKSPACES} / {_PRIME} AS int) AS workspace
      FROM numbers
)
INSERT INTO usage_record (id, dedupe_key, workspace_id, source, model, status, occurred_at, day_on, key_id,
                          prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, credits_micros,
                          cost_nano_usd, absorbed_micros, markup, latency_ms, first_token_ms, error_code,
                          is_estimated, is_background)
SELECT gen_random_uuid(), 'litellm:bench-' || number, CAST(CAST(:workspaces AS jsonb) ->> workspace AS uuid), 'key',
       CAST(:models AS jsonb) ->> CAST(model AS int), CASE WHEN number % 50 = 0 THEN 'failed' ELSE 'ok' END,
       CAST(:last AS date) - CAST(day AS int) + (number % 86400) * interval '1 second',
       CAST(:last AS date) - CAST(day AS int),
       CAST((CAST(:keys AS jsonb) -> workspace) ->> CAST(key AS int) AS uuid),
       number % 4000, 0, number % 900, 0, number % 90000, number % 900000, 0, '', number % 20000, number % 2000, '',
       false, false
  FROM places
"""
