"""What a sync run brings in: whole days, exactly, once."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice

from sqlalchemy import func, select

from tests.contract.shared import needs_shared, text_of
from tests.costs.syncing import COMPANY, Syncing, bucket, cost, page
from tokenboard.core.clock import today
from tokenboard.core.db import db
from tokenboard.costs import sync_import, sync_rules, sync_runs, tasks
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

DAY = timedelta(days=1)
COMPLETIONS = "/openai/v1/organization/usage/completions"
# The live answers of 2025, each row rounded half-even once to nano-USD.
LIVE_NANO = {
    date(2025, 1, 21): 632_036_368,
    date(2025, 1, 22): 52_415_587_618,
    date(2025, 1, 23): 104_887_612_353,
    date(2025, 1, 24): 337_603_039,
    date(2025, 1, 25): 62_551_043,
    date(2025, 1, 26): 321_957,
    date(2025, 1, 27): 308_421,
}
OBSERVED_NANO = {date(2026, 7, 25): 4_200_000 + 12_500_000_000 + 0 + 100}


def test_a_first_run_brings_180_days_that_agree_with_each_other(syncing: Syncing):
    connection = syncing.connect(COMPANY)

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_message) == ("done", "")
    assert (run.days_done, run.days_total, len(syncing.days(connection))) == (180, 180, 180)
    whole = db.session.scalar(select(func.sum(CostRow.amount_nano)))
    assert whole == sum(syncing.days(connection).values()) > 0
    for dimension in ("project", "line_item", "api_key"):
        assert sum(syncing.totals(connection, dimension).values()) == whole
    fresh = syncing.connection(connection)
    assert fresh.last_synced_at is not None
    assert fresh.last_full_sync_at is not None
    assert fresh.last_error == ""


def test_usage_is_totalled_over_all_its_kinds(syncing: Syncing):
    connection = syncing.connect_for(days=20)

    syncing.run_waiting(connection)

    assert db.session.scalar(select(func.count(UsageRow.kind.distinct()))) > 5
    for name in ("requests", "input_tokens", "cached_tokens", "output_tokens"):
        whole = db.session.scalar(select(func.sum(getattr(UsageRow, name))))
        for dimension in ("project", "model", "api_key"):
            summed = select(func.sum(getattr(UsageTotal, name))).where(UsageTotal.dimension == dimension)
            assert db.session.scalar(summed) == whole > 0
    models = set(db.session.scalars(select(UsageRow.model).where(UsageRow.model != "").distinct()))
    assert {seen.model for seen in syncing.rows(SeenModel)} == models


def test_projects_and_keys_get_the_providers_names(syncing: Syncing):
    connection = syncing.connect_for(days=5)

    syncing.run_waiting(connection)

    names = {(one.kind, one.external_id): one for one in syncing.rows(ProviderName)}
    assert names["project", "proj_SbxSupport"].name == "Support copilot"
    assert names["project", "proj_SbxLegacy"].is_archived
    assert names["api_key", "key_SbxSearchProd"].name == "search-prod"


def test_a_first_reading_has_names_after_its_first_days(syncing: Syncing):
    connection = syncing.connect(COMPANY)
    lease = sync_runs.take(syncing.waiting(connection).id)
    db.session.commit()
    reader = syncing.app.extensions["clients"].costs("openai", COMPANY)

    for _ in islice(sync_import.steps(lease, reader), 2):
        db.session.commit()

    assert len(syncing.days(connection)) == sync_rules.BATCH_DAYS
    assert "Support copilot" in {one.name for one in syncing.rows(ProviderName)}


def test_days_to_come_are_left_out(syncing: Syncing):
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    run = syncing.queue(connection)
    syncing.script(page(bucket(today(), cost(1)), bucket(date(2099, 1, 1), cost(7))))

    tasks.run_sync(run.id)

    assert syncing.days(connection) == {today(): 1_000_000_000}
    assert syncing.run(run.id).state == "done"


@needs_shared
def test_the_recorded_answers_come_out_exact_to_the_nano_dollar(syncing: Syncing):
    syncing.script(
        text_of("examples/openai/observed_string_amounts.json"), text_of("examples/openai/live_2025_costs_page.json")
    )
    connection = syncing.connect()

    run = syncing.run_waiting(connection)

    assert run.state == "done"
    assert syncing.days(connection) == LIVE_NANO | OBSERVED_NANO
    assert sum(LIVE_NANO.values()) == 158_336_020_799
    assert syncing.totals(connection, "line_item") == {
        "gpt-5.6-luna, input": 4_200_000,
        "gpt-5.6-luna, output": 12_500_000_000,
        "web search tool calls": 100,
        "": 158_336_020_799,
    }
    assert syncing.totals(connection, "project") == {"proj_abc": 12_504_200_100, "": 158_336_020_799}


@needs_shared
def test_the_recorded_usage_comes_out_whole(syncing: Syncing):
    syncing.script(text_of("examples/openai/live_2025_usage_completions_page.json"), path=COMPLETIONS)
    connection = syncing.connect()

    syncing.run_waiting(connection)

    counts = select(func.sum(UsageRow.input_tokens), func.sum(UsageRow.cached_tokens), func.sum(UsageRow.requests))
    assert tuple(db.session.execute(counts).one()) == (141_201 + 45_949 + 3_718_360 + 29_806, 76_544, 3_771)


def test_amounts_as_text_and_as_numbers_are_the_same_money(syncing: Syncing):
    numbers = syncing.connect_for(days=10)
    syncing.run_waiting(numbers)
    told = syncing.days(numbers)

    syncing.connect_for(days=10, key="sk-admin-sandbox-strings")
    syncing.run_waiting(numbers)

    assert syncing.days(numbers) == told


def test_reading_twice_counts_once(syncing: Syncing):
    connection = syncing.connect_for(days=10)
    syncing.run_waiting(connection)
    before = {row: len(syncing.rows(row)) for row in (CostRow, CostDay, CostTotal, UsageRow, UsageTotal)}
    told = syncing.days(connection)

    syncing.queue(connection, today() - 9 * DAY, today())
    syncing.run_waiting(connection)

    assert {row: len(syncing.rows(row)) for row in before} == before
    assert {day: nano for day, nano in syncing.days(connection).items() if day < today()} == {
        day: nano for day, nano in told.items() if day < today()
    }


def test_a_day_that_is_not_told_stays_and_a_day_without_rows_becomes_zero(syncing: Syncing):
    first, second, third = (today() - n * DAY for n in (3, 2, 1))
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    syncing.script(page(*(bucket(day, cost(1)) for day in (first, second, third))))
    syncing.queue(connection, first, today())
    syncing.run_waiting(connection)

    syncing.script(page(bucket(first), bucket(third, cost(2))))
    syncing.queue(connection, first, today())
    run = syncing.run_waiting(connection)

    assert syncing.days(connection) == {first: 0, second: 1_000_000_000, third: 2_000_000_000}
    assert syncing.totals(connection, "line_item") == {"": 3_000_000_000}
    assert run.days_done == run.days_total == 4


def test_a_changed_day_is_kept_as_a_revision(syncing: Syncing):
    day = today() - 5 * DAY
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    for dollars in (41, 41, 43):
        syncing.script(page(bucket(day, cost(dollars, line_item="a"), cost(-1, line_item="b"))))
        syncing.queue(connection, day, day)
        run = syncing.run_waiting(connection)

    [revision] = syncing.rows(CostRevision)

    assert (revision.on, revision.old_nano, revision.new_nano) == (day, 40_000_000_000, 42_000_000_000)
    assert run.revised_days == 1
    [known] = syncing.rows(CostDay)
    assert known.first_seen_at < known.seen_at
    assert syncing.totals(connection, "line_item") == {"a": 43_000_000_000, "b": -1_000_000_000}


def test_the_providers_late_changes_are_revisions(syncing: Syncing):
    connection = syncing.connect_for(days=7, key="sk-admin-sandbox-drifting")
    syncing.run_waiting(connection)

    syncing.queue(connection, today() - 6 * DAY, today())
    run = syncing.run_waiting(connection)

    changed = {revision.on for revision in syncing.rows(CostRevision)}
    assert {today() - DAY, today() - 2 * DAY} <= changed
    assert run.revised_days == len(changed)


def test_days_out_of_order_are_all_kept(syncing: Syncing):
    days = [today() - n * DAY for n in (1, 9, 4)]
    connection = syncing.connect()
    syncing.script(*(page(bucket(day, cost(n)), next_page=f"p{n}") for n, day in enumerate(days)), page())

    run = syncing.run_waiting(connection)

    assert run.state == "done"
    assert set(syncing.days(connection)) == set(days)


def test_texts_longer_than_their_columns_are_cut_and_rows_without_amount_are_said(syncing: Syncing):
    row = cost("0.5", line_item="x" * 250, project_id="p" * 250, api_key_id="k" * 250)
    syncing.script(page(bucket(today(), row, {"object": "organization.costs.result"})))
    connection = syncing.connect()

    run = syncing.run_waiting(connection)

    [kept] = syncing.rows(CostRow)
    assert (len(kept.line_item), len(kept.project_id), len(kept.api_key_id)) == (200, 120, 120)
    assert run.error_message == "Left out for want of an amount: 1 row."


def test_an_empty_organization_has_180_days_of_zero(syncing: Syncing):
    connection = syncing.connect()

    run = syncing.run_waiting(connection)

    assert run.state == "done"
    assert list(syncing.days(connection).values()) == [0] * 180
