"""The database goes away, is locked or full: a 503 with a sentence, nothing half done, and by itself again.

Source: reference "Reliability", F4 to F6. Real restarts and a real full disk: tests/faults/heavy_databases.py.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import House
from tests.people import Bearer, People, settle
from tokenboard.core.db import db
from tokenboard.ledger import invariants, queries as ledger
from tokenboard.workspaces.models import Workspace

SPEND = "/api/credits/spend"
THREADS, EACH = 4, 8


def _spend(bearer: Bearer, key: str) -> TestResponse:
    return bearer.post(SPEND, json={"amount": 1, "reason": "fault", "idempotencyKey": key})


def _balance(people: People) -> int:
    with people.app.app_context():
        assert invariants.check() == []
        return ledger.balance(db.session.get_one(Workspace, people.alice.workspace_id).ledger_account_id).posted_micros


@pytest.fixture
def postgres_people(postgresql_house: House) -> People:
    postgresql_house.empty()
    return settle(postgresql_house.app)


def test_connections_that_the_server_cuts_cost_a_503_and_no_credit_twice(postgres_people: People):
    people = postgres_people
    answers: list[tuple[str, TestResponse]] = []
    before = _balance(people)
    bearers = [people.bearer(people.alice) for _ in range(THREADS)]
    ours = "datname = current_database() AND pid <> pg_backend_pid()"  # the server is the other tests' too
    cut = sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
    with people.app.app_context():
        outside = sa.create_engine(db.engine.url, isolation_level="AUTOCOMMIT")

    def work(number: int) -> None:
        answers.extend((key := f"{number}-{turn}", _spend(bearers[number], key)) for turn in range(EACH))

    with outside.connect() as operator:
        busy = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        for one in busy:
            one.start()
        while any(one.is_alive() for one in busy):
            operator.execute(cut)
            busy[0].join(0.03)
    outside.dispose()
    refused = [(key, answer) for key, answer in answers if answer.status_code != 200]

    assert {answer.status_code for _, answer in refused} <= {503}
    assert all(answer.headers["Retry-After"] and "Traceback" not in answer.text for _, answer in refused)
    again = people.bearer(people.alice)
    assert [_spend(again, key).status_code for key, _ in answers][1:] == [200] * (THREADS * EACH - 1)
    _spend(again, answers[0][0])  # the very first may have met the last cut
    assert before - _balance(people) == THREADS * EACH * 1_000_000


@pytest.fixture
def file(sqlite_people: People) -> Path:
    with sqlite_people.app.app_context():
        return Path(str(db.engine.url.database))


@pytest.fixture
def each_connection(sqlite_people: People) -> Iterator[Callable[[str], None]]:
    """`each_connection("PRAGMA …")`: from now on, for whatever the application asks."""
    with sqlite_people.app.app_context():
        engine = db.engine
    told: list[str] = []

    def tell(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        for line in told:
            connection.execute(line)

    sa.event.listen(engine, "checkout", tell)
    yield told.append
    sa.event.remove(engine, "checkout", tell)
    with sqlite_people.app.app_context():
        engine.dispose()


@pytest.fixture
def another(file: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else at the same file, as another process would be."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_a_write_waits_for_another_process_that_writes(sqlite_people: People, another: sqlite3.Connection):
    bearer = sqlite_people.bearer(sqlite_people.alice)
    another.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.3, lambda: another.execute("ROLLBACK"))
    done.start()

    assert _spend(bearer, "waits").status_code == 200
    done.join()


def test_locked_for_too_long_is_a_503_while_reading_works(
    sqlite_people: People, another: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    bearer, before = sqlite_people.bearer(sqlite_people.alice), _balance(sqlite_people)
    monkeypatch.setattr("tokenboard.core.db.BUSY_TIMEOUT_SECONDS", 0)
    another.execute("BEGIN IMMEDIATE")
    refused, read = _spend(bearer, "locked"), bearer.get("/api/me")
    another.execute("ROLLBACK")

    assert (refused.status_code, refused.json["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    assert read.status_code == 200
    assert _balance(sqlite_people) == before
    assert _spend(bearer, "locked").status_code == 200


def test_a_full_disk_refuses_writing_keeps_what_was_told_and_goes_on_when_there_is_room(
    sqlite_people: People, file: Path, each_connection: Callable[[str], None]
):
    bearer, before = sqlite_people.bearer(sqlite_people.alice), _balance(sqlite_people)
    pages = _asked(file, "PRAGMA page_count")
    each_connection(f"PRAGMA max_page_count = {pages + 2}")
    told = 0
    while (answer := _spend(bearer, f"full-{told}")).status_code == 200:
        told += 1
        assert told < 500, "the file grew past its limit"

    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert bearer.get("/api/me").status_code == 200
    assert before - _balance(sqlite_people) == told * 1_000_000
    assert _asked(file, "PRAGMA integrity_check") == "ok"
    each_connection("PRAGMA max_page_count = 1000000")
    assert _spend(bearer, f"full-{told}").status_code == 200


def _asked(file: Path, question: str) -> Any:
    """By somebody else, who leaves nothing open."""
    with contextlib.closing(sqlite3.connect(file)) as reader:
        return reader.execute(question).fetchone()[0]


def test_a_disk_that_is_nearly_full_is_told_before_it_is(sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: type("Usage", (), {"free": 5 * 2**20}))
    sqlite_app.extensions.pop("readiness", None)

    answer = sqlite_app.test_client().get("/readyz")

    assert "database" in answer.json["down"]
    assert answer.json["parts"]["database"]["detail"] == "Its disk is nearly full: 5 MB are free."
    sqlite_app.extensions.pop("readiness", None)
