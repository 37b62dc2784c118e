"""What OpenAI really answered, served page by page, comes out of every door with the same sums."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine

from tests.costs.syncing import Syncing
from tests.costs.test_sync_import import LIVE_NANO, OBSERVED_NANO, needs_shared, text_of
from tokenboard.core.clock import Month

END_OF_JANUARY = datetime(2025, 1, 31, 12, tzinfo=UTC)
BILLED = {
    day.isoformat(): Decimal(nano).scaleb(-9) for day, nano in sorted((LIVE_NANO | OBSERVED_NANO).items()) if nano
}


@pytest.fixture
def read(syncing: Syncing) -> Syncing:
    """A team that has read the recorded answers."""
    syncing.script(
        text_of("examples/openai/observed_string_amounts.json"), text_of("examples/openai/live_2025_costs_page.json")
    )
    assert syncing.run_waiting(syncing.connect()).state == "done"
    return syncing


def _get(read: Syncing, path: str):
    people = read.people
    return people.bearer(people.vera).get(f"{path}workspaceId={people.team_id}").json


@needs_shared
def test_the_trend_tells_every_day_of_the_live_answers(read: Syncing):
    points = _get(read, "/api/trend?from=2025-01-01&to=2025-01-31&")["points"]

    told = {point["date"]: Decimal(str(point["totalUsd"])) for point in points if point["totalUsd"]}

    assert told == {day: usd for day, usd in BILLED.items() if day.startswith("2025-01")}
    assert sum(told.values()) == Decimal("158.336020799")


@needs_shared
def test_summary_and_every_breakdown_of_each_month_agree(read: Syncing):
    for month in {day[:7] for day in BILLED}:
        wanted = sum(usd for day, usd in BILLED.items() if day.startswith(month))

        summary = _get(read, f"/api/summary?month={month}&")

        assert Decimal(str(summary["monthToDateUsd"])) == Decimal(str(summary["forecastUsd"])) == wanted
        for by in ("project", "line_item", "model", "api_key"):
            items = _get(read, f"/api/breakdown?month={month}&by={by}&")["items"]
            assert sum(Decimal(str(item["usd"])) for item in items) == wanted, by


@needs_shared
def test_page_and_export_show_the_live_month(read: Syncing):
    browser = read.people.browser(read.people.vera)
    browser.post("/workspaces/switch", {"workspace_id": read.people.team_id})

    page = browser.get("/dashboard?month=2025-01").text
    export = list(csv.reader(io.StringIO(browser.get("/dashboard.csv?month=2025-01").text)))

    assert 'title="$158.336020799"' in page
    assert export[-1][1] == "158.336020799"
    assert next(row for row in export if row[0] == "2025-01-22")[1] == "52.415587618"


@needs_shared
def test_seen_from_its_own_month_the_live_answers_have_a_forecast(read: Syncing):
    with time_machine.travel(END_OF_JANUARY, tick=False):
        summary = _get(read, "/api/summary?")

    assert summary["month"] == str(Month(2025, 1))
    assert summary["monthToDateUsd"] == 158.336020799
    assert summary["forecastUsd"] >= summary["monthToDateUsd"]
