"""Bells ring after the commit, once, with ids only; and a missing queue is no reason to wait."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from sqlalchemy.exc import IntegrityError

from tests.patience import Patience
from tokenboard.audit.models import Alert
from tokenboard.core import jobs
from tokenboard.core.db import db
from tokenboard.core.jobs import JobQueue, task

HEARD: list[tuple[str, ...]] = []


@task("tests.listen")
def listen(*ids: str) -> None:
    """Remember what rang."""
    HEARD.append(ids)


@task("tests.fail")
def fail() -> None:
    """Never works."""
    raise RuntimeError("as told")


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    HEARD.clear()
    yield
    HEARD.clear()


def _alert(key: str = "a:b") -> Alert:
    return Alert(kind="a", open_key=key, severity="info", message="m")


def _add_again_in_a_savepoint() -> None:
    with db.session.begin_nested():
        db.session.add(_alert())
        db.session.flush()


def _waiting(app: Flask) -> int:
    with app.app_context():
        return len(jobs.job_queue().queue())


def test_a_bell_rings_after_the_commit(app: Flask, run_jobs: Callable[[], int]):
    with app.app_context():
        db.session.add(_alert())
        listen.ring("one")
        assert len(jobs.job_queue().queue()) == 0
        db.session.commit()

    assert run_jobs() == 1
    assert HEARD == [("one",)]


def test_a_bell_does_not_ring_when_the_transaction_rolls_back(app: Flask):
    with app.app_context():
        db.session.add(_alert())
        listen.ring("one")
        db.session.rollback()
        db.session.add(_alert())
        db.session.commit()

    assert _waiting(app) == 0


def test_a_released_savepoint_does_not_ring_early(app: Flask):
    with app.app_context():
        listen.ring("one")
        with db.session.begin_nested():
            db.session.add(_alert())
        assert len(jobs.job_queue().queue()) == 0
        db.session.commit()

    assert _waiting(app) == 1


def test_a_failed_savepoint_takes_no_bell_with_it(app: Flask):
    with app.app_context():
        db.session.add(_alert())
        db.session.flush()
        listen.ring("one")
        with pytest.raises(IntegrityError):
            _add_again_in_a_savepoint()
        db.session.commit()

    assert _waiting(app) == 1


def test_a_session_that_ends_without_a_commit_leaves_no_bell_for_the_next(app: Flask):
    with app.app_context():
        db.session.add(_alert())
        db.session.flush()
        listen.ring("one")
    with app.app_context():
        db.session.add(_alert())
        db.session.commit()

    assert _waiting(app) == 0


def test_a_job_is_json_and_carries_ids_only(sqlite_app: Flask, redis_url: str):
    with sqlite_app.app_context():
        jobs.job_queue().enqueue("tests.listen", "an-id")
        (job,) = jobs.job_queue().queue().jobs
    raw: Any = redis.Redis.from_url(redis_url).hget(job.key, "data")

    told = json.loads(zlib.decompress(raw) if raw[:1] == b"x" else raw)
    assert told == ["tokenboard.core.jobs.run_task", None, ["tests.listen", "an-id"], {}]


def test_a_named_job_waits_once_however_often_it_is_rung(sqlite_app: Flask):
    with sqlite_app.app_context():
        rung = [jobs.job_queue().enqueue("tests.listen", job_id="periodic-x-1") for _ in range(3)]

    assert rung == [True, True, True]
    assert _waiting(sqlite_app) == 1


def test_a_job_that_fails_is_tried_again_later_but_a_reminder_is_not(sqlite_app: Flask, redis_url: str):
    with sqlite_app.app_context():
        queue = jobs.job_queue().queue()
        jobs.job_queue().enqueue("tests.fail")
        jobs.job_queue().enqueue("tests.fail", job_id="periodic-x-1", waits_seconds=60)
        lasting, reminder = queue.jobs

    assert lasting.retries_left == 3
    assert lasting.retry_intervals == [10, 60, 300]
    assert (reminder.retries_left, reminder.ttl) == (None, 60)


def test_a_failing_job_ends_among_the_failed_and_nowhere_else(app: Flask, run_jobs: Callable[[], int], redis_url: str):
    with app.app_context():
        jobs.job_queue().enqueue("tests.fail", job_id="periodic-x-1", waits_seconds=60)

    run_jobs()

    line = redis.Redis.from_url(redis_url)
    failed = FailedJobRegistry(queue=Queue(jobs.QUEUE, connection=line, serializer=JSONSerializer))
    assert failed.get_job_ids() == ["periodic-x-1"]
    assert _waiting(app) == 0


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:1/0", "unix:///nowhere/at/all.sock"])
def test_a_missing_queue_answers_at_once(sqlite_app: Flask, redis_patience: Patience, url: str):
    queue = JobQueue(url)

    assert queue.enqueue("tests.listen", "one") is False
    assert redis_patience.slept_seconds == 0


def test_a_commit_goes_through_while_the_queue_is_away(
    app: Flask, monkeypatch: pytest.MonkeyPatch, redis_patience: Patience
):
    monkeypatch.setitem(app.extensions, "job_queue", JobQueue("redis://127.0.0.1:1/0"))

    with app.app_context():
        db.session.add(_alert())
        listen.ring("one")
        db.session.commit()
        db.session.expire_all()
        assert db.session.query(Alert).count() == 1

    assert redis_patience.slept_seconds == 0


def test_calling_a_task_runs_it_here_and_now(sqlite_app: Flask):
    with sqlite_app.app_context():
        listen("one", "two")

    assert HEARD == [("one", "two")]
    assert "tests.listen" in jobs.task_names()
