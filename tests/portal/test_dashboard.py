"""The dashboard: every view is an address, page and block, with and without a bill, for each role."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine

from tests.costs.bills import NOVEMBER_20, Bill
from tests.costs.counting import count_queries as count_queries
from tests.people import Browser, People, Someone
from tokenboard.core.clock import days_between, now
from tokenboard.core.db import db
from tokenboard.costs.models import Budget, Connection, SyncRun
from tokenboard.demo import service as demo
from tokenboard.workspaces.models import Workspace

USD = 1_000_000_000


@pytest.fixture(autouse=True)
def _on_20_november():
    with time_machine.travel(NOVEMBER_20, tick=False):
        yield


def _in_team(people: People, someone: Someone) -> Browser:
    browser = people.browser(someone)
    browser.post("/workspaces/switch", {"workspace_id": people.team_id})
    return browser


def _write(workspace_id: str) -> Bill:
    """Two projects, seven weeks, 10 dollars a day together; the 11th cost 60 more."""
    days = {
        day: [("proj_a", "gpt-4o, input", "key_1", 7 * USD), ("proj_b", "web search", "", 3 * USD)]
        for day in days_between(date(2026, 9, 1), date(2026, 11, 20))
    }
    days[date(2026, 11, 11)].append(("proj_b", "=evil", "", 60 * USD))
    return Bill.of(workspace_id).tell(days).saw_models("gpt-4o").names({"proj_a": "Search", "proj_b": "Chat & <b>"})


def _text(html: str) -> str:
    """What is read: no tags, plain spaces."""
    plain = re.sub(r"<[^>]+>", " ", html).replace("\xa0", " ").replace("&amp;", "&").replace("&lt;", "<")
    return " ".join(plain.replace("&gt;", ">").replace("&#34;", '"').split())


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
    "query", ["month=2026-13", "month=2026-12", "days=8", "by=colour", "provider=acme", "day=tomorrow", "name=a%00b"]
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


def test_a_page_takes_at_most_twelve_queries(people: People, count_queries: Callable):
    with people.app.app_context():
        _write(people.team_id)
    browser = _in_team(people, people.vera)
    browser.get("/dashboard")

    for query in ("", "?by=model&days=90", "?project=proj_a&by=model", "?day=2026-11-11&by=api_key"):
        with people.app.app_context(), count_queries() as counted:
            assert browser.get(f"/dashboard{query}").status_code == 200
        assert counted.number <= 12, counted.statements


def test_nobody_and_strangers_do_not_get_in(people: People):
    with people.app.app_context():
        _write(people.team_id)

    assert people.browser(None).get("/dashboard").headers["Location"].startswith("/login?next=")
    assert "$260.00" not in people.browser(people.charlie).get("/dashboard").text
    assert people.browser(None).get("/dashboard.csv").status_code in (303, 401)


# Without a bill


def test_an_empty_workspace_offers_what_works_now(people: People):
    page = people.browser(people.alice).get("/dashboard").text

    assert "Connect OpenAI" in page
    assert "Load demo data" in page
    assert 'name="api_key"' in page
    assert 'aria-current="step"' in page


def test_a_viewer_is_told_whom_to_ask(people: People):
    page = _in_team(people, people.vera).get("/dashboard").text

    assert "Ask the owner or an admin" in page
    assert 'name="api_key"' not in page


def test_a_first_reading_shows_how_far_it_is_and_asks_again(people: People):
    with people.app.app_context():
        bill = Bill.of(people.team_id)
        _run(bill, state="running", done=87)
        connection = db.session.get_one(Connection, bill.connection_id)
        connection.last_synced_at = None
        db.session.commit()

    page = _in_team(people, people.vera).get("/dashboard").text

    assert "87 of 180 days" in page
    assert 'hx-trigger="every 2s" hx-target="#panel"' in page
    assert "<noscript><meta http-equiv" in page


def _run(bill: Bill, *, state: str, done: int, reason: str = "backfill") -> None:
    today = now().date()
    db.session.add(
        SyncRun(
            connection_id=bill.connection_id,
            reason=reason,
            state=state,
            since_on=today - timedelta(days=179),
            until_on=today,
            reached_on=today - timedelta(days=179 - done),
            lease_expires_at=now() + timedelta(minutes=1),
        )
    )
    db.session.commit()


def test_while_the_first_reading_runs_the_chart_shows_all_its_days_and_fills(people: People):
    with people.app.app_context():
        _run(_write(people.team_id), state="running", done=100)
    browser = _in_team(people, people.vera)

    page, chosen = browser.get("/dashboard").text, browser.get("/dashboard?days=30").text

    assert "25 May – 20 Nov 2026" in _text(page)
    assert "Forecast" not in _text(page)  # this month has not arrived yet
    assert 'hx-get="/dashboard" hx-trigger="every 2s" hx-target="#panel"' in page
    assert "22 Oct – 20 Nov 2026" in _text(chosen)


def test_a_later_reading_polls_its_own_line_and_fetches_the_panel_when_done(people: People):
    with people.app.app_context():
        _run(_write(people.team_id), state="running", done=3, reason="hourly")
    browser = _in_team(people, people.vera)

    while_running = browser.fragment("/dashboard?was=running", "sync_state").text
    with people.app.app_context():
        db.session.query(SyncRun).filter_by(state="running").update({"state": "done"})
        db.session.commit()
    when_done = browser.fragment("/dashboard?was=running", "sync_state").text

    assert 'hx-get="/dashboard?was=running" hx-trigger="every 2s" hx-target="#sync_state"' in while_running
    assert 'hx-get="/dashboard" hx-trigger="load" hx-target="#panel"' in when_done
    assert "every 2s" not in when_done


def test_a_rejected_key_says_why_and_where_it_is_cured(people: People):
    with people.app.app_context():
        _write(people.team_id)
        connection = db.session.query(Connection).one()
        connection.status, connection.last_error = "rejected", "OpenAI says: Missing scopes: api.usage.read."
        db.session.commit()

    page = _in_team(people, people.dave).get("/dashboard").text

    assert "OpenAI refuses the key ending in t3st" in page
    assert "Missing scopes: api.usage.read." in page
    assert 'href="/settings/connections">Replace the key' in page
    assert "$260.00" in page  # what is known stays


def test_a_bill_that_is_late_says_so(people: People):
    with people.app.app_context():
        _write(people.team_id)
        db.session.query(Connection).one().last_synced_at = now() - timedelta(days=2)
        db.session.commit()

    assert "was last read 2 days ago" in _text(_in_team(people, people.vera).get("/dashboard").text)


# Sync now


def test_only_the_owner_syncs_by_hand(people: People):
    with people.app.app_context():
        _write(people.team_id)

    assert "Sync now" in _in_team(people, people.alice).get("/dashboard").text
    for someone, status in ((people.dave, 403), (people.vera, 403), (people.charlie, 404)):
        assert "Sync now" not in _in_team(people, someone).get("/dashboard").text
        answer = people.browser(someone).post("/dashboard/sync", {"workspace_id": people.team_id})
        assert answer.status_code == status


def test_sync_now_queues_one_run_and_comes_back(people: People):
    with people.app.app_context():
        _write(people.team_id)
        db.session.query(SyncRun).delete()
        db.session.commit()
    browser = people.browser(people.alice)
    form = {"workspace_id": people.team_id, "next": "/dashboard?by=model"}

    first, again = browser.post("/dashboard/sync", form), browser.post("/dashboard/sync", form)
    elsewhere = browser.post("/dashboard/sync", form | {"next": "https://evil.example/"})

    assert (first.status_code, first.headers["Location"]) == (303, "/dashboard?by=model")
    assert again.status_code == 303
    assert elsewhere.headers["Location"] == "/dashboard"
    with people.app.app_context():
        assert [run.state for run in db.session.query(SyncRun)] == ["waiting"]


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
