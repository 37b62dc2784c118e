"""The worker process: RQ takes jobs, a child process keeps the clock (clockwork.py).

Laws: whatever ends RQ's loop but a signal (Redis gone or too slow, a fault in RQ itself) begins it anew after a pause,
in this process, and every time with a log line; SIGTERM lets the running job end or puts it back into the queue; a job
whose worker was killed is found again in under two minutes.
The numbers: reference "Runtime", 1 (taken over after 93 s with them, after 811 s with RQ's own), 2026-11.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import redis
from flask import Flask
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, HerokuWorker

from tokenboard.core import jobs
from tokenboard.core.config import Settings
from tokenboard.ops import clockwork
from tokenboard.ops.periodic import Periodic

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
CLOCKWORK_ENDS_WITHIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon a dead worker is noticed: a job's lease outlives it by 90 s at most, and is looked at this often."""

    worker_ttl: int = 45  # an idle worker waits 30 s for a job, then looks around
    maintenance_seconds: int = 20
    monitoring_seconds: int = 5


class ClockworkChild:
    """The child process that keeps the clock; started again when it dies."""

    def __init__(self, make_app: Callable[[], Flask], periodic: Sequence[Periodic]) -> None:
        # macOS aborts forked processes that touch its own libraries, and a spawned one builds its own application.
        self._context: Any = multiprocessing.get_context("spawn" if sys.platform == "darwin" else "fork")
        self._arguments = (make_app, tuple(periodic), os.getpid())
        self._process: Any = None

    def ensure_alive(self) -> None:
        """Called from the worker's own process only: a job's process inherits this object, but not the child."""
        if os.getpid() != self._arguments[2] or (self._process is not None and self._process.is_alive()):
            return
        if self._process is not None:
            log.warning("clockwork_died", extra={"exit_code": self._process.exitcode})
        self._process = self._context.Process(target=clockwork.run, args=self._arguments, name="clockwork")
        self._process.start()

    def end(self) -> None:
        if self._process is None or os.getpid() != self._arguments[2]:
            return
        self._process.terminate()
        self._process.join(CLOCKWORK_ENDS_WITHIN_SECONDS)
        if self._process.is_alive():
            self._process.kill()


class Attended:
    """What every kind of RQ worker is here: it looks after the clock, and knows whether it was asked to end."""

    clock: ClockworkChild
    is_asked_to_end = False

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        # RQ beats before every wait for a job and every few seconds of one, also while Redis does not answer.
        self.clock.ensure_alive()
        super().heartbeat(timeout, pipeline)  # type: ignore[misc]

    def handle_warm_shutdown_request(self) -> None:
        self.is_asked_to_end = True
        super().handle_warm_shutdown_request()  # type: ignore[misc]


class ForkingWorker(Attended, Worker):
    """A process per job."""


class DynoWorker(Attended, HerokuWorker):
    """Heroku sends SIGTERM to every process of a dyno: the job's process ignores it and gets 6 s to finish."""


class InlineWorker(Attended, SimpleWorker):
    """Jobs in the worker's own process."""


def worker_class(settings: Settings, platform: str = sys.platform) -> type[Any]:
    """Which kind of worker suits the machine."""
    if platform == "darwin":
        return InlineWorker
    return DynoWorker if settings.is_on_heroku else ForkingWorker


def connection(url: str) -> redis.Redis:
    """The worker's own line to Redis: it may wait. RQ sets the time-out that fits its blocking reads.

    Raises: redis.exceptions.ConnectionError when no address is configured.
    """
    if not url:
        raise redis.exceptions.ConnectionError("REDIS_URL is not set")
    return redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=None)


def build(settings: Settings, clock: ClockworkChild, pace: Pace) -> BaseWorker:
    """An RQ worker for the one queue. Raises: redis.exceptions.RedisError."""
    line = connection(settings.redis_url)
    queue = Queue(jobs.QUEUE, connection=line, serializer=JSONSerializer)
    worker: BaseWorker = worker_class(settings)(
        [queue],
        connection=line,
        serializer=JSONSerializer,
        worker_ttl=pace.worker_ttl,
        maintenance_interval=pace.maintenance_seconds,
        job_monitoring_interval=pace.monitoring_seconds,
    )
    worker.clock = clock  # type: ignore[attr-defined]
    worker.max_connection_wait_time = LONGEST_PAUSE_SECONDS
    return worker


class Shift:
    """Works until asked to end, through every outage of Redis."""

    def __init__(self, settings: Settings, clock: ClockworkChild, pace: Pace) -> None:
        self._settings = settings
        self._clock = clock
        self._pace = pace
        self._ending = threading.Event()
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def work(self) -> None:
        while not self._ending.is_set():
            # RQ installs its own while it works; between two tries the signals are ours.
            signal.signal(signal.SIGTERM, self._end)
            signal.signal(signal.SIGINT, self._end)
            self._clock.ensure_alive()
            if self._work_once():
                return
            self._ending.wait(self._pause_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
            self._pause_seconds = min(LONGEST_PAUSE_SECONDS, self._pause_seconds * 2)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending.set()

    def _work_once(self) -> bool:
        """One life of an RQ worker. Whether it ended because it was asked to."""
        try:
            worker = build(self._settings, self._clock, self._pace)
        except redis.exceptions.RedisError as error:
            log.warning("worker_waits_for_redis", extra={"error": type(error).__name__})
            return False
        self._pause_seconds = FIRST_PAUSE_SECONDS
        try:
            worker.work(logging_level="WARNING")
        except redis.exceptions.RedisError as error:
            log.warning("worker_lost_redis", extra={"error": type(error).__name__})
        is_asked: bool = worker.is_asked_to_end  # type: ignore[attr-defined]
        log.info("worker_ended" if is_asked else "worker_begins_anew")
        return is_asked


def run(make_app: Callable[[], Flask], settings: Settings, periodic: Sequence[Periodic], pace: Pace = Pace()) -> None:
    """Work until SIGTERM or Ctrl-C."""
    clock = ClockworkChild(make_app, periodic)
    try:
        Shift(settings, clock, pace).work()
    finally:
        clock.end()
