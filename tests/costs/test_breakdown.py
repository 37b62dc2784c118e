"""Every split of a bill sums to the bill, to the nano-dollar, and every door tells the same."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings, strategies as some

from tests.costs.bills import NOVEMBER_20, Bill, Row
from tests.people import People
from tokenboard.core.clock import Month, days_between
from tokenboard.core.db import db
from tokenboard.costs import breakdown_queries, queries
from tokenboard.costs.bill_rules import By, ModelNames, display_names, shares
from tokenboard.costs.models import Connection
from tokenboard.costs.period_rules import Period, month_period
from tokenboard.providers.costs import UsageRow

NOVEMBER = month_period(Month(2026, 11))
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-5.2-2026-01-15")


@pytest.fixture(autouse=True)
def _on_20_november():
    with time_machine.travel(NOVEMBER_20, tick=False):
        yield


def _scope(workspace_id: str, **chosen: Any) -> queries.Scope:
    return queries.scope_of(queries.connections(workspace_id), **chosen)


_rows = some.lists(
    some.tuples(
        some.sampled_from(["", "proj_a", "proj_b", "proj_c"]),
        some.sampled_from(["", "gpt-4o, input", "gpt-4o-mini, output", "gpt-5.2-2026-01-15, input", "web search"]),
        some.sampled_from(["", "key_1", "key_2"]),
        some.integers(-(10**12), 10**15),
    ),
    max_size=12,
)


@pytest.mark.parametrize("by", list(By))
@given(
    days=some.dictionaries(some.sampled_from(days_between(date(2026, 10, 28), date(2026, 12, 2))), _rows, max_size=6)
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rows_sum_to_the_same_total_however_they_are_split(sqlite_people: People, by: By, days: dict):
    app = sqlite_people.app
    with app.app_context():
        bill = Bill.of(sqlite_people.team_id).saw_models(*MODELS)
        if days:
            bill.tell(days)
        scope = _scope(sqlite_people.team_id)
        wanted = sum(nano for day, rows in days.items() if NOVEMBER.holds(day) for *_, nano in rows)

        items = breakdown_queries.breakdown(scope, by, NOVEMBER)

        assert sum(item.nano for item in items) == wanted
        assert sum(queries.daily_totals(scope, NOVEMBER).values()) == wanted
        db.session.delete(db.session.get_one(Connection, bill.connection_id))
        db.session.commit()


def _write_a_month(workspace_id: str) -> None:
    days: dict[date, list[Row]] = {
        date(2026, 11, 1): [("proj_a", "gpt-4o, input", "key_1", 1_000_000_001), ("", "web search", "", 7)],
        date(2026, 11, 2): [
            ("proj_a", "gpt-4o-mini, output", "key_2", 250_000_000_000),
            ("proj_b", "gpt-4o, input", "key_1", 333_333_333),
        ],
        date(2026, 11, 19): [("proj_b", "gpt-4o-audio, input", "key_1", 12_345_678_901)],
        date(2026, 10, 31): [("proj_a", "gpt-4o, input", "key_1", 99_000_000_000)],
    }
    bill = Bill.of(workspace_id).tell(days).saw_models("gpt-4o", "gpt-4o-mini")
    bill.names({"proj_a": "Search", "proj_b": "Chat"}, {"key_1": "prod"})
    bill.use(
        "embeddings",
        {date(2026, 11, 2): [UsageRow("embeddings", "proj_a", "gpt-4o", "key_1", requests=5, input_tokens=70)]},
    )


@pytest.mark.parametrize("by", list(By))
def test_page_export_and_calls_tell_the_same_to_the_nano_dollar(people: People, by: By):
    with people.app.app_context():
        _write_a_month(people.team_id)
    client, browser = people.bearer(people.vera), people.browser(people.vera)
    browser.post("/workspaces/switch", {"workspace_id": people.team_id})
    wanted = Decimal("263.679012242")

    items = client.get(f"/api/breakdown?workspaceId={people.team_id}&month=2026-11&by={by.value}").json["items"]
    points = client.get(f"/api/trend?workspaceId={people.team_id}&from=2026-11-01&to=2026-11-30&by={by.value}").json
    export = list(csv.reader(io.StringIO(browser.get(f"/dashboard.csv?by={by.value}").text)))
    shown = browser.get(f"/dashboard?by={by.value}").text

    assert sum(Decimal(str(item["usd"])) for item in items) == wanted
    assert sum(Decimal(str(point["totalUsd"])) for point in points["points"]) == wanted
    assert sum(Decimal(str(nano)) for point in points["points"] for nano in point["series"].values()) == wanted
    assert export[-1][0] == "Total"
    assert Decimal(export[-1][1]) == wanted == sum(Decimal(row[1]) for row in export[1:-1])
    assert [Decimal(cell) for cell in export[-1][2:]] == [Decimal(str(item["usd"])) for item in items]
    assert 'title="$263.679012242"' in shown
    summary = client.get(f"/api/summary?workspaceId={people.team_id}&month=2026-11").json
    assert Decimal(str(summary["monthToDateUsd"])) == wanted


def test_the_largest_comes_first_with_its_name_share_and_usage(people: People):
    with people.app.app_context():
        _write_a_month(people.team_id)

    answer = people.bearer(people.bob).get(f"/api/breakdown?workspaceId={people.team_id}&month=2026-11").json

    assert answer["by"] == "project"
    assert [(item["key"], item["name"]) for item in answer["items"]] == [
        ("proj_a", "Search"),
        ("proj_b", "Chat"),
        ("", "No project"),
    ]
    assert answer["items"][0]["tokens"] == 70
    assert answer["items"][0]["requests"] == 5
    assert sum(Decimal(str(item["share"])) for item in answer["items"]) == 1


def test_the_bill_by_model_groups_line_items_and_leaves_the_rest_as_other(people: People):
    with people.app.app_context():
        _write_a_month(people.team_id)

    answer = people.bearer(people.bob).get(f"/api/breakdown?workspaceId={people.team_id}&month=2026-11&by=model").json

    assert {item["key"]: item["usd"] for item in answer["items"]} == {
        "gpt-4o-mini": 250,
        "other": 12.345678908,  # gpt-4o-audio is no gpt-4o; the web search is no model
        "gpt-4o": 1.333333334,
    }


def test_a_project_can_be_split_by_what_it_used(people: People):
    with people.app.app_context():
        _write_a_month(people.team_id)
        scope = _scope(people.team_id, project_id="proj_a")

        by_item = breakdown_queries.breakdown(scope, By.LINE_ITEM, NOVEMBER)
        by_model = breakdown_queries.breakdown(scope, By.MODEL, NOVEMBER)
        by_key = breakdown_queries.breakdown(scope, By.API_KEY, NOVEMBER)

        whole = sum(queries.daily_totals(scope, NOVEMBER).values())
    assert [(item.key, item.nano) for item in by_item] == [
        ("gpt-4o-mini, output", 250_000_000_000),
        ("gpt-4o, input", 1_000_000_001),
    ]
    assert [item.key for item in by_model] == ["gpt-4o-mini", "gpt-4o"]
    assert [item.name for item in by_key] == ["key_2", "prod"]
    assert sum(item.nano for item in by_key) == whole == 251_000_000_001


def test_two_providers_are_one_bill_and_can_be_told_apart(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals({date(2026, 11, 3): 5})
        Bill.of(people.team_id, provider="anthropic").tell_totals({date(2026, 11, 3): 20})

        together = queries.daily_totals(_scope(people.team_id), NOVEMBER)
        apart = queries.daily_totals(_scope(people.team_id, provider="anthropic"), NOVEMBER)

    assert together == {date(2026, 11, 3): 25}
    assert apart == {date(2026, 11, 3): 20}


def test_a_day_that_a_newer_connection_tells_counts_once(people: People):
    with people.app.app_context():
        old = Bill.of(people.team_id, created_at=NOVEMBER_20 - timedelta(days=90))
        old.tell_totals({date(2026, 11, day): 10 for day in (1, 2, 3)}).remove()
        Bill.of(people.team_id).tell_totals({date(2026, 11, 2): 11, date(2026, 11, 4): 13})

        totals = queries.daily_totals(_scope(people.team_id), NOVEMBER)

    assert totals == {date(2026, 11, 1): 10, date(2026, 11, 2): 11, date(2026, 11, 4): 13}


def test_days_that_a_newer_connection_has_not_reached_yet_are_told_by_the_older(people: People):
    with people.app.app_context():
        old = Bill.of(people.team_id, created_at=NOVEMBER_20 - timedelta(days=90))
        old.tell_totals({date(2026, 11, day): 10 for day in (1, 2, 3, 4)}).remove()
        Bill.of(people.team_id, synced_at=None).tell_totals({date(2026, 11, 2): 11, date(2026, 11, 3): 11})

        totals = queries.daily_totals(_scope(people.team_id), NOVEMBER)

    assert [totals[date(2026, 11, day)] for day in (1, 2, 3, 4)] == [10, 11, 11, 10]


def test_a_workspace_without_a_connection_has_an_empty_bill(people: People):
    answer = people.bearer(people.bob).get(f"/api/breakdown?workspaceId={people.team_id}").json

    assert answer == {"by": "project", "items": []}


def test_a_model_is_found_by_its_longest_name_ending_at_a_border():
    models = ModelNames.of(["gpt-4o", "GPT-4o-mini", "o3", ""])

    assert models.model_of("gpt-4o, input") == "gpt-4o"
    assert models.model_of("gpt-4o-mini, cached input") == "GPT-4o-mini"
    assert models.model_of("gpt-4o") == "gpt-4o"
    assert models.model_of("gpt-4o-2024-08-06, input") == "other"
    assert models.model_of("o3 mini") == "o3"
    assert models.model_of("web search") == "other"


def test_two_keys_of_one_name_stay_apart():
    named = display_names(By.API_KEY, ["key_1", "key_2", "key_3", ""], {"key_1": "prod", "key_2": "prod"})

    assert named == {"key_1": "prod (key_1)", "key_2": "prod (key_2)", "key_3": "key_3", "": "No API key"}


def test_a_name_that_looks_like_anothers_mark_stays_apart_too():
    told = {"a": "prod", "b": "prod", "c": "prod (b)"}

    assert len(set(display_names(By.PROJECT, told, told).values())) == 3


@given(some.lists(some.integers(-(10**9), 10**15), min_size=1, max_size=40))
def test_shares_of_a_positive_whole_are_one_together(amounts: list[int]):
    assert sum(shares(amounts)) == (1 if sum(amounts) > 0 else 0)


def test_a_bad_question_is_refused_by_name(people: People):
    client = people.bearer(people.bob)

    answer = client.get("/api/breakdown?month=2026-13&by=colour")

    assert answer.status_code == 422
    assert set(answer.json["fields"]) == {"month", "by"}


def test_only_members_see_it(people: People):
    address = f"/api/breakdown?workspaceId={people.team_id}"

    assert people.bearer(people.vera).get(address).status_code == 200
    assert people.bearer(people.charlie).get(address).status_code == 404
    assert people.app.test_client().get(address).status_code == 401


def test_names_come_in_a_bounded_number_of_queries(app: Flask, people: People, count_queries):
    with app.app_context():
        _write_a_month(people.team_id)
        with count_queries() as counted:
            breakdown_queries.breakdown(_scope(people.team_id), By.MODEL, Period(date(2026, 1, 1), date(2026, 11, 30)))

    assert counted.number == 4  # connections, totals, models, usage
