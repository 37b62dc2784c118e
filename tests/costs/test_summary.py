"""GET /api/summary: exactly the fields that are promised, and their sums."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine

from tests.costs.bills import NOVEMBER_20, Bill
from tests.people import People
from tokenboard.core.clock import days_between
from tokenboard.core.db import db
from tokenboard.costs.models import Budget

USD = 1_000_000_000


@pytest.fixture(autouse=True)
def _on_20_november():
    with time_machine.travel(NOVEMBER_20, tick=False):
        yield


def _summary(people: People, month: str = "") -> dict:
    query = f"&month={month}" if month else ""
    answer = people.bearer(people.vera).get(f"/api/summary?workspaceId={people.team_id}{query}")
    assert answer.status_code == 200
    return answer.json


def test_a_month_in_a_few_numbers(people: People):
    with people.app.app_context():
        days = dict.fromkeys(days_between(date(2026, 9, 1), date(2026, 11, 19)), 10 * USD)
        Bill.of(people.team_id).tell_totals(days | {date(2026, 11, 20): 3 * USD + 1})
        db.session.add(Budget(workspace_id=people.team_id, amount_cents=25_000))
        db.session.commit()

    summary = _summary(people)
    assert "credits" in summary  # the wallet's word, tested there
    assert {name: value for name, value in summary.items() if name != "credits"} == {
        "month": "2026-11",
        "todayUsd": 3.000000001,
        "monthToDateUsd": 193.000000001,
        "forecastUsd": 300,
        "previousMonthUsd": 310,
        "budget": {"amountUsd": 250, "remainingUsd": 56.999999999, "usedRatio": 0.772},
        "lastSyncedAt": "2026-11-20T12:00:00Z",
        "source": "organization",
    }


def test_a_past_month_is_its_actual_total(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals({date(2026, 2, 28): 5 * USD, date(2026, 3, 1): 7 * USD})

    summary = _summary(people, "2026-02")

    assert (summary["monthToDateUsd"], summary["forecastUsd"], summary["previousMonthUsd"]) == (5, 5, 0)


def test_without_a_connection_everything_is_nothing(people: People):
    summary = _summary(people)

    assert summary["monthToDateUsd"] == summary["forecastUsd"] == summary["todayUsd"] == 0
    assert summary["budget"] is None
    assert summary["lastSyncedAt"] is None


def test_a_personal_key_says_so(people: People):
    with people.app.app_context():
        Bill.of(people.team_id, mode="personal").tell_totals({date(2026, 11, 20): USD})

    assert _summary(people)["source"] == "personal"


def test_the_named_months_budget_wins(people: People):
    with people.app.app_context():
        Bill.of(people.team_id)
        db.session.add_all(
            [
                Budget(workspace_id=people.team_id, amount_cents=10_000),
                Budget(workspace_id=people.team_id, amount_cents=40_000, month="2026-11"),
                Budget(workspace_id=people.team_id, amount_cents=77_000, project_id="proj_a"),
            ]
        )
        db.session.commit()

    assert _summary(people)["budget"]["amountUsd"] == 400
    assert _summary(people, "2026-10")["budget"]["amountUsd"] == 100


def test_the_least_fresh_connection_says_how_fresh_the_numbers_are(people: People):
    with people.app.app_context():
        Bill.of(people.team_id, synced_at=NOVEMBER_20)
        Bill.of(people.team_id, provider="anthropic", synced_at=NOVEMBER_20 - timedelta(hours=3))

    assert _summary(people)["lastSyncedAt"] == "2026-11-20T09:00:00Z"


def test_left_out_it_is_ones_own_workspace(people: People):
    with people.app.app_context():
        Bill.of(people.bob.workspace_id).tell_totals({date(2026, 11, 20): USD})

    assert people.bearer(people.bob).get("/api/summary").json["todayUsd"] == 1


@pytest.mark.parametrize("query", ["month=2026-1", "month=2026-00", "month=11", "asOf=soon"])
def test_what_cannot_be_read_is_refused(sqlite_people: People, query: str):
    answer = sqlite_people.bearer(sqlite_people.bob).get(f"/api/summary?{query}")

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == [query.partition("=")[0]]


def test_a_stranger_and_nobody_see_nothing(sqlite_people: People):
    address = f"/api/summary?workspaceId={sqlite_people.team_id}"

    assert sqlite_people.bearer(sqlite_people.charlie).get(address).status_code == 404
    assert sqlite_people.app.test_client().get(address).status_code == 401
