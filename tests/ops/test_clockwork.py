"""A slot fires once, whatever dies; and without Redis the sweepers run all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
import time_machine
from flask import Flask
from rq.job import Job
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer
from sqlalchemy import select

from tokenboard.core import jobs
from tokenboard.core.db import db
from tokenboard.core.jobs import JobQueue, task
from tokenboard.ops import service
from tokenboard.ops.clockwork import Clockwork
from tokenboard.ops.models import Heartbeat, PeriodicRun
from tokenboard.ops.periodic import Periodic

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
SWEEP = Periodic("test-sweep", "tests.sweep", "* * * * * */20", runs_without_queue=True)
DAILY = Periodic("test-daily", "tests.daily", "0 2 * * *")

RAN: list[str] = []


@task("tests.sweep")
def sweep() -> None:
    """Remember that it swept."""
    RAN.append("sweep")


@task("tests.daily")
def daily() -> None:
    """Remember that a day came."""
    RAN.append("daily")


@task("tests.breaks")
def breaks() -> None:
    """Never works."""
    RAN.append("breaks")
    raise RuntimeError("as told")


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    RAN.clear()
    yield
    RAN.clear()


@pytest.fixture
def without_redis(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application while Redis is away."""
    monkeypatch.setitem(app.extensions, "job_queue", JobQueue("redis://127.0.0.1:1/0"))
    return app


def _clock(app: Flask, *periodic: Periodic, worker_id: int = 1) -> Clockwork:
    return Clockwork(app, periodic or (SWEEP,), worker_id=worker_id)


def _waiting(app: Flask) -> list[str]:
    with app.app_context():
        return jobs.job_queue().queue().job_ids


def _join(clock: Clockwork) -> None:
    for thread in list(clock._running.values()):
        thread.join(10)


def test_a_slot_fires_once_and_the_next_one_again(app: Flask, run_jobs: Callable[[], int]):
    clock = _clock(app)
    with time_machine.travel(NOON, tick=False) as time:
        for _ in range(3):
            clock.tick()
        assert _waiting(app) == ["periodic-test-sweep-20261120T120000Z"]
        time.shift(20)
        clock.tick()
        assert run_jobs() == 2

    assert RAN == ["sweep", "sweep"]


def test_two_clocks_at_once_fire_once(app: Flask):
    ready = threading.Barrier(4)
    fired: list[bool] = []

    def work(number: int) -> None:
        clock = _clock(app, worker_id=number)
        ready.wait(5)
        with app.app_context():
            fired.append(clock.fire_if_due(DAILY))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)

    assert sorted(fired) == [False, False, False, True]
    assert len(_waiting(app)) == 1


def test_missed_slots_fire_once_for_the_latest(app: Flask):
    clock = _clock(app, DAILY)
    with time_machine.travel(NOON, tick=False) as time:
        clock.tick()
        time.shift(timedelta(days=9))
        clock.tick()

    assert _waiting(app) == ["periodic-test-daily-20261120T020000Z", "periodic-test-daily-20261129T020000Z"]


def test_a_clock_set_back_fires_nothing_twice(app: Flask):
    with time_machine.travel(NOON, tick=False) as time:
        _clock(app).tick()
        time.shift(-3_600)
        _clock(app).tick()

    assert _waiting(app) == ["periodic-test-sweep-20261120T120000Z"]


def test_a_worker_killed_between_queueing_and_committing_neither_loses_nor_doubles(app: Flask):
    with time_machine.travel(NOON, tick=False):
        with app.app_context():  # the first worker queues, and dies before its commit
            service.claim_slot(DAILY.name, NOON.replace(hour=2))
            jobs.job_queue().enqueue(DAILY.task, job_id="periodic-test-daily-20261120T020000Z")
            db.session.rollback()
        _clock(app, DAILY).tick()

    assert _waiting(app) == ["periodic-test-daily-20261120T020000Z"]
    with app.app_context():
        assert db.session.get_one(PeriodicRun, DAILY.name).slot_at == NOON.replace(hour=2)


def test_without_redis_a_sweeper_runs_in_the_clock_once_a_slot(without_redis: Flask):
    clock = _clock(without_redis)
    with time_machine.travel(NOON, tick=False):
        for _ in range(3):
            clock.tick()
            _join(clock)

    assert RAN == ["sweep"]


def test_without_redis_another_job_keeps_its_slot_until_redis_is_back(
    app: Flask, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    clock = _clock(app, DAILY)
    with time_machine.travel(NOON, tick=False) as time:
        with monkeypatch.context() as away:
            away.setitem(app.extensions, "job_queue", JobQueue("redis://127.0.0.1:1/0"))
            clock.tick()
        with app.app_context():
            assert db.session.get(PeriodicRun, DAILY.name) is None
        time.shift(30)
        clock.tick()

    assert _waiting(app) == ["periodic-test-daily-20261120T020000Z"]
    assert RAN == []


def test_a_sweep_that_breaks_stops_neither_clock_nor_heartbeat(without_redis: Flask):
    clock = _clock(without_redis, Periodic("breaking", "tests.breaks", "* * * * * */20", runs_without_queue=True))
    with time_machine.travel(NOON, tick=False) as time:
        clock.tick()
        _join(clock)
        time.shift(20)
        clock.tick()
        _join(clock)

    assert RAN == ["breaks", "breaks"]
    with without_redis.app_context():
        assert db.session.scalars(select(Heartbeat)).one().name == clock.name


def test_a_worker_says_it_is_alive_and_takes_it_back_when_it_ends(app: Flask):
    first, second = _clock(app, worker_id=1), _clock(app, worker_id=2)
    for clock in (first, second, first):
        clock.tick()
    with app.app_context():
        names = set(db.session.scalars(select(Heartbeat.name)))
    assert names == {first.name, second.name}

    first.stop()

    with app.app_context():
        assert list(db.session.scalars(select(Heartbeat.name))) == [second.name]


def test_a_failed_job_is_woken_for_its_next_try(app: Flask, redis_url: str, run_jobs: Callable[[], int]):
    with app.app_context():
        jobs.job_queue().enqueue("tests.breaks")
    run_jobs()
    assert _waiting(app) == []
    line = redis.Redis.from_url(redis_url)
    with app.app_context():
        (job_id,) = ScheduledJobRegistry(queue=jobs.job_queue().queue()).get_job_ids()
    clock = _clock(app)
    clock.tick()
    assert job_id not in _waiting(app)

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=30)):
        clock.tick()

    assert job_id in _waiting(app)
    assert Job.fetch(job_id, connection=line, serializer=JSONSerializer).retries_left == 2
