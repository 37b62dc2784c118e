"""Usage records come in once, and the roll-ups are their sums, whichever way and however often they come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.ledger.crowds import at_once
from tokenboard.core.db import db, new_id
from tokenboard.metering import usage_bulk, usage_writing
from tokenboard.metering.errors import TooManyRecords
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.histogram_rules import BOUNDS_MS
from tokenboard.metering.usage_models import UsageDay, UsageRecord, UsageWorkspaceDay
from tokenboard.metering.usage_service import ingest

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORKSPACES = [new_id() for _ in range(3)]
PEOPLE = [None, new_id(), new_id()]


def facts(count: int, *, seed: int = 1) -> list[UsageFact]:
    """Made-up requests of three workspaces over three days, on and beside the bounds of the histograms."""
    chance = random.Random(seed)
    latencies = [None, 0, *BOUNDS_MS, *(bound + 1 for bound in BOUNDS_MS), 900_000]
    return [
        UsageFact(
            dedupe_key=f"litellm:{seed}-{number}",
            workspace_id=chance.choice(WORKSPACES),
            person_id=chance.choice(PEOPLE),
            source=chance.choice(["key", "gateway"]),
            model=chance.choice(["gpt-4o", "claude"]),
            status=chance.choice(["ok", "failed", "stopped"]),
            occurred_at=NOON - timedelta(hours=chance.randrange(72)),
            prompt_tokens=chance.randrange(1_000),
            cached_tokens=chance.randrange(10),
            completion_tokens=chance.randrange(1_000),
            credits_micros=chance.randrange(10**7),
            cost_nano_usd=chance.randrange(10**8),
            latency_ms=chance.choice(latencies),
            first_token_ms=chance.choice(latencies),
        )
        for number in range(count)
    ]


def rollup(row: Any) -> list[tuple]:
    found = sorted(tuple(map(str, one)) for one in db.session.execute(select(*row.__table__.c)))
    db.session.rollback()
    return found


def totals() -> dict[str, int]:
    """The same sums from the rows and from both roll-ups; they must agree."""
    found = []
    rows: tuple[Any, ...] = (UsageRecord, UsageDay, UsageWorkspaceDay)
    for row in rows:
        requests = func.count() if row is UsageRecord else func.sum(row.requests)
        sums = [func.sum(getattr(row, name)) for name in ("prompt_tokens", "credits_micros", "cost_nano_usd")]
        found.append(tuple(int(one or 0) for one in db.session.execute(select(requests, *sums)).one()))
    db.session.rollback()
    assert len(set(found)) == 1, found
    return dict(zip(("requests", "prompt", "credits", "cost"), found[0], strict=True))


def test_the_same_records_sent_three_times_count_once(shop):
    records = facts(200)
    for _ in range(3):
        ingest(records=records)
        db.session.commit()
    answer = ingest(records=[*records[:50], *facts(20, seed=2)])
    db.session.commit()
    assert (len(answer.fresh), answer.duplicates) == (20, 50)
    assert totals()["requests"] == 220
    assert totals()["credits"] == sum(one.credits_micros for one in [*records, *facts(20, seed=2)])


def test_a_record_that_stands_twice_in_one_batch_counts_once(shop):
    records = facts(60)
    answer = ingest(records=[*records, *records[:7]])
    db.session.commit()
    assert (len(answer.fresh), totals()["requests"]) == (60, 60)


def test_what_rolls_back_counts_nowhere(shop):
    ingest(records=facts(100))
    db.session.rollback()
    assert totals()["requests"] == 0


def test_both_ways_of_writing_make_the_same_rows(postgresql_shop):
    records = facts(500)
    usage_bulk.write(records)
    db.session.commit()
    many = [rollup(row) for row in (UsageDay, UsageWorkspaceDay)]
    for row in (UsageRecord, UsageDay, UsageWorkspaceDay):
        db.session.query(row).delete()
    usage_writing.add_to_rollups(usage_writing.insert_records(records))
    db.session.commit()
    assert [rollup(row) for row in (UsageDay, UsageWorkspaceDay)] == many


def test_batches_that_overlap_count_each_record_once_at_the_same_moment(shop):
    records = facts(300)
    batches: Sequence[list[UsageFact]] = [records[start : start + 150] for start in (0, 50, 100, 150)]
    shuffled = [random.Random(number).sample(batch, len(batch)) for number, batch in enumerate([*batches, *batches])]
    at_once(shop.app, [partial(ingest, records=batch) for batch in shuffled])
    assert totals()["requests"] == 300


def test_a_batch_has_an_end(shop):
    with pytest.raises(TooManyRecords):
        ingest(records=facts(1) * 5_001)
