"""The columns of usage rows by name, and the values of a record in their order, in each database's own form.

The hot path goes past SQLAlchemy's compiler, as the ledger's does (reference/performance.md, 4: 27 k rows a second
against 5.9 k through the ORM), so ids and instants are put into each database's form here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Any

from tokenboard.core.db import new_id
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.histogram_rules import FIRST_TOKEN, LATENCY
from tokenboard.metering.usage_models import NIL, SUMS

_IDS = ("workspace_id", "person_id", "key_id", "call_id", "conversation_id", "message_id", "price_id", "transaction_id")
_PLAIN = (
    *("dedupe_key", "source", "request_id", "model", "prompt_tokens", "cached_tokens", "completion_tokens"),
    *("reasoning_tokens", "credits_micros", "cost_nano_usd", "absorbed_micros", "markup", "latency_ms"),
    *("first_token_ms", "status", "error_code", "is_estimated", "is_background", "balance_after_micros"),
)
RECORD = ("id", "occurred_at", "day_on", *_IDS, *_PLAIN)
DAY_KEY = ("workspace_id", "day_on", "person_id", "source", "key_id", "model")
WORKSPACE_KEY = ("workspace_id", "day_on")
COUNTS = (*SUMS, *LATENCY, *FIRST_TOKEN)

_ids_of = attrgetter(*_IDS)
_plain_of = attrgetter(*_PLAIN)
_SQLITE_INSTANT = "%Y-%m-%d %H:%M:%S.%f"


def day_of(record: UsageFact) -> date:
    """The UTC day that counts it."""
    return record.occurred_at.astimezone(UTC).date()


def postgresql_values(record: UsageFact) -> tuple[Any, ...]:
    """A record as PostgreSQL takes it, in the order of `RECORD`."""
    return (new_id(), record.occurred_at, day_of(record), *_ids_of(record), *_plain_of(record))


def sqlite_values(record: UsageFact) -> tuple[Any, ...]:
    """A record as SQLite keeps it, in the order of `RECORD`."""
    ids = [None if one is None else one.replace("-", "") for one in (new_id(), *_ids_of(record))]
    return (ids[0], sqlite_instant(record.occurred_at), str(day_of(record)), *ids[1:], *_plain_of(record))


def sqlite_instant(instant: datetime) -> str:
    """As SQLAlchemy writes it: text sorts only in one form."""
    return instant.astimezone(UTC).strftime(_SQLITE_INSTANT)


def key_values(key: Sequence[Any], *, is_postgresql: bool) -> tuple[Any, ...]:
    """A roll-up's key: (workspace, day), then (person, source, key, model) in `usage_day`."""
    workspace, day, *rest = key
    if is_postgresql:
        return tuple(key)
    if not rest:
        return (workspace.replace("-", ""), str(day))
    person, source, key_id, model = rest
    return (workspace.replace("-", ""), str(day), person.replace("-", ""), source, key_id.replace("-", ""), model)


def day_key(record: UsageFact) -> tuple[Any, ...]:
    """Which row of `usage_day` counts it."""
    ids = (record.person_id or NIL, record.source, record.key_id or NIL)
    return (record.workspace_id, day_of(record), *ids, record.model)
