"""Bearer tokens: what they must say, and that nothing else opens the door."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import OctKey

from tokenboard.core.clock import now

SOMEBODY = "0e9a1ab1-8f6f-4e2e-874f-43dd0680a710"


def claims_of(token: str) -> dict:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def signed(claims: dict, secret: str, algorithm: str = "HS256") -> str:
    return jwt.encode({"alg": algorithm}, claims, OctKey.import_key(secret), algorithms=[algorithm])


def status(people, token: str, scheme: str = "Bearer") -> int:
    client = people.app.test_client(use_cookies=False)
    return client.get("/api/me", headers={"Authorization": f"{scheme} {token}"}).status_code


@pytest.fixture
def secret(sqlite_people) -> str:
    return sqlite_people.app.extensions["settings"].jwt_secret


@pytest.fixture
def good(sqlite_people) -> dict:
    return claims_of(sqlite_people.bearer(sqlite_people.alice).token)


def test_a_token_says_who_for_whom_until_when_and_for_which_session(sqlite_people):
    bearer = sqlite_people.bearer(sqlite_people.alice)

    claims = claims_of(bearer.token)

    assert claims["sub"] == sqlite_people.alice.id
    assert claims["sid"] == bearer.sign_in_id
    assert claims["iss"] == "http://localhost:8000"
    assert (claims["aud"], claims["typ"]) == ("tokenboard", "access")
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert claims["jti"]


def test_a_well_made_token_opens_the_door(sqlite_people, good, secret):
    assert status(sqlite_people, signed(good, secret)) == 200
    assert status(sqlite_people, signed(good, secret), scheme="bearer") == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aud", "another"),
        ("iss", "https://elsewhere.example"),
        ("typ", "refresh"),
        ("exp", 1),
        ("nbf", 4_000_000_000),
        ("iat", 4_000_000_000),
        ("exp", "tomorrow"),
        ("sub", SOMEBODY),
        ("sid", SOMEBODY),
        ("sid", "nonsense"),
        ("sub", 7),
    ],
)
def test_a_token_with_one_wrong_claim_is_refused(sqlite_people, good, secret, name, value):
    assert status(sqlite_people, signed(good | {name: value}, secret)) == 401


@pytest.mark.parametrize("name", ["aud", "iss", "typ", "exp", "nbf", "iat", "sub", "sid", "jti"])
def test_a_token_without_a_claim_is_refused(sqlite_people, good, secret, name):
    del good[name]

    assert status(sqlite_people, signed(good, secret)) == 401


def test_another_key_another_algorithm_and_none_are_refused(sqlite_people, good, secret):
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps(good).encode()).decode().rstrip("=")

    assert status(sqlite_people, signed(good, "another-secret-of-32-characters!")) == 401
    assert status(sqlite_people, signed(good, secret, "HS512")) == 401
    assert status(sqlite_people, f"{head}.{body}.") == 401
    assert status(sqlite_people, f"{head}.{body}") == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 40, "." * 50, "x" * 100_000, "null"])
def test_what_is_no_token_is_refused_without_a_crash(sqlite_people, token):
    assert status(sqlite_people, token.encode("utf-8").decode("latin-1")) == 401


def test_a_token_ends_with_its_time(people):
    bearer = people.bearer(people.alice)

    with time_machine.travel(now() + timedelta(minutes=14), tick=False):
        assert bearer.get("/api/me").status_code == 200
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        assert bearer.get("/api/me").status_code == 401


def test_a_token_ends_with_its_session(people):
    browser = people.browser()
    answer = browser.client.post("/api/auth/login", json={"email": people.bob.email, "password": people.bob.password})
    token = answer.json["token"]
    assert claims_of(token)["exp"] - claims_of(token)["iat"] == 12 * 3600
    assert status(people, token) == 200

    browser.post("/logout")

    assert status(people, token) == 401


def test_a_session_and_a_bearer_get_short_tokens_of_the_same_session(people):
    browser, bearer = people.browser(people.alice), people.bearer(people.alice)

    from_cookie = browser.post("/api/auth/token").json
    from_bearer = bearer.post("/api/auth/token").json

    assert status(people, from_cookie["token"]) == 200
    assert claims_of(from_bearer["token"])["sid"] == bearer.sign_in_id
    assert from_cookie["expiresAt"].endswith("Z")
    assert people.app.test_client().post("/api/auth/token", json={}).status_code == 401


def test_a_bearer_request_ignores_the_cookie(people):
    browser = people.browser(people.alice)

    answer = browser.get("/api/me", headers={"Authorization": "Bearer nonsense"})

    assert answer.status_code == 401
    assert answer.json["code"] == "unauthenticated"


def test_a_bearer_request_needs_no_csrf_token(people):
    assert people.bearer(people.alice).post("/api/workspaces", {"name": "By program"}).status_code == 201


def test_signing_out_by_bearer_ends_the_session_and_answers_204_twice(people):
    bearer = people.bearer(people.alice)

    assert bearer.post("/api/auth/logout").status_code == 204
    assert bearer.get("/api/me").status_code == 401
    assert bearer.post("/api/logout").status_code == 204
