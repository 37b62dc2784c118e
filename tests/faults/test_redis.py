"""Redis hangs, forgets, or is killed: people come in, nobody is locked out, sessions live on.

Source: reference "Reliability", F3. What becomes of purchases: tests/faults/test_purchases.py.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import settings_with
from tests.faults.conftest import QueueServer
from tests.people import People, Someone
from tokenboard.app import create_app
from tokenboard.core.db import db
from tokenboard.web.limits import limiter

QUICK_SECONDS = 10.0  # half a second for each thing that asks a Redis that hangs; without a limit it would be for ever


@pytest.fixture
def beside(sqlite_people: People, queue_server: QueueServer, sandbox_url: str, tmp_path: Path) -> Iterator[People]:
    """The cast in an application with a Redis of its own. The limiter is the process's: it is put back afterwards."""
    with sqlite_people.app.app_context():
        file = str(db.engine.url.database)
        db.engine.dispose()
    shutil.copyfile(file, tmp_path / "db.sqlite3")
    kept = dict(vars(limiter))
    given = sqlite_people.app.extensions["settings"]
    secrets = {"SECRET_KEY": given.secret_key, "PASSWORD_PEPPER": given.password_pepper}
    url = f"sqlite:///{tmp_path}/db.sqlite3"
    app = create_app(settings_with(url, queue_server.url, sandbox_url, tmp_path, **secrets))
    yield People(app, *(getattr(sqlite_people, name) for name in People.__slots__[1:]))
    with app.app_context():
        db.engine.dispose()
    vars(limiter).clear()
    vars(limiter).update(kept)


def _sign_in(app: Flask, someone: Someone, password: str = "") -> TestResponse:
    body = {"email": someone.email, "password": password or someone.password}
    return app.test_client().post("/api/auth/login", json=body)


def test_while_redis_hangs_people_sign_in_and_work(beside: People, queue_server: QueueServer):
    alice = beside.browser(beside.alice)
    queue_server.stop()
    begun = time.perf_counter()

    assert _sign_in(beside.app, beside.bob).status_code == 200
    assert [alice.get(path).status_code for path in ("/dashboard", "/credits")] == [200, 200]
    assert time.perf_counter() - begun < 3 * QUICK_SECONDS


def test_guesses_made_before_redis_forgot_lock_nobody_out(beside: People, queue_server: QueueServer):
    alice = beside.browser(beside.alice)
    for _ in range(6):
        _sign_in(beside.app, beside.bob, "not the password")
    assert _sign_in(beside.app, beside.bob).status_code == 429

    assert queue_server.empty() > 0
    assert _sign_in(beside.app, beside.bob).status_code == 200
    assert alice.get("/dashboard").status_code == 200
