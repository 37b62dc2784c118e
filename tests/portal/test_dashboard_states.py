"""The dashboard around a bill: none yet, arriving, refused, late; and *Sync now*."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from tests.costs.bills import NOVEMBER_20, Bill
from tests.people import People
from tests.portal.dashboards import in_team as _in_team, text as _text, write as _write
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs.models import Connection, SyncRun


@pytest.fixture(autouse=True)
def _on_20_november():
    with time_machine.travel(NOVEMBER_20, tick=False):
        yield


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


def _run(bill: Bill, *, state: str, done: int, reason: str = "backfill", waits: timedelta = timedelta(0)) -> None:
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
            next_attempt_at=now() + waits,
            error_message="OpenAI cannot be reached." if waits else "",
        )
    )
    db.session.commit()


def test_while_the_first_reading_runs_the_chart_shows_all_its_days_and_fills(people: People):
    with people.app.app_context():
        _run(_write(people.team_id), state="running", done=100)
        _never_read()
    browser = _in_team(people, people.vera)

    page, chosen = browser.get("/dashboard").text, browser.get("/dashboard?days=30").text

    assert "25 May – 20 Nov 2026" in _text(page)
    assert "Forecast" not in _text(page)  # this month has not arrived yet
    assert 'hx-get="/dashboard" hx-trigger="every 2s" hx-target="#panel"' in page
    assert "22 Oct – 20 Nov 2026" in _text(chosen)

    assert "Told as soon as the first reading is done." in _text(page)
    assert "is new" not in _text(page) + _text(chosen)


def _never_read() -> None:
    db.session.query(Connection).one().last_synced_at = None
    db.session.commit()


def test_a_new_keys_backfill_leaves_the_month_as_it_is(people: People):
    with people.app.app_context():
        _run(_write(people.team_id), state="running", done=100)

    page = _text(_in_team(people, people.vera).get("/dashboard").text)

    assert "100 of 180 days" in page
    assert "Spent this month" in page


def test_days_that_were_never_read_are_not_compared_with(people: People):
    with people.app.app_context():
        _write(people.team_id)  # from 1 September on
    page = _text(_in_team(people, people.vera).get("/dashboard?month=2026-09").text)

    assert "the bill of 1–31 Aug 2026 was not read in full" in page
    assert "is new" not in page
    assert "vs 1" not in page


def test_a_run_that_backs_off_is_not_watched_and_can_be_hurried(people: People):
    with people.app.app_context():
        _run(_write(people.team_id), state="waiting", done=0, reason="hourly", waits=timedelta(minutes=30))
        connection = db.session.query(Connection).one()
        connection.last_error, connection.last_error_code = "OpenAI cannot be reached.", "provider_unavailable"
        db.session.commit()

    page = _in_team(people, people.alice).get("/dashboard").text

    assert "It is tried again by itself in 30 min." in _text(page)
    assert "waiting for a worker" not in page
    assert "every 2s" not in page
    assert "Sync now" in page
    assert "disabled" not in _sync_button(people)


def _sync_button(people: People) -> str:
    page = _in_team(people, people.alice).get("/settings/connections").text
    return re.findall(r"<button ([^>]*)>", page.partition("Sync now")[0])[-1]


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
