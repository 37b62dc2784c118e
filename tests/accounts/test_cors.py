"""Other origins: a listed one may call /api/ with a bearer token; nobody else, and never with a cookie."""

from __future__ import annotations

import dataclasses

import pytest

from tests.people import PASSWORD

LISTED = "https://app.example.com"


@pytest.fixture
def listed_people(sqlite_people, monkeypatch):
    """The cast, in an application whose settings list one origin."""
    extensions = sqlite_people.app.extensions
    listing = dataclasses.replace(extensions["settings"], cors_origins=(LISTED,))
    monkeypatch.setitem(extensions, "settings", listing)
    return sqlite_people


def preflight(app, origin: str, path: str = "/api/me"):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    return app.test_client().options(path, headers=headers)


def test_a_listed_origin_passes_its_preflight_without_credentials(listed_people):
    answer = preflight(listed_people.app, LISTED)

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "https://app.example.com.evil.example", "null", "*"])
def test_no_other_origin_is_named(listed_people, origin):
    assert "Access-Control-Allow-Origin" not in preflight(listed_people.app, origin).headers
    bearer = listed_people.bearer(listed_people.alice).get("/api/me", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in bearer.headers


def test_only_the_api_is_open(listed_people):
    assert "Access-Control-Allow-Origin" not in preflight(listed_people.app, LISTED, "/login").headers


def test_its_front_end_signs_in_gets_a_token_and_uses_it_but_no_cookie(listed_people):
    client = listed_people.app.test_client()
    body = {"email": "alice@example.com", "password": PASSWORD}
    headers = {"Origin": LISTED, "Sec-Fetch-Site": "cross-site"}

    signed_in = client.post("/api/auth/login", json=body, headers=headers)

    assert signed_in.status_code == 200
    assert signed_in.headers["Access-Control-Allow-Origin"] == LISTED
    assert "Set-Cookie" not in signed_in.headers
    with_token = headers | {"Authorization": f"Bearer {signed_in.json['token']}"}
    assert client.get("/api/me", headers=with_token).headers["Access-Control-Allow-Origin"] == LISTED
    assert client.post("/api/workspaces", json={"name": "From afar"}, headers=with_token).status_code == 201


def test_a_cookie_opens_nothing_from_a_listed_origin(listed_people):
    browser = listed_people.browser(listed_people.alice)

    assert browser.get("/api/me", headers={"Origin": LISTED}).status_code == 401
    assert browser.post("/api/workspaces", json={"name": "x"}, headers={"Origin": LISTED}).status_code == 401


def test_without_a_list_no_origin_is_named(sqlite_people):
    assert "Access-Control-Allow-Origin" not in preflight(sqlite_people.app, LISTED).headers
