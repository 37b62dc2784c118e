"""Real worker processes: killed, stopped, and started without Redis."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from rq import SimpleWorker, Worker
from rq.registry import ScheduledJobRegistry, StartedJobRegistry
from rq.worker import HerokuWorker
from sqlalchemy import select

from tokenboard.core import jobs
from tokenboard.core.config import load_settings
from tokenboard.core.db import db
from tokenboard.ops import worker
from tokenboard.ops.models import Heartbeat
from tokenboard.ops.worker import Pace

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def _worker(app: Flask, folder: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of a test's own, on the application's database and queue."""
    settings = app.extensions["settings"]
    own = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "tests.ops.worker_process", str(folder)]
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(command, cwd=ROOT, env=bare | own | environ, start_new_session=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _until(is_so: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _age(url: str, key: str) -> list[float]:
    """Let a registry's time pass: its entries become due. Their scores as they were."""
    line = redis.Redis.from_url(url)
    entries: Any = line.zrange(key, 0, -1, withscores=True)
    for member, _ in entries:
        line.zadd(key, {member: 1})
    return [score for _, score in entries]


def _alive(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Heartbeat.name)))


@pytest.mark.slow
def test_a_job_whose_worker_was_killed_is_found_again_and_finished_by_another(
    sqlite_app: Flask, redis_url: str, tmp_path: Path
):
    notes = tmp_path / "notes"
    with sqlite_app.app_context():
        jobs.job_queue().enqueue("tests.slow_once", str(notes))
        queue = jobs.job_queue().queue()
    started, scheduled = StartedJobRegistry(queue=queue), ScheduledJobRegistry(queue=queue)
    with _worker(sqlite_app, tmp_path) as first:
        _until(lambda: len(_lines(notes)) == 1 and bool(_alive(sqlite_app)))
        os.kill(first.pid, signal.SIGKILL)
        os.kill(int(_lines(notes)[0]), signal.SIGKILL)
        first.wait(5)
        _until(lambda: _alive(sqlite_app) == [])  # its clock noticed, and ended

    (lease_ends_at,) = _age(redis_url, started.key)
    assert lease_ends_at - time.time() + Pace().maintenance_seconds < 120, "the promise: found in under two minutes"
    with _worker(sqlite_app, tmp_path):
        _until(lambda: bool(scheduled.get_job_ids()))
        _age(redis_url, scheduled.key)
        _until(lambda: len(_lines(notes)) == 2)


@pytest.mark.slow
def test_a_worker_that_is_asked_to_end_ends_in_good_order(sqlite_app: Flask, tmp_path: Path):
    with _worker(sqlite_app, tmp_path) as process:
        _until(lambda: bool(_alive(sqlite_app)))
        process.terminate()

        assert process.wait(10) == 0
    assert _alive(sqlite_app) == []


@pytest.mark.slow
def test_a_worker_without_redis_waits_sweeps_and_ends_when_asked(sqlite_app: Flask, tmp_path: Path):
    with _worker(sqlite_app, tmp_path, REDIS_URL="redis://127.0.0.1:1/0") as process:
        _until(lambda: len(_lines(tmp_path / "sweeps")) >= 2)
        assert process.poll() is None
        process.terminate()

        assert process.wait(10) == 0


@pytest.mark.slow
def test_a_clock_that_dies_is_started_again(sqlite_app: Flask, tmp_path: Path):
    with _worker(sqlite_app, tmp_path, REDIS_URL="redis://127.0.0.1:1/0") as process:
        _until(lambda: len(_lines(tmp_path / "sweeps")) >= 1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            pytest.skip("this machine does not list a process's children")
        (clock,) = (int(word) for word in children.read_text().split())
        os.kill(clock, signal.SIGKILL)
        seen = len(_lines(tmp_path / "sweeps"))

        _until(lambda: len(_lines(tmp_path / "sweeps")) > seen + 1)


def test_a_lost_job_is_looked_for_in_under_two_minutes(sqlite_app: Flask, redis_url: str):
    settings = sqlite_app.extensions["settings"]
    found = worker.build(settings, worker.ClockworkChild(lambda: sqlite_app, ()), Pace())

    # 60 s and a monitoring interval of lease, one wait for a job, one maintenance round.
    assert found.dequeue_timeout + found.maintenance_interval + found.job_monitoring_interval + 60 < 120
    assert found.connection.connection_pool.connection_kwargs["socket_timeout"] > found.dequeue_timeout
    assert [queue.name for queue in found.queues] == ["default"]
    assert found.serializer is found.queues[0].serializer


@pytest.mark.parametrize(
    ("dyno", "platform", "kind"),
    [("", "linux", Worker), ("worker.1", "linux", HerokuWorker), ("", "darwin", SimpleWorker)],
)
def test_the_kind_of_worker_suits_the_machine(tmp_path: Path, dyno: str, platform: str, kind: type):
    settings = replace(load_settings({}, instance_path=tmp_path), is_on_heroku=bool(dyno))

    assert issubclass(worker.worker_class(settings, platform), kind)
