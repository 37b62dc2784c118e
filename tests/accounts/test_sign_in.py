"""Signing in and out, by page and by JSON."""

from __future__ import annotations

import re

import bcrypt
import pytest
from sqlalchemy import select

from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db


def acts(app) -> list[tuple[str, str, str]]:
    with app.app_context():
        rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(row.act, row.actor, row.subject) for row in rows]


def sign_in(people, email: str, password: str, **headers: str):
    body = {"email": email, "password": password}
    return people.app.test_client().post("/api/auth/login", json=body, headers=headers)


def test_the_page_signs_in_and_leads_to_the_dashboard(people):
    browser = people.browser()

    answer = browser.post("/login", {"email": " Alice@Example.com ", "password": people.alice.password})

    assert (answer.status_code, answer.location) == (303, "/dashboard")
    assert browser.get("/api/me").json["user"]["email"] == "alice@example.com"


def test_json_signs_in_with_a_cookie_and_a_token(people):
    client = people.app.test_client()

    answer = client.post("/api/auth/login", json={"email": people.alice.email, "password": people.alice.password})

    assert answer.status_code == 200
    assert set(answer.json) == {"user", "token"}
    assert client.get("/api/me").status_code == 200
    bearer = {"Authorization": f"Bearer {answer.json['token']}"}
    assert people.app.test_client().get("/api/auth/me", headers=bearer).json["user"]["id"] == people.alice.id


def test_the_user_has_exactly_the_fields_of_the_contract(people):
    me = people.bearer(people.alice).get("/api/me").json

    assert set(me["user"]) == {
        *("id", "email", "displayName", "balance", "balanceMicros", "monthlyBudgetCents", "monthlySpentCents"),
        *("isAdmin", "createdAt", "updatedAt"),
    }
    assert {one["name"] for one in me["workspaces"]} == {"Alice’s workspace", "Acme"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", me["user"]["createdAt"])


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("alice@example.com", "wrong password"),
        ("nobody@example.com", "wrong password"),
        ("not an e-mail", "wrong password"),
        ("", "wrong password"),
        ("alice@example.com", ""),
        ("alice@example.com", "x" * 1000),
        ("alice@example.com", "nul\0byte"),
        ("alice@example.com", "é" * 73),
        ("nul\0@example.com", "whatever it is"),
    ],
)
def test_every_wrong_sign_in_gets_the_same_answer(people, email, password):
    answer = sign_in(people, email, password)

    assert answer.status_code == 401
    assert answer.json == {"error": "E-mail and password do not match.", "code": "invalid_credentials"}
    assert "Set-Cookie" not in answer.headers


def test_every_wrong_sign_in_costs_one_hash(sqlite_people, monkeypatch):
    costs = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: costs.append(given[1][:7]) or real(*given))

    for email in ("alice@example.com", "nobody@example.com", "not an e-mail"):
        sign_in(sqlite_people, email, "wrong password")

    assert costs == [b"$2b$04$"] * 3


def test_the_page_answers_a_known_and_an_unknown_e_mail_alike(sqlite_people):
    def page(email: str) -> str:
        browser = sqlite_people.browser()
        answer = browser.post("/login", {"email": email, "password": "wrong password"})
        assert answer.status_code == 422
        text = re.sub(r'name="csrf_token" value="[^"]+"|X-CSRFToken[^>]+', "", answer.text)
        assert "wrong password" not in text
        return text.replace(email, "…")

    assert page("alice@example.com") == page("nobody@example.com")


@pytest.mark.parametrize("body", ["{", "[]", '{"email": 1, "password": "x"}', '{"email": "a@b.c"}', '"x"', ""])
def test_a_body_of_the_wrong_shape_is_422_and_names_the_field(sqlite_people, body):
    answer = sqlite_people.app.test_client().post("/api/auth/login", data=body, content_type="application/json")

    assert answer.status_code == 422
    assert answer.json["code"] == "validation_failed"
    assert answer.json["fields"]


@pytest.mark.parametrize(
    "body", ['{"email":"\\ud800","password":"x"}', '{"email":"a","password":"\\udfff"}', "[" * 9999]
)
def test_hostile_json_is_refused_and_never_crashes(sqlite_people, body):
    answer = sqlite_people.app.test_client().post("/api/auth/login", data=body, content_type="application/json")

    assert answer.status_code in {401, 422}


def test_a_form_with_odd_bytes_is_only_a_wrong_sign_in(sqlite_people):
    browser = sqlite_people.browser()
    body = b"email=%ff%fe%00&password=%ed%a0%80%00&csrf_token=" + browser.csrf_token.encode()

    answer = browser.client.post("/login", data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/settings/general", "/settings/general"),
        ("/dashboard?month=2026-11", "/dashboard?month=2026-11"),
        ("https://evil.example/", "/dashboard"),
        ("//evil.example/", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("\\/evil.example", "/dashboard"),
        ("/%0d%0aSet-Cookie:x", "/%0d%0aSet-Cookie:x"),
        ("/\r\nSet-Cookie: x=1", "/dashboard"),
        ("/\tevil", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        ("settings", "/dashboard"),
        ("", "/dashboard"),
        ("/" + "x" * 600, "/dashboard"),
    ],
)
def test_after_signing_in_only_places_of_this_site_are_gone_to(sqlite_people, wanted, led_to):
    browser = sqlite_people.browser()

    answer = browser.post(
        "/login", {"email": "alice@example.com", "password": sqlite_people.alice.password, "next": wanted}
    )
    assert (answer.status_code, answer.location) == (303, led_to)
    # A signed-in visitor of the page itself is led on by the same rule.
    assert browser.get("/login", query_string={"next": wanted}).location == led_to


def test_the_old_address_leads_to_the_page_with_what_it_carried(sqlite_people):
    answer = sqlite_people.browser().get("/auth/signin?next=/settings/general")

    assert (answer.status_code, answer.location) == (308, "/login?next=/settings/general")


def test_a_page_behind_the_door_leads_to_sign_in_and_back(sqlite_people):
    answer = sqlite_people.browser().get("/settings/general")

    assert (answer.status_code, answer.location) == (303, "/login?next=/settings/general")


def test_a_form_without_its_token_is_refused(sqlite_people):
    client = sqlite_people.app.test_client()

    answer = client.post("/login", data={"email": "alice@example.com", "password": sqlite_people.alice.password})

    assert answer.status_code == 403
    assert client.get("/api/me").status_code == 401


@pytest.mark.parametrize(
    "path", ["/logout", "/theme", "/account/sessions/end-others", "/settings/general", "/workspaces"]
)
def test_no_page_of_a_signed_in_person_takes_a_form_without_a_token(sqlite_people, path):
    assert sqlite_people.browser(sqlite_people.alice).client.post(path, data={}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_site_cannot_sign_a_browser_in(sqlite_people, headers):
    answer = sign_in(sqlite_people, "alice@example.com", sqlite_people.alice.password, **headers)

    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_a_foreign_form_cannot_pass_for_json(sqlite_people):
    client = sqlite_people.app.test_client()
    body = '{"email": "alice@example.com", "password": "' + sqlite_people.alice.password + '"}'

    assert client.post("/api/auth/login", data=body, content_type="text/plain").status_code == 403


def test_signing_out_ends_the_session_and_clears_the_browser(people):
    browser = people.browser(people.alice)

    answer = browser.post("/logout")

    assert (answer.status_code, answer.location) == (303, "/login")
    assert "cache" in answer.headers["Clear-Site-Data"]
    assert browser.get("/api/me").status_code == 401
    assert browser.post("/logout").status_code == 303


def test_the_audit_log_knows_who_came_went_and_failed_but_not_what_was_typed(people):
    before = len(acts(people.app))
    browser = people.browser()
    browser.post("/login", {"email": "my secret password", "password": "typed into the wrong field"})
    browser.post("/login", {"email": people.alice.email, "password": people.alice.password})
    browser.post("/logout")

    failed, came, went = acts(people.app)[before:]

    assert failed[:2] == ("accounts.sign_in_failed", "nobody")
    assert "secret" not in failed[2]
    assert came[:2] == ("accounts.signed_in", people.alice.id)
    assert went == ("accounts.signed_out", people.alice.id, came[2])


def test_colours_are_kept_for_a_person_and_for_a_visitor(people):
    visitor, alice = people.browser(), people.browser(people.alice)

    for browser in (visitor, alice):
        answer = browser.post("/theme", {"theme": "dark"}, headers={"Referer": "http://localhost/login?x=1"})
        assert (answer.status_code, answer.location) == (303, "/login?x=1")
        browser.post("/theme", {"theme": "dark"})

    assert 'data-theme="dark"' in visitor.get("/").text
    assert 'data-theme="dark"' in people.browser(people.alice).get("/account").text


def test_unknown_colours_are_refused_and_a_foreign_page_is_not_gone_back_to(sqlite_people):
    browser = sqlite_people.browser()

    assert browser.post("/theme", {"theme": "pink"}).status_code == 422
    answer = browser.post("/theme", {"theme": "light"}, headers={"Referer": "https://evil.example/x"})
    assert answer.location == "/"
