"""/usage: what was used, by model, key, person, source and day; single requests with their receipts; files of both."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.costs.counting import count_queries
from tests.metering.calling import Told, begin, fund, price, record, settle
from tests.people import People
from tests.portal.using import Using, make_key, team_browser
from tokenboard.core.clock import midnight, today
from tokenboard.core.db import db
from tokenboard.metering import usage_trends
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.usage_rules import By, Filters, Span
from tokenboard.portal import usage_log, usage_page
from tokenboard.portal.usage_names import names
from tokenboard.portal.usage_view import read_view

__all__ = ["count_queries"]


@pytest.fixture
def using(people: People) -> Using:
    return Using(people, make_key(people))


@pytest.fixture
def used(using: Using) -> Using:
    """Bob's key asked gpt-4o three times; the chat asked claude twice, once in vain; yesterday one more."""
    using.use(3)
    using.use(1, source="chat", key_id=None, model="claude", credits_micros=1_000_000, cost_nano_usd=10_000_000)
    using.use(1, source="chat", key_id=None, model="claude", status="failed", error_code="upstream_error",
              credits_micros=0, cost_nano_usd=0, completion_tokens=0, first_token_ms=None)  # fmt: skip
    using.use(1, occurred_at=midnight(today()) - timedelta(hours=1), person_id=None)
    return using


def test_the_page_tells_what_was_used_and_every_request(used: Using):
    text = team_browser(used.people, used.people.vera).get("/usage").get_data(as_text=True)

    assert "2.40 credits; $0.0240 at list price" in text.replace("&nbsp;", " ")
    assert "claude" in text
    assert "gpt-4o" in text
    assert "build bot" in text
    assert "upstream_error" in text
    assert text.count('class="receipt-row"') == 6


def test_each_filter_is_in_the_address_and_narrows_sums_and_log_alike(used: Using):
    browser = team_browser(used.people, used.people.alice)
    for query, requests in (
        ("model=claude", 2),
        ("source=key", 4),
        (f"key={used.key_id}", 4),
        (f"person={used.people.bob.id}", 5),
        ("days=1", 5),
        (f"from={today() - timedelta(days=1)}&to={today() - timedelta(days=1)}", 1),
        ("model=claude&by=day", 2),
    ):
        text = browser.get(f"/usage?{query}").get_data(as_text=True)
        assert text.count('class="receipt-row"') == requests, query
        assert f'<strong class="kpi-value">{requests}</strong>' in text, query


def test_an_ending_narrows_the_log_alone(used: Using):
    browser = team_browser(used.people, used.people.alice)

    text = browser.fragment("/usage?status=failed", "usage_log").get_data(as_text=True)

    assert text.lstrip().startswith('<section id="usage_log"')
    assert text.count('class="receipt-row"') == 1
    assert '<strong class="kpi-value">6</strong>' in browser.get("/usage?status=failed").get_data(as_text=True)


def test_the_log_is_paged_by_keyset_and_no_request_is_left_out_or_repeated(using: Using):
    using.use(60)
    browser, seen, href = team_browser(using.people, using.people.alice), [], "/usage"
    while href:
        text = browser.get(href).get_data(as_text=True)
        seen += re.findall(r'id="receipt_([0-9a-f-]{36})"', text)
        older = re.search(r'href="([^"]*cursor=[^"]*)"[^>]*>(?:(?!</a>).)*Older', text)
        href = older.group(1).replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == 60


def test_a_receipt_opens_in_place_and_is_a_page_without_a_script(used: Using):
    chosen = db.select(UsageRecord.id).where(UsageRecord.model == "claude", UsageRecord.status == "ok")
    with used.people.app.app_context():
        address = f"/usage/requests/{db.session.scalars(chosen).one()}"
    browser = team_browser(used.people, used.people.vera)

    in_place = browser.fragment(address, "receipt_x").get_data(as_text=True)

    assert in_place.lstrip().startswith('<div class="receipt-lines">')
    assert "1 credits" in in_place
    assert "<h1>Receipt of a request</h1>" in browser.get(address).get_data(as_text=True)
    assert used.people.browser(used.people.charlie).get(address).status_code == 404


def test_an_address_that_cannot_be_read_is_refused_by_name(sqlite_people: People):
    browser = sqlite_people.browser(sqlite_people.alice)
    for query in ("days=31", "by=mood", "model=%01", "key=1", "person=x", "source=mail", "status=fine", "cursor=x",
                  "from=2026-02-30", "from=2026-02-02&to=2026-02-01", "from=2024-01-01&to=2026-01-01"):  # fmt: skip
        assert browser.get(f"/usage?{query}").status_code == 422, query


def test_nothing_used_leads_on_and_nothing_found_leads_back(using: Using):
    assert "Start a chat" in using.people.browser(using.people.alice).get("/usage").get_data(as_text=True)
    using.use(1)
    text = team_browser(using.people, using.people.alice).get("/usage?model=none-such").get_data(as_text=True)
    assert "Take the filters away" in text


def test_the_older_address_leads_here_with_its_query(sqlite_people: People):
    answer = sqlite_people.browser(sqlite_people.alice).get("/analytics?days=7")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/usage?days=7")


# Files


def _table(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def test_the_files_hold_what_the_page_shows_to_the_last_digit(used: Using):
    browser = team_browser(used.people, used.people.vera)

    rows = _table(browser.get("/usage.csv?by=key"))
    requests = _table(browser.get("/usage/requests.csv"))

    assert [(row["Key"], row["Requests"], row["Credits"]) for row in rows] == [
        ("build bot", "4", "1.400000"),
        ("Without a key", "2", "1.000000"),
        ("Total", "6", "2.400000"),
    ]
    assert len(requests) == 6
    assert [row["Error"] for row in requests if row["Status"] == "failed"] == ["upstream_error"]
    assert len(_table(browser.get("/usage/requests.csv?status=failed"))) == 1
    assert {row["Person"] for row in requests} == {"Bob", ""}


def test_a_name_that_a_spreadsheet_would_run_stays_text(using: Using):
    using.use(1, key_id=make_key(using.people, "=HYPERLINK(1)"))
    text = team_browser(using.people, using.people.alice).get("/usage.csv?by=key").get_data(as_text=True)
    assert "'=HYPERLINK(1)" in text


# JSON


def test_json_tells_the_same(used: Using):
    program = used.people.bearer(used.people.vera)
    team = {"workspaceId": used.people.team_id}

    found = program.get("/api/usage/summary", query_string=team | {"by": "model"}).get_json()
    logs = program.get("/api/usage/logs", query_string=team | {"limit": 4}).get_json()
    rest = program.get("/api/usage/logs", query_string=team | {"limit": 4, "cursor": logs["nextCursor"]}).get_json()

    assert [(one["key"], one["requests"], one["errors"], one["credits"]) for one in found["items"]] == [
        ("gpt-4o", 4, 0, 1.4),
        ("claude", 2, 1, 1),
    ]
    assert (found["total"]["latencyP50Ms"], found["total"]["usd"]) == (2_500, 0.024)
    assert (len(logs["logs"]), len(rest["logs"]), rest["nextCursor"]) == (4, 2, None)
    assert {one["keyName"] for one in logs["logs"] + rest["logs"]} == {"build bot", None}


def test_json_names_keys_and_people_and_writes_files(used: Using):
    program, team = used.people.bearer(used.people.vera), {"workspaceId": used.people.team_id}
    for by, wanted in (("key", {"build bot", "Without a key"}), ("user", {"Bob", "Nobody in particular"})):
        items = program.get("/api/usage/summary", query_string=team | {"by": by}).get_json()["items"]
        assert {one["name"] for one in items} == wanted
    days = program.get("/api/usage/summary", query_string=team | {"by": "day"}).get_json()["items"]
    assert len(days) == 30
    for path, rows in (("/api/usage/summary", 3), ("/api/usage/logs", 6)):
        assert len(_table(program.get(path, query_string=team | {"format": "csv"}))) == rows


def test_what_json_cannot_read_is_refused_by_name(sqlite_people: People):
    program = sqlite_people.bearer(sqlite_people.alice)
    for query, field in (("by=mood", "by"), ("keyId=1", "keyId"), ("userId=x", "userId"), ("model=%01", "model"),
                         ("from=2026-02-02&to=2026-02-01", "from"), ("from=2020-01-01", "from")):  # fmt: skip
        answer = program.get(f"/api/usage/summary?{query}")
        assert (answer.status_code, list(answer.get_json()["fields"])) == (422, [field]), query


# One truth, few queries


def test_the_totals_are_those_of_the_wallet_and_of_every_other_call(people: People):
    with people.app.app_context():
        price()
        fund(people.team_id, 100)
        for _ in range(3):
            call = begin(people)
            record(call, "Yes.")
            settle(call, usage=Told(9, 4))
    program, team = people.bearer(people.alice), {"workspaceId": people.team_id}

    def asked(path: str, **more: str) -> dict:
        return program.get(path, query_string=team | more).get_json()

    total = asked("/api/usage/summary")["total"]
    assert total["credits"] == pytest.approx(100 - asked("/api/billing/balance")["balance"])
    assert total["credits"] == pytest.approx(sum(one["credits"] for one in asked("/api/billing/usage")["usage"]))
    assert total["credits"] == pytest.approx(sum(one["credits"] for one in asked("/api/usage/logs")["logs"]))
    assert total["credits"] == pytest.approx(sum(one["credits"] for one in asked("/api/dashboard")["recentUsage"]))
    assert total["credits"] == pytest.approx(
        -sum(one["amount"] for one in asked("/api/credits/ledger")["entries"] if one["amount"] < 0)
    )
    assert "0.0188 credits" in team_browser(people, people.alice).get("/usage").get_data(as_text=True)


def test_the_page_asks_five_questions_whatever_it_shows(used: Using, count_queries):
    for query in ({}, {"by": "key", "model": "gpt-4o"}, {"by": "day"}, {"by": "user", "days": "90"}):
        view = read_view(query, today())
        with used.people.app.app_context(), count_queries() as counted:
            chosen = usage_page.choices(used.people.team_id, view)
            named = names(used.people.team_id, chosen)
            usage_page.build(used.people.team_id, view, named)
            usage_log.build(used.people.team_id, view, named)
        assert counted.number == (4 if view.by == By.DAY else 5), query


@pytest.mark.parametrize("by", [By.MODEL, By.KEY, By.USER, By.SOURCE, By.DAY])
def test_the_chart_sums_to_the_records(used: Using, by: By):
    span = Span(today() - timedelta(days=3), today())
    with used.people.app.app_context():
        found = usage_trends.daily_credits(used.people.team_id, span, by, Filters())
    assert sum(sum(days.values()) for days in found.values()) == 2_400_000
