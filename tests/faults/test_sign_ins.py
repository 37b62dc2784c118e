"""A sign-in beside streams: its password hash is worked out aside, and no answer waits for it."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import House
from tests.faults.readers import read
from tests.faults.site import SHORT, Site, site

pytestmark = pytest.mark.slow

COST = "12"  # as in production: some 250 ms a hash
LONGEST_STALL_SECONDS = 0.15  # of processor time; one hash takes 0.25 and more


@pytest.fixture
def app(postgresql_house: House) -> Flask:
    """On PostgreSQL only: there every request shares one thread."""
    postgresql_house.empty()
    return postgresql_house.app


def test_no_stream_waits_for_a_password_hash(app: Flask, tmp_path: Path):
    with site(app, tmp_path, has_worker=False, WEB_CONCURRENCY="1", BCRYPT_COST=COST) as running:
        streams = [threading.Thread(target=read, args=(running.port, running.wish(SHORT))) for _ in range(5)]
        for stream in streams:
            stream.start()
        _asked(running, "POST", "/test/hub/watch")
        signed_in = [_asked(running, "POST", "/api/auth/login", _wrong(number)) for number in range(3)]
        longest = _asked(running, "GET", "/test/hub/longest")[1]["seconds"]
        for stream in streams:
            stream.join()

    assert [status for status, _ in signed_in] == [401] * 3
    assert longest < LONGEST_STALL_SECONDS


def _wrong(number: int) -> dict[str, str]:
    return {"email": f"nobody-{number}@example.com", "password": "not the password"}


def _asked(running: Site, method: str, path: str, body: object = None) -> tuple[int, dict[str, float]]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)) as connection:
        connection.request(method, path, json.dumps(body or {}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else {}
