"""What was used, however it is asked: the sums by model, key, person, source and day, the log, and the file agree."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from tests.costs.counting import Counted
from tests.metering.calling import Told, begin, record, settle
from tests.metering.test_ingesting import NOON, PEOPLE, WORKSPACES, facts
from tests.people import People
from tokenboard.core.db import db, is_postgresql
from tokenboard.core.errors import ValidationFailed
from tokenboard.metering import rollup_service, usage_queries
from tokenboard.metering.histogram_rules import BOUNDS_MS, percentile
from tokenboard.metering.usage_models import UsageDay, UsageRecord, UsageWorkspaceDay
from tokenboard.metering.usage_rules import By, Filters, Span
from tokenboard.metering.usage_service import ingest

SPAN = Span(date(2026, 11, 15), date(2026, 11, 20))
ONE = WORKSPACES[0]


@pytest.fixture
def used(shop: People) -> list:
    """500 made-up records of three workspaces, kept; the first workspace's own."""
    records = facts(500)
    ingest(records=records)
    db.session.commit()
    return [one for one in records if one.workspace_id == ONE]


@pytest.mark.parametrize("by", list(By))
def test_every_breakdown_sums_to_the_records(used, by: By):
    found = usage_queries.summary(ONE, SPAN, by)
    assert found.total.requests == len(used)
    assert found.total.credits_micros == sum(one.credits_micros for one in used)
    assert found.total.cost_nano_usd == sum(one.cost_nano_usd for one in used)
    assert found.total.prompt_tokens == sum(one.prompt_tokens for one in used)
    assert found.total.errors == sum(one.status == "failed" for one in used)
    assert sum(found.total.latencies) == sum(one.latency_ms is not None for one in used)


def test_filters_hold_in_sums_and_log_alike(used):
    filters = Filters(model="claude", source="key")
    chosen = [one for one in used if (one.model, one.source) == ("claude", "key")]
    for by in By:
        assert usage_queries.summary(ONE, SPAN, by, filters).total.credits_micros == sum(
            one.credits_micros for one in chosen
        )
    assert len(list(usage_queries.exported(ONE, SPAN, filters))) == len(chosen)


def test_days_without_use_are_nothing_and_stand_in_their_order(used):
    items = usage_queries.summary(ONE, SPAN, By.DAY).items
    assert [item.key for item in items] == [f"2026-11-{day}" for day in range(15, 21)]
    assert items[0].sums.requests == 0


def test_what_belongs_to_nobody_has_no_key(used):
    items = usage_queries.summary(ONE, SPAN, By.USER).items
    assert {item.key for item in items} == set(PEOPLE)
    assert [item.name for item in items if item.key is None] == ["Nobody in particular"]


def test_people_are_named(shop: People):
    call = begin(shop)
    record(call, "Yes.")
    settle(call, usage=Told(9, 4))
    today = usage_queries.summary(shop.team_id, Span(call.started_at.date(), call.started_at.date()), By.USER)
    assert [(item.name, item.sums.credits_micros) for item in today.items] == [("Bob", 6_250)]


def test_the_log_is_read_to_its_end_page_by_page_without_a_gap_or_a_repetition(used):
    seen, cursor = [], None
    while True:
        page = usage_queries.logs(ONE, SPAN, limit=7, cursor=cursor)
        seen += page.records
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({one.id for one in seen}) == len(seen) == len(used)
    assert seen == sorted(seen, key=lambda one: (one.occurred_at, one.id), reverse=True)


@pytest.mark.parametrize(
    "cursor", ["x", "1", "1.x", "99999999999999999.00000000-0000-0000-0000-000000000000", "-1.", "²."]
)
def test_a_cursor_that_is_none_is_refused_or_finds_nothing(used, cursor: str):
    try:
        page = usage_queries.logs(ONE, SPAN, cursor=cursor)
    except ValidationFailed:
        return
    assert len(page.records) <= 50


def test_each_question_is_one_query(used, count_queries):
    for by in By:
        with count_queries() as counted:
            usage_queries.summary(ONE, SPAN, by)
        assert counted.number == 1, by
    with count_queries() as counted:
        usage_queries.logs(ONE, SPAN)
        usage_queries.by_workspace(SPAN)
    assert counted.number == 2


def own(counted: Counted) -> int:
    """How many statements were metering's and the ledger's; rooms that hear of a changed balance send their own."""
    tables = ("metered_call", "cap_window", "model_price", "ledger_", "usage_", "FROM person")
    mine = (one for one in counted.statements if "workspace.ledger_account_id" not in one or "ledger_hold" in one)
    return sum(any(table in statement for table in tables) for statement in mine)


def test_a_call_from_begin_to_settlement_sends_a_known_number_of_statements(shop: People, count_queries):
    begin(shop)
    with count_queries() as counted:
        call = begin(shop)
    # What is there, the minute's limit, the hold, the call; on SQLite each of them in its parts.
    assert own(counted) == (4 if is_postgresql() else 12)
    record(call, "Yes.")
    with count_queries() as counted:
        settle(call, usage=Told(9, 4))
    # Row, capture, all the rest; on SQLite two windows, six for the capture, two roll-ups, and the record is unseen.
    assert own(counted) == (3 if is_postgresql() else 12)


def test_administrators_see_every_workspace_but_the_demo(shop: People):
    for _ in range(2):
        call = begin(shop)
        record(call, "Yes.")
        settle(call, usage=Told(9, 4))
    day = call.started_at.date()
    assert [(one.name, one.sums.requests) for one in usage_queries.by_workspace(Span(day, day))] == [("Acme", 2)]


def test_a_span_has_an_end():
    with pytest.raises(ValidationFailed):
        Span(date(2026, 11, 20), date(2026, 11, 19))
    with pytest.raises(ValidationFailed):
        Span(date(2020, 1, 1), date(2026, 1, 1))


# Percentiles


def test_a_percentile_lies_within_the_column_that_holds_it(used):
    latencies = sorted(one.latency_ms for one in used if one.latency_ms is not None)
    total = usage_queries.summary(ONE, SPAN, By.MODEL).total
    bounds = (0, *BOUNDS_MS, 600_000)
    for percent in (50, 95):
        true = min(latencies[-(-len(latencies) * percent // 100) - 1], 600_000)
        column = next(number for number, bound in enumerate(bounds[1:]) if true <= bound)
        assert bounds[column] <= total.latency_ms(percent) <= bounds[column + 1]


def test_percentiles_of_nothing_and_of_one():
    assert percentile([0] * 16, 50) is None
    assert percentile([1] + [0] * 15, 95) == 100
    assert percentile([0] * 15 + [1], 50) == 600_000


# Building again


def test_roll_ups_that_were_tampered_with_are_found_and_built_again(used):
    assert rollup_service.differences(ONE) == []
    more = text("UPDATE usage_day SET requests = requests + 1")
    db.session.execute(more)
    db.session.query(UsageWorkspaceDay).filter_by(workspace_id=ONE, day_on=NOON.date()).delete()
    db.session.commit()
    wrong = rollup_service.repair(ONE)
    db.session.commit()
    assert {one.table for one in wrong} == {"usage_day", "usage_workspace_day"}
    assert rollup_service.differences(ONE) == []
    assert rollup_service.repair(ONE) == []
    assert sorted(rollup_service.workspaces_with_usage()) == sorted(WORKSPACES)


def test_a_sum_of_no_records_is_taken_away(used):
    db.session.query(UsageRecord).filter_by(workspace_id=ONE).delete()
    db.session.commit()
    rollup_service.repair(ONE)
    db.session.commit()
    assert db.session.query(UsageDay).filter_by(workspace_id=ONE).count() == 0
    assert db.session.query(UsageDay).count() > 0
