"""Totals as they were known at an instant: what the provider changed since then is taken back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import time_machine

from tests.costs.bills import NOVEMBER_20, Bill
from tests.people import People
from tokenboard.core.clock import Month, midnight
from tokenboard.core.db import db
from tokenboard.costs import queries
from tokenboard.costs.models import Connection
from tokenboard.costs.period_rules import late_revisions, month_period

NOVEMBER = month_period(Month(2026, 11))
THE_5TH, THE_6TH = date(2026, 11, 5), date(2026, 11, 6)


def _write(workspace_id: str) -> None:
    """The 5th was told as 10, then as 12, on the 15th as 15; the 6th was told once."""
    with time_machine.travel(midnight(THE_6TH), tick=False):
        bill = Bill.of(workspace_id).tell_totals({THE_5TH: 10})
    for told_at, nano in (
        (midnight(THE_6TH) + timedelta(hours=6), 12),
        (midnight(date(2026, 11, 15)), 15),
    ):
        with time_machine.travel(told_at, tick=False):
            bill.tell_totals({THE_5TH: nano, THE_6TH: 7})


@pytest.mark.parametrize(
    ("instant", "told"),
    [
        (midnight(THE_6TH) - timedelta(seconds=1), {}),
        (midnight(THE_6TH), {THE_5TH: 10}),
        (midnight(THE_6TH) + timedelta(hours=5), {THE_5TH: 10}),
        (midnight(THE_6TH) + timedelta(hours=6), {THE_5TH: 12, THE_6TH: 7}),
        (midnight(date(2026, 11, 14)), {THE_5TH: 12, THE_6TH: 7}),
        (midnight(date(2026, 11, 15)), {THE_5TH: 15, THE_6TH: 7}),
        (NOVEMBER_20, {THE_5TH: 15, THE_6TH: 7}),
    ],
)
def test_a_bill_can_be_asked_as_it_was_known(people: People, instant: datetime, told: dict[date, int]):
    with people.app.app_context():
        _write(people.team_id)
        scope = queries.scope_of(queries.connections(people.team_id))

        assert queries.daily_totals_as_of(scope, NOVEMBER, instant) == told
        assert queries.daily_totals(scope, NOVEMBER) == {THE_5TH: 15, THE_6TH: 7}


def test_summary_and_trend_answer_as_of_a_day(people: People):
    with people.app.app_context():
        _write(people.team_id)
    with time_machine.travel(NOVEMBER_20, tick=False):
        client = people.bearer(people.vera)
        summary = client.get(f"/api/summary?workspaceId={people.team_id}&asOf=2026-11-10").json
        points = client.get(f"/api/trend?workspaceId={people.team_id}&from=2026-11-05&to=2026-11-05&asOf=2026-11-10")

    assert summary["month"] == "2026-11"
    assert summary["monthToDateUsd"] == 19e-9
    assert points.json["points"][0]["totalUsd"] == 12e-9


def test_before_it_was_connected_again_the_older_connection_told_the_bill(people: People):
    with people.app.app_context():
        _write(people.team_id)
        db.session.query(Connection).one().status = "removed"
        with time_machine.travel(midnight(date(2026, 11, 18)), tick=False):
            Bill.of(people.team_id).tell_totals({THE_5TH: 16, THE_6TH: 8})
    with time_machine.travel(NOVEMBER_20, tick=False):
        client = people.bearer(people.vera)
        then = client.get(f"/api/summary?workspaceId={people.team_id}&asOf=2026-11-16").json
        now = client.get(f"/api/summary?workspaceId={people.team_id}").json

    assert (then["monthToDateUsd"], now["monthToDateUsd"]) == (22e-9, 24e-9)


def test_the_past_of_a_split_is_not_kept_and_is_refused(people: People):
    with time_machine.travel(NOVEMBER_20, tick=False):
        answer = people.bearer(people.vera).get("/api/trend?by=project&asOf=2026-11-10")
    with people.app.app_context():
        project = queries.scope_of([], project_id="proj_a")
        with pytest.raises(ValueError, match="whole bills"):
            queries.daily_totals_as_of(project, NOVEMBER, NOVEMBER_20)

    assert answer.status_code == 422


def test_only_changes_after_a_day_should_have_settled_are_worth_a_mark(people: People):
    with people.app.app_context():
        _write(people.team_id)
        found = queries.revisions(queries.scope_of(queries.connections(people.team_id)), NOVEMBER)

        assert [(one.old_nano, one.new_nano) for one in found] == [(10, 12), (12, 15)]
        assert late_revisions(found) == {THE_5TH: 12}
