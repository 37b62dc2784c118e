"""The demo's company is believable, deterministic, quick, and nobody else's business."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.core.clock import this_month, today
from tokenboard.core.db import db
from tokenboard.costs import breakdown_queries, budget_queries, connection_queries, queries
from tokenboard.costs.bill_rules import By
from tokenboard.costs.change_rules import unusual_days
from tokenboard.costs.forecast_rules import breaking_day
from tokenboard.costs.models import BudgetAlert, Connection, CostRow
from tokenboard.costs.month_queries import picture
from tokenboard.costs.period_rules import Period, late_revisions
from tokenboard.demo import service
from tokenboard.demo.company import Books
from tokenboard.demo.tasks import refresh_demos
from tokenboard.notices.models import Notice
from tokenboard.workspaces.models import Workspace

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _load(someone_id: str) -> Workspace:
    workspace = service.load(owner=db.session.get_one(Person, someone_id))
    db.session.commit()
    return workspace


def _books(people: People) -> tuple[Workspace, queries.Scope, Period]:
    workspace = _load(people.alice.id)
    scope = queries.scope_of(queries.connections(workspace.id))
    return workspace, scope, Period(Books(NOON).first_on, NOON.date())


def test_the_same_instant_tells_the_same_books():
    assert Books(NOON).costs() == Books(NOON).costs()
    assert Books(NOON).usage("completions") == Books(NOON).usage("completions")
    assert Books(NOON).first_on == date(2026, 5, 1)


@pytest.mark.parametrize("instant", ["2026-11-01T00:00:30", "2026-03-02T09:00", "2028-02-29T12:00", "2026-12-31T23:59"])
def test_it_can_be_loaded_on_any_day(sqlite_people: People, instant: str):
    with time_machine.travel(datetime.fromisoformat(instant).replace(tzinfo=UTC), tick=False):
        with sqlite_people.app.app_context():
            workspace = _load(sqlite_people.alice.id)

            assert len(budget_queries.standings(workspace.id, this_month())) == 2


@time_machine.travel(NOON, tick=False)
def test_it_shows_what_the_dashboard_can_show(people: People):
    with people.app.app_context():
        workspace, scope, months = _books(people)

        for by, least in ((By.PROJECT, 6), (By.MODEL, 8), (By.LINE_ITEM, 15), (By.API_KEY, 8)):
            assert len(breakdown_queries.breakdown(scope, by, months)) >= least
        assert "Research assistant" in breakdown_queries.names(scope, By.PROJECT, ("any",)).values()
        now = picture(scope, this_month(), today())
        standing = budget_queries.standings(workspace.id, this_month())[0]
        assert now.outlook.total_nano > standing.limit_nano > now.spent_nano
        assert breaking_day(standing.limit_nano, now.totals, now.outlook) > today()
        november = Period(date(2026, 11, 1), today())
        assert [one.on for one in unusual_days(now.totals, november, scope.known_since)] == [date(2026, 11, 11)]
        assert list(late_revisions(queries.revisions(scope, november))) == [date(2026, 11, 8)]


@time_machine.travel(NOON, tick=False)
def test_its_splits_sum_to_its_bill(people: People):
    with people.app.app_context():
        _, scope, months = _books(people)
        whole = sum(queries.daily_totals(scope, months).values())

        for by in By:
            assert sum(item.nano for item in breakdown_queries.breakdown(scope, by, months)) == whole


@time_machine.travel(NOON, tick=False)
def test_it_is_never_synced_and_tells_nobody(people: People):
    with people.app.app_context():
        workspace, _, _ = _books(people)

        assert connection_queries.every_automatic() == []
        assert db.session.scalar(sa.select(sa.func.count()).select_from(BudgetAlert)) >= 2
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0
        assert db.session.scalar(sa.select(Connection.sealed_key).where(Connection.workspace_id == workspace.id)) == ""


def test_it_takes_no_real_key_and_no_sync(people: People):
    with people.app.app_context():
        workspace = _load(people.alice.id)
        connection_id = db.session.scalar(sa.select(Connection.id).where(Connection.workspace_id == workspace.id))
        db.session.remove()
    alice = people.bearer(people.alice)
    key = {"workspaceId": workspace.id, "apiKey": "sk-admin-sandbox-empty"}

    answers = [
        alice.post("/api/openai/connect", json=key),
        alice.post("/api/connections", json=key | {"provider": "anthropic", "apiKey": "sk-ant-admin-sandbox"}),
        alice.patch(f"/api/connections/{connection_id}", json={"apiKey": key["apiKey"]}),
        alice.post(f"/api/connections/{connection_id}/sync"),
    ]

    assert [answer.status_code for answer in answers] == [409] * 4
    assert "made up" in answers[0].json["error"]


def test_two_clicks_make_one_demo(people: People):
    barrier, found = threading.Barrier(2), []

    def click() -> None:
        with people.app.app_context():
            barrier.wait()
            found.append(_load(people.alice.id).id)

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()

    assert len(found) == 2
    assert len(set(found)) == 1


def test_a_day_later_it_has_lived_on(people: People):
    with people.app.app_context():
        with time_machine.travel(NOON, tick=False):
            workspace, _, _ = _books(people)
        with time_machine.travel(datetime(2026, 11, 21, 0, 20, tzinfo=UTC), tick=False):
            refresh_demos()

            connections = queries.connections(workspace.id)
            assert len(connections) == 1
            days = queries.daily_totals(queries.scope_of(connections), Period(date(2026, 11, 19), date(2026, 11, 21)))
            assert len(days) == 3


def test_it_is_there_within_a_few_seconds(sqlite_people: People):
    with sqlite_people.app.app_context():
        begun = time.thread_time()
        _load(sqlite_people.alice.id)

        assert time.thread_time() - begun < 5  # 1.6 s measured on a busy machine
        assert db.session.scalar(sa.select(sa.func.count()).select_from(CostRow)) > 4_000


def test_the_terminal_loads_and_removes_it(app: Flask, people: People):
    terminal = app.test_cli_runner()

    loaded = terminal.invoke(args=["demo", "load"])
    removed = terminal.invoke(args=["demo", "remove"])
    again = terminal.invoke(args=["demo", "remove"])
    nobody = terminal.invoke(args=["demo", "load", "--email", "nobody@example.com"])
    bad = terminal.invoke(args=["demo", "load", "--email", "no address"])

    assert "is there for ada@example.com" in loaded.output  # the first administrator's, when nobody is named
    assert "is put away" in removed.output
    assert again.exit_code == nobody.exit_code == 1
    assert "Nobody has this e-mail." in nobody.output
    assert bad.exit_code == 2
