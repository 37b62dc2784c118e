"""A PostgreSQL that restarts under load, and a disk that is really full (F4, F6)."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests
from flask import Flask
from flask_migrate import upgrade

from tests.conftest import MIGRATIONS, settings_with
from tests.faults.site import Site, site
from tests.people import settle
from tests.postgres import NoPostgres, Server, restartable_postgres
from tokenboard.app import create_app
from tokenboard.core.db import db
from tokenboard.ledger import invariants, queries as ledger
from tokenboard.workspaces.models import Workspace

RESTARTS, SPENDERS = 5, 4
SPEND = "/api/credits/spend"


@pytest.fixture
def server() -> Iterator[Server]:
    try:
        with restartable_postgres(is_durable=True) as running:
            yield running
    except NoPostgres as why:
        pytest.skip(f"no PostgreSQL on this machine: {why}")


def _balance(app: Flask, workspace_id: str) -> int:
    with app.app_context():
        assert invariants.check() == []
        return ledger.balance(db.session.get_one(Workspace, workspace_id).ledger_account_id).posted_micros


def test_five_restarts_under_load_cost_answers_and_no_credit(server: Server, redis_url: str, tmp_path: Path):
    app = create_app(settings_with(server.url, redis_url, "", tmp_path))
    with app.app_context():
        upgrade(directory=MIGRATIONS)
    with site(app, tmp_path) as running:
        alice = running.people.alice
        before, token = _balance(app, alice.workspace_id), running.people.bearer(alice).token
        told: dict[str, int] = {}
        ending = threading.Event()
        spenders = [threading.Thread(target=_spend_on, args=(running, token, n, told, ending)) for n in range(SPENDERS)]
        for one in spenders:
            one.start()
        for _ in range(RESTARTS):
            ending.wait(1.5)
            server.restart()
        ending.wait(1.5)
        ending.set()
        for one in spenders:
            one.join()
        redis.Redis.from_url(redis_url).flushdb()
        again = {key: _spend(running, token, key) for key in told}

    with app.app_context():
        db.engine.dispose()  # this process has not asked since, and would find its own line cut
    assert set(told.values()) <= {200, 503}, "only answers and sentences"
    assert set(again.values()) == {200}, "by itself as before"
    assert 503 in told.values(), "nobody was there while it was away"
    assert before - _balance(app, alice.workspace_id) == len(told) * 1_000_000, "each once"
    with app.app_context():
        db.engine.dispose()


def _spend_on(running: Site, token: str, number: int, told: dict[str, int], ending: threading.Event) -> None:
    turn = 0
    while not ending.wait(0.2):  # together fewer than one address may ask
        key, turn = f"{number}-{turn}", turn + 1
        told[key] = _spend(running, token, key)


def _spend(running: Site, token: str, key: str) -> int:
    body = {"amount": 1, "reason": "fault", "idempotencyKey": key}
    headers = {"Authorization": f"Bearer {token}"}
    url = f"http://127.0.0.1:{running.port}{SPEND}"
    return requests.post(url, json=body, headers=headers, timeout=40).status_code


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()[:100]}")
    try:
        yield folder
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_disk_that_is_full_refuses_writing_and_loses_nothing(small_disk: Path, redis_url: str, tmp_path: Path):
    app = create_app(settings_with(f"sqlite:///{small_disk}/db.sqlite3", redis_url, "", tmp_path))
    with app.app_context():
        upgrade(directory=MIGRATIONS)
    people = settle(app)
    alice, told = people.bearer(people.alice), 0
    before = _balance(app, people.alice.workspace_id)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4_096)
    while (answer := _on(alice, told)).status_code == 200:
        told += 1
        redis.Redis.from_url(redis_url).flushdb()
        assert told < 5_000

    assert answer.status_code == 503
    assert alice.get("/api/me").status_code == 200
    assert "database" in app.test_client().get("/readyz").json["down"]
    assert before - _balance(app, people.alice.workspace_id) == told * 1_000_000
    filler.unlink()
    assert _on(alice, told).status_code == 200
    with app.app_context():
        assert db.session.execute(db.text("PRAGMA integrity_check")).scalar() == "ok"
        db.session.remove()
        db.engine.dispose()


def _on(alice, number: int):
    return alice.post(SPEND, json={"amount": 1, "reason": "full", "idempotencyKey": f"full-{number}"})
