"""GET /api/trend: one point a day, nothing left out, in UTC days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import time_machine

from tests.costs.bills import NOVEMBER_20, Bill
from tests.people import People
from tokenboard.costs import trend_queries
from tokenboard.costs.trend_queries import MOST_SERIES


@pytest.fixture(autouse=True)
def _on_20_november():
    with time_machine.travel(NOVEMBER_20, tick=False):
        yield


def _trend(people: People, query: str):
    return people.bearer(people.vera).get(f"/api/trend?workspaceId={people.team_id}&{query}")


def test_days_without_a_cost_are_zero(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals({date(2026, 11, 2): 1_500_000_000, date(2026, 11, 4): 1})

    points = _trend(people, "from=2026-11-01&to=2026-11-04").json["points"]

    assert points == [
        {"date": "2026-11-01", "totalUsd": 0, "series": {}},
        {"date": "2026-11-02", "totalUsd": 1.5, "series": {}},
        {"date": "2026-11-03", "totalUsd": 0, "series": {}},
        {"date": "2026-11-04", "totalUsd": 1e-09, "series": {}},
    ]


def test_a_leap_day_and_the_borders_of_months_are_days_like_others(people: People):
    days = [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals({day: 1_000_000_000 * day.day for day in days})

    points = _trend(people, "from=2028-02-28&to=2028-03-01").json["points"]

    assert [(point["date"], point["totalUsd"]) for point in points] == [
        ("2028-02-28", 28),
        ("2028-02-29", 29),
        ("2028-03-01", 1),
    ]


def test_every_series_stands_in_every_point_by_name(people: People):
    with people.app.app_context():
        bill = Bill.of(people.team_id).names({"proj_a": "Search"})
        bill.tell({date(2026, 11, 1): [("proj_a", "x", "", 3_000_000_000)], date(2026, 11, 2): [("", "x", "", 5)]})

    points = _trend(people, "from=2026-11-01&to=2026-11-02&by=project").json["points"]

    assert [point["series"] for point in points] == [{"Search": 3, "No project": 0}, {"Search": 0, "No project": 5e-09}]


def test_an_instant_means_its_utc_day(people: People):
    points = _trend(people, "from=2026-11-02T01:00:00%2B05:00&to=2026-11-02T23:59:59Z").json["points"]

    assert [point["date"] for point in points] == ["2026-11-01", "2026-11-02"]


def test_without_days_it_is_the_last_thirty(people: People):
    points = _trend(people, "").json["points"]

    assert (points[0]["date"], points[-1]["date"], len(points)) == ("2026-10-22", "2026-11-20", 30)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-31", "from"),
        ("from=yesterday", "from"),
        ("to=2026-11-1", "to"),
        ("from=2026-11-03&to=2026-11-02", "from"),
        ("from=2025-10-16&to=2026-11-20", "from"),  # 401 days
        ("by=colour", "by"),
        ("source=litellm", "source"),
        ("from=2026-11-02Tnoon", "from"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(sqlite_people: People, query: str, field: str):
    answer = _trend(sqlite_people, query)

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == [field]


def test_400_days_are_the_most(sqlite_people: People):
    answer = _trend(sqlite_people, "from=2025-10-17&to=2026-11-20")

    assert len(answer.json["points"]) == 400


def test_the_personal_key_and_the_organization_can_be_told_apart(people: People):
    with people.app.app_context():
        Bill.of(people.team_id).tell_totals({date(2026, 11, 1): 5_000_000_000})
        Bill.of(people.team_id, provider="anthropic", mode="personal").tell_totals({date(2026, 11, 1): 2_000_000_000})

    told = {
        source: _trend(people, f"from=2026-11-01&to=2026-11-01{source}").json["points"][0]["totalUsd"]
        for source in ("", "&source=organization", "&source=personal")
    }

    assert told == {"": 7, "&source=organization": 5, "&source=personal": 2}


def test_past_fifty_series_the_smallest_are_one_and_nothing_is_lost(people: People):
    with people.app.app_context():
        rows = [(f"proj_{n:03d}", "x", "", 10**9 * (n + 1)) for n in range(60)]
        Bill.of(people.team_id).tell({date(2026, 11, 1): rows})

    (point,) = _trend(people, "from=2026-11-01&to=2026-11-01&by=project").json["points"]

    assert len(point["series"]) == MOST_SERIES + 1
    assert point["series"][trend_queries.REST] == sum(range(1, 11))
    assert sum(Decimal(str(usd)) for usd in point["series"].values()) == Decimal(str(point["totalUsd"]))


def test_a_stranger_and_nobody_see_nothing(sqlite_people: People):
    people, address = sqlite_people, f"/api/trend?workspaceId={sqlite_people.team_id}"

    assert people.bearer(people.charlie).get(address).status_code == 404
    assert people.bearer(people.bob).get("/api/trend?workspaceId=nonsense").status_code == 404
    assert people.app.test_client().get(address).status_code == 401
