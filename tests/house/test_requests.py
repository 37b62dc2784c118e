"""What every request must pass, whatever it asks for: hosts, proxies, bodies; what a GET and a field may not do.

Source: reference/security.md 3.1 and 8, items 7, 11, 19; reference/reliability.md, cases 22 and 24.
"""

from __future__ import annotations

import dataclasses
from io import BytesIO

import pytest
import redis
from flask import Flask, request
from sqlalchemy import select

from tests.house.cells import samples
from tests.house.test_matrix import _ask, _is_to_come, _rows
from tests.house.watching import Watch
from tests.people import PASSWORD, People
from tokenboard.accounts.models import Person, SignIn
from tokenboard.core.db import db, new_id
from tokenboard.web import security

# The calls that may write by GET, each for its reason: a cron service that knows no POST, a provider that sends buyers
# back, a link that a provider makes anew each time.
MAY_WRITE = {
    "GET /api/cron/sync-openai",
    "GET /payments/paystack/callback",
    "GET /api/billing/portal-link",
}


def test_looking_changes_nothing(sqlite_people: People, redis_url: str) -> None:
    people, line = sqlite_people, redis.Redis.from_url(redis_url)
    sent, alice, found = samples(people), people.browser(people.alice), []
    with alice.client.session_transaction() as session:
        session["workspace_id"] = people.team_id
    for path in ("/dashboard", "/chat", "/credits"):
        alice.get(path)  # a first visit may note that somebody is here
    with Watch(people.app) as watch:
        before = watch.rows()
        for row in _rows():
            if row.method != "GET" or row.call in MAY_WRITE or _is_to_come(row, people.app):
                continue
            line.flushdb()
            _ask(alice, row, sent[row.call])
            if watch.has_moved() and (after := watch.rows()) != before:
                found.append((row.call, [name for name in after if after[name] != before[name]]))
                before = after
    assert found == []


@pytest.mark.parametrize("host", ["evil.example", "localhost:8000@evil.example", "localhost.evil.example"])
def test_a_host_that_is_not_ours_is_refused_and_no_link_names_it(sqlite_people: People, host: str) -> None:
    form = {"email": "alice@example.com"}
    answer = sqlite_people.browser().post("/forgot", form, headers={"Host": host})

    assert answer.status_code == 400
    assert host not in answer.text


def test_a_body_whose_length_nobody_tells_is_refused(sqlite_app: Flask) -> None:
    answer = sqlite_app.test_client().post(
        "/api/auth/login",
        input_stream=BytesIO(b'{"email": "a@example.com"}'),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"CONTENT_LENGTH": ""},
        content_type="application/json",
    )

    assert (answer.status_code, answer.json["code"]) == (411, "length_required")


def test_a_body_that_says_it_is_huge_is_refused_unread(sqlite_app: Flask) -> None:
    told = {"CONTENT_LENGTH": str(100 * 2**20)}
    for path in ("/login", "/api/auth/login", "/api/webhooks/stripe", "/v1/chat/completions"):
        answer = sqlite_app.test_client().post(path, data=b"x", environ_overrides=told)
        assert answer.status_code in {413, 401, 503}, path


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
def test_methods_that_nobody_needs_are_answered_by_nobody(sqlite_app: Flask, method: str) -> None:
    assert sqlite_app.test_client().open("/", method=method).status_code == 405


@pytest.mark.parametrize(("hops", "address", "is_secure"), [(0, "10.0.0.9", False), (1, "203.0.113.7", True)])
def test_what_a_proxy_says_counts_only_where_there_is_one(
    sqlite_app: Flask, hops: int, address: str, is_secure: bool
) -> None:
    given = dataclasses.replace(sqlite_app.extensions["settings"], proxy_hops=hops, trusted_hosts=())
    app = Flask("behind")
    app.extensions["settings"] = given
    security.init_app(app, given)
    app.add_url_rule("/", view_func=lambda: {"address": request.remote_addr, "is_secure": request.is_secure})
    # The first address is what a client has made up; the last is what the proxy has seen.
    told = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    answer = app.test_client().get("/", headers=told, environ_overrides={"REMOTE_ADDR": "10.0.0.9"})

    assert answer.json == {"address": address, "is_secure": is_secure}
    assert ("Strict-Transport-Security" in answer.headers) is is_secure


def test_a_client_cannot_choose_the_address_it_is_seen_from(sqlite_people: People) -> None:
    body = {"email": sqlite_people.bob.email, "password": PASSWORD}
    sqlite_people.app.test_client().post("/api/auth/login", json=body, headers={"X-Forwarded-For": "6.6.6.6"})

    with sqlite_people.app.app_context():
        seen = db.session.scalars(select(SignIn.ip_address).where(SignIn.person_id == sqlite_people.bob.id)).all()
    assert "127.0.0.1" in seen
    assert "6.6.6.6" not in seen


def test_a_field_that_is_not_asked_for_changes_nothing(sqlite_people: People) -> None:
    people = sqlite_people
    more = {"isAdmin": True, "is_admin": True, "balance": 10**9, "balanceMicros": 10**15, "email": "x@example.com"}
    more |= {"monthlyBudgetCents": None, "emailVerifiedAt": "2026-01-01", "id": new_id(), "personId": people.alice.id}
    bob = people.bearer(people.bob)
    before = bob.get("/api/me").json["user"]
    assert bob.patch("/api/account", json={"displayName": "Bob"} | more).status_code == 200
    people.browser(people.bob).post("/settings/general", {"display_name": "Bob", "is_admin": "1", "email": "x@x.com"})
    after = bob.get("/api/me").json["user"]

    unchanged = ("id", "email", "isAdmin", "balance", "balanceMicros", "monthlyBudgetCents")
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}
    made = people.bearer(people.alice).post("/api/workspaces", json={"name": "Mine", "isPersonal": True} | more).json
    assert (made["workspace"]["balance"], made["workspace"]["isPersonal"]) == (0, False)
    with people.app.app_context():
        assert db.session.scalar(select(db.func.count()).where(Person.is_admin.is_(True))) == 1


def test_whoever_is_turned_away_leaves_a_line_without_what_was_asked_for(
    sqlite_people: People, caplog: pytest.LogCaptureFixture
) -> None:
    people = sqlite_people
    with caplog.at_level("INFO", logger="tokenboard.web"):
        people.browser(people.charlie).get(f"/api/workspaces/{people.team_id}/members")
        people.browser(people.bob).post("/settings/workspace", {"workspace_id": people.team_id, "name": "Mine"})
        people.app.test_client().get("/api/me")
    lines = [(vars(one)["code"], vars(one)["rule"]) for one in caplog.records if one.getMessage() == "refused"]

    assert ("not_found", "/api/workspaces/<id:workspace_id>/members") in lines
    assert ("forbidden", "/settings/workspace") in lines
    assert ("unauthenticated", "/api/me") in lines
    assert not [one for one in caplog.records if people.team_id in str(vars(one))]
