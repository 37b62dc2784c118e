"""/healthz says the process is up; /readyz says what is down, in words, cheaply and without secrets."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from tests.conftest import House
from tests.patience import Patience
from tests.people import People
from tokenboard.core.clock import now, today
from tokenboard.core.db import db, new_id
from tokenboard.core.jobs import JobQueue
from tokenboard.costs.models import Connection, SyncRun
from tokenboard.ops import health, service

PARTS = {"database", "queue", "migrations", "worker", "syncs", "clock"}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who watches. Nothing is remembered from the test before."""
    app.extensions.pop("readiness", None)
    return app.test_client()


def _beat(app: Flask) -> None:
    with app.app_context():
        service.beat("worker:here:1")
        db.session.commit()


def test_with_every_part_up_it_is_ready(app: Flask, client: FlaskClient):
    _beat(app)

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json["status"] == "ok"
    assert answer.json["down"] == []
    assert set(answer.json["parts"]) == PARTS


def test_without_a_worker_it_says_so(app: Flask, client: FlaskClient):
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json["down"] == ["worker"]
    assert "python worker.py" in answer.json["parts"]["worker"]["detail"]


def test_a_worker_silent_for_a_minute_is_down(app: Flask, client: FlaskClient):
    _beat(app)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert client.get("/readyz").json["down"] == ["worker"]


def test_without_redis_it_says_so_at_once_and_stays_up(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, redis_patience: Patience
):
    _beat(app)
    monkeypatch.setitem(app.extensions, "job_queue", JobQueue("redis://:hunter2@127.0.0.1:1/0"))

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json["down"]) == (503, ["queue"])
    assert "hunter2" not in answer.text
    assert client.get("/healthz").status_code == 200
    assert redis_patience.slept_seconds == 0


def test_a_database_that_is_not_migrated_is_told_with_the_cure(app: Flask, client: FlaskClient):
    _beat(app)
    with app.app_context():
        kept = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        db.session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        db.session.commit()
        try:
            answer = client.get("/readyz")
        finally:
            db.session.execute(text("UPDATE alembic_version SET version_num = :kept"), {"kept": kept})
            db.session.commit()

    assert answer.json["down"] == ["migrations"]
    assert "db upgrade" in answer.json["parts"]["migrations"]["detail"]


def _run(people: People, **facts: object) -> None:
    with people.app.app_context():
        connection = Connection(
            workspace_id=people.team_id,
            provider="openai",
            mode="organization",
            sealed_key="-",
            key_fingerprint="-",
            last4="1234",
        )
        db.session.add(connection)
        db.session.flush()
        days = {"since_on": today(), "until_on": today(), "reached_on": today()}
        db.session.add(SyncRun(id=new_id(), connection_id=connection.id, reason="manual", **days, **facts))
        db.session.commit()


def test_a_sync_that_nobody_takes_is_late(people: People, client: FlaskClient):
    _beat(people.app)
    _run(people, state="waiting", next_attempt_at=now() - timedelta(minutes=11))

    answer = client.get("/readyz")

    assert answer.json["down"] == ["syncs"]
    assert "waits 11 min" in answer.json["parts"]["syncs"]["detail"]


def test_a_sync_lost_in_mid_run_is_late(people: People, client: FlaskClient):
    _beat(people.app)
    _run(people, state="running", lease_expires_at=now() - timedelta(minutes=11))

    assert client.get("/readyz").json["down"] == ["syncs"]


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "waiting", "next_attempt_at": timedelta(minutes=2)},
        {"state": "running", "lease_expires_at": timedelta(minutes=2)},
        {"state": "failed", "next_attempt_at": timedelta(days=2)},
        {"state": "done", "next_attempt_at": timedelta(days=2)},
    ],
    ids=["just queued", "just lost", "failed", "done"],
)
def test_a_sync_in_its_course_is_not_late(people: People, client: FlaskClient, facts: dict[str, object]):
    _beat(people.app)
    _run(people, **{name: now() - told if isinstance(told, timedelta) else told for name, told in facts.items()})

    assert client.get("/readyz").status_code == 200


def test_a_database_that_is_away_is_told_without_its_address(house: House, monkeypatch: pytest.MonkeyPatch):
    app = house.app
    app.extensions.pop("readiness", None)

    with app.app_context():
        engine = db.engine
        engine.dispose()
        monkeypatch.setattr(psycopg.Connection, "connect", _unreachable)
        monkeypatch.setattr(engine.dialect, "connect", _unreachable)  # SQLite's way
        try:
            answer = app.test_client().get("/readyz")
            alive = app.test_client().get("/healthz")
        finally:
            app.extensions.pop("readiness", None)

    assert answer.status_code == 503
    assert "database" in answer.json["down"]
    assert "hunter2" not in answer.text
    assert alive.status_code == 200


def _unreachable(*_: object, **options: object) -> None:
    kind = psycopg.OperationalError if "dbname" in options else sqlite3.OperationalError
    raise kind("could not connect to postgres://alice:hunter2@db.internal")


@contextlib.contextmanager
def _questions(app: Flask) -> Iterator[list[str]]:
    """The statements the database is asked meanwhile."""
    seen: list[str] = []

    def note(*facts: object) -> None:
        seen.append(str(facts[2]))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_asking_often_costs_the_database_nothing(app: Flask, client: FlaskClient):
    _beat(app)
    client.get("/readyz")

    with _questions(app) as seen:
        for _ in range(20):
            client.get("/readyz")

    assert seen == []


def test_being_up_asks_the_database_nothing(app: Flask, client: FlaskClient):
    with _questions(app) as seen:
        assert client.get("/healthz").json == {"status": "ok"}

    assert seen == []


def test_while_the_database_hangs_askers_do_not_pile_up(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(health, "WAITS_SECONDS", 0.05)
    asked, answered = threading.Event(), threading.Event()

    def hang(*_given: object) -> None:
        asked.set()
        answered.wait(20)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", hang)
    first = threading.Thread(target=client.get, args=("/readyz",))
    first.start()
    try:
        assert asked.wait(10)
        answer = app.test_client().get("/readyz")
    finally:
        answered.set()
        first.join()
        event.remove(engine, "before_cursor_execute", hang)

    assert (answer.status_code, answer.get_json()["down"]) == (503, ["database"])
