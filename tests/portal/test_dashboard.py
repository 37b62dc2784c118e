"""The dashboard: every view is an address, page and block, with and without a bill, for each role."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import time_machine

from tests.costs.bills import NOVEMBER_20
from tests.costs.counting import count_queries as count_queries
from tests.people import People
from tests.portal.dashboards import in_team as _in_team, text as _text, write as _write
from tokenboard.billing.models import Subscription
from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.costs.models import Budget, Connection
from tokenboard.demo import service as demo
from tokenboard.workspaces.models import Workspace


@pytest.fixture(autouse=True)
def _on_20_november():
    with time_machine.travel(NOVEMBER_20, tick=False):
        yield


def test_the_band_answers_four_questions(people: People):
    with people.app.app_context():
        _write(people.team_id)
        db.session.add(Budget(workspace_id=people.team_id, amount_cents=30_000))
        db.session.commit()

    page = _text(_in_team(people, people.vera).get("/dashboard").text)

    assert "OpenAI bill, UTC days, settled to 16 Nov, synced just now" in page
    assert "Spent this month settling $260.00 +30 % vs 1–20 Oct" in page
    assert "Forecast estimated $36" in page  # 360 and a little for the runaway Wednesday
    assert re.search(r"Budget \$300\.00 breaks on 2[45] Nov 87 % used", page)
    assert "Yesterday $10.00 ±0 % vs usual Thursday" in page


def test_names_are_escaped_and_everything_is_listed(people: People):
    with people.app.app_context():
        _write(people.team_id)

    html = _in_team(people, people.vera).get("/dashboard").text

    assert "Chat & <b>" not in html
    assert "Chat &amp; &lt;b&gt;" in html
    assert "Where it went 1–20 Nov 2026" in _text(html)
    assert "Chat & <b> +$60.00 (+100 %), most of it on Wed 11 Nov ($63.00)" in _text(html)
    assert "11 Nov was unusual: $70.00, 7.0 times a usual Wednesday" in _text(html)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("month=2026-10", "Spent in October 2026 settled $310.00 +3 % vs 1–30 Sep"),
        ("days=7", "Spent in 7 days settling $70.00"),
        ("days=30&by=model", "The bill names no models"),
        ("by=line_item", "gpt-4o, input"),
        ("by=api_key", "No API key"),
        ("project=proj_a", "OpenAI bill, project Search"),
        ("project=proj_a&by=line_item", "$140.00"),
        ("project=-", "Nothing was billed"),
        ("by=project&name=proj_b", "Project: Chat & <b>"),
        ("day=2026-11-11", "Where it went 11 Nov 2026"),
        ("compare=0", "Spent this month settling $260.00 Forecast"),
        ("provider=openai", "OpenAI bill"),
    ],
)
def test_every_view_is_an_address(sqlite_people: People, query: str, shown: str):
    with sqlite_people.app.app_context():
        _write(sqlite_people.team_id)

    answer = _in_team(sqlite_people, sqlite_people.vera).get(f"/dashboard?{query}")

    assert answer.status_code == 200
    assert shown in _text(answer.text)


@pytest.mark.parametrize(
    "query", ["month=2026-13", "month=2026-12", "days=8", "by=colour", "provider=acme", "day=tomorrow", "name=a%01b"]
)
def test_an_address_that_cannot_be_read_is_refused(sqlite_people: People, query: str):
    answer = sqlite_people.browser(sqlite_people.alice).get(f"/dashboard?{query}")

    assert answer.status_code == 422
    assert f"“{query.partition('=')[0]}”" in answer.text


def test_page_and_block_are_one_template(sqlite_people: People):
    with sqlite_people.app.app_context():
        _write(sqlite_people.team_id)
    browser = _in_team(sqlite_people, sqlite_people.vera)

    block = browser.fragment("/dashboard?by=model", "panel").text
    page = browser.get("/dashboard?by=model").text

    assert block.strip().startswith('<div id="panel"')
    assert "<html" not in block
    assert "<html" in page
    assert browser.fragment("/dashboard", "sync_state").text.strip().startswith('<div id="sync_state"')


def test_a_page_takes_at_most_fifteen_queries(people: People, count_queries: Callable):
    """Eleven for the bill and the shell; the wallet's line adds grants, use, plan and its price."""
    with people.app.app_context():
        _write(people.team_id)
        plan = {"provider_id": "sub_1", "status": "active", "price_provider_id": "price_1", "told_at": clock.now()}
        db.session.add(Subscription(workspace_id=people.team_id, **plan))
        db.session.commit()
    browser = _in_team(people, people.vera)
    browser.get("/dashboard")

    for query in ("", "?by=model&days=90", "?project=proj_a&by=model", "?day=2026-11-11&by=api_key"):
        with people.app.app_context(), count_queries() as counted:
            assert browser.get(f"/dashboard{query}").status_code == 200
        assert counted.number <= 15, counted.statements


def test_nobody_and_strangers_do_not_get_in(people: People):
    with people.app.app_context():
        _write(people.team_id)

    assert people.browser(None).get("/dashboard").headers["Location"].startswith("/login?next=")
    assert "$260.00" not in people.browser(people.charlie).get("/dashboard").text
    assert people.browser(None).get("/dashboard.csv").status_code in (303, 401)


# The export


def test_no_cell_of_the_export_can_start_a_formula(people: People):
    with people.app.app_context():
        _write(people.team_id)

    answer = _in_team(people, people.vera).get("/dashboard.csv?by=line_item")
    lines = answer.text.split("\r\n")

    assert answer.mimetype == "text/csv"
    assert 'filename="tokenboard-2026-11-01-2026-11-20-line_item.csv"' in answer.headers["Content-Disposition"]
    assert lines[0] == 'Day (UTC),Total USD,"gpt-4o, input",\'=evil,web search'
    assert lines[11] == "2026-11-11,70,7,60,3"
    assert lines[21] == "Total,260,140,60,60"


# The demo


def test_the_demo_is_loaded_marked_chosen_and_put_away(people: People):
    browser = people.browser(people.bob)

    loaded = browser.post("/demo")
    page = browser.get("/dashboard").text
    with people.app.app_context():
        workspace = demo.demo_of(people.bob.id)
        assert workspace is not None
        assert workspace.is_demo
        workspace_id = workspace.id

    assert loaded.status_code == 303
    assert "Demo: Northwind Research" in page
    assert "this is the demo workspace" in page.lower()
    assert "Sync now" not in page
    assert browser.post("/demo").status_code == 303  # again: the same one, up to today
    assert people.browser(people.charlie).post("/demo/remove", {"workspace_id": workspace_id}).status_code == 404
    assert browser.post("/demo/remove", {"workspace_id": people.bob.workspace_id}).status_code == 404
    assert browser.post("/demo/remove", {"workspace_id": workspace_id}).status_code == 303
    assert "Northwind" not in browser.get("/dashboard").text
    with people.app.app_context():
        assert db.session.get_one(Workspace, workspace_id).archived_at is not None
        assert db.session.query(Connection).count() == 0
