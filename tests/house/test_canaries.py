"""Secrets that must never surface: put canaries in, walk through the product, look everywhere for them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import redis
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from tokenboard.core.db import db

PASSWORD = "canary-password-3f9a1c7e"
GOOD_KEY = "sk-admin-sandbox-canary-5d8e2b60"
BAD_KEY = "sk-admin-sandbox-revoked"
PAGES = (
    *("/dashboard", "/account", "/settings/general", "/settings/workspace", "/settings/connections"),
    *("/settings/budgets", "/settings/notifications", "/dev/outbox", "/api/me", "/api/connections", "/nowhere"),
)


def _register(client: FlaskClient) -> tuple[str, str]:
    """A person with the canary password; their bearer token and the session's token from the cookie."""
    answer = client.post("/api/auth/register", json={"email": "alice@example.com", "password": PASSWORD})
    assert answer.status_code == 201
    with client.session_transaction() as session:
        return answer.get_json()["token"], session["sign_in"]


def _walk(client: FlaskClient, token: str, run_jobs: Callable[[], int]) -> list[str]:
    """Use the product, well and badly; every answer's text but the one that hands out the token."""
    bearer = {"Authorization": f"Bearer {token}"}
    shown = []
    for key in (BAD_KEY, GOOD_KEY, "not a key"):
        answer = client.post("/api/openai/connect", json={"apiKey": key, "mode": "organization"}, headers=bearer)
        shown.append(answer.get_data(as_text=True))
    run_jobs()
    wrong = {"email": "alice@example.com", "password": PASSWORD + "x"}
    shown.append(client.post("/api/auth/login", json=wrong).get_data(as_text=True))
    shown += [client.get(path).get_data(as_text=True) for path in PAGES]
    shown.append(client.get("/api/me", headers={"Authorization": f"Bearer {token}x"}).get_data(as_text=True))
    return shown


def _database_dump(app: Flask) -> str:
    with app.app_context(), db.engine.connect() as connection:
        rows = (connection.execute(sa.select(table)).all() for table in db.metadata.sorted_tables)
        return "\n".join(repr(row) for table in rows for row in table)


def _queue_dump(redis_url: str) -> str:
    connection = redis.Redis.from_url(redis_url)
    readers: dict[bytes, Callable[[bytes], object]] = {
        b"string": connection.get,
        b"hash": connection.hgetall,
        b"list": lambda key: connection.lrange(key, 0, -1),
        b"set": connection.smembers,
        b"zset": lambda key: connection.zrange(key, 0, -1),
        b"stream": connection.xrange,
    }
    keys = list(connection.scan_iter())
    return "\n".join(repr((key, readers[connection.type(key)](key))) for key in keys)  # type: ignore[index]


def test_no_secret_surfaces_in_pages_logs_jobs_or_the_database(
    app: Flask, run_jobs: Callable[[], int], redis_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    client = app.test_client()
    token, session_token = _register(client)
    shown = "\n".join(_walk(client, token, run_jobs))
    places = {
        "pages": shown,
        "logs": "".join(capfd.readouterr()),
        "database": _database_dump(app),
        "queue": _queue_dump(redis_url),
    }
    canaries = {"password": PASSWORD, "provider key": GOOD_KEY, "session": session_token, "bearer token": token}
    found = [(name, place) for name, canary in canaries.items() for place, text in places.items() if canary in text]
    assert found == []
    assert re.search(r"alice@example\.com", places["logs"]) is None, "addresses are masked in logs"
    assert GOOD_KEY[-4:] in places["pages"], "the walk did show the connection: its last four characters"


def test_a_virtual_keys_secret_is_shown_once_and_surfaces_nowhere(
    app: Flask, run_jobs: Callable[[], int], redis_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    client = app.test_client()
    token, _ = _register(client)
    bearer = {"Authorization": f"Bearer {token}"}
    made = client.post("/api/keys", json={"name": "canary"}, headers=bearer).get_json()
    rotated = client.post(f"/api/keys/{made['key']['id']}/rotate", json={}, headers=bearer).get_json()
    client.get("/v1/models", headers={"Authorization": f"Bearer {made['secret']}"})
    run_jobs()
    pages = ("/keys", f"/keys/{made['key']['id']}", "/api/keys", "/dashboard", "/dev/outbox")
    places = {
        "pages": "\n".join(client.get(path).get_data(as_text=True) for path in pages),
        "logs": "".join(capfd.readouterr()),
        "database": _database_dump(app),
        "queue": _queue_dump(redis_url),
    }
    secrets = (made["secret"], rotated["secret"])
    assert [(place, secret[:10]) for place, text in places.items() for secret in secrets if secret in text] == []
    assert all(secret[:10] in places["pages"] for secret in secrets), "the pages did show the keys"
