"""The clock of a worker: fires periodic jobs, says the worker is alive, wakes jobs that wait for their retry.

It runs in a child process of every worker. Laws: a slot fires once however many workers run, because moving
`periodic_run.slot_at` forward is the lock; the job is queued before that commits and under a name that Redis takes only
once, so that a crash in between neither loses nor doubles it; missed slots fire once, for the latest; while Redis is
away sweepers run here and everything else keeps its slot for later; when the worker dies, the clock ends too.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from types import FrameType

import redis
from flask import Flask
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from tokenboard.core import clock, jobs
from tokenboard.core.db import db
from tokenboard.ops import service
from tokenboard.ops.periodic import Periodic, job_id, latest_slot

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
BEAT_EVERY_SECONDS = 10.0
LOCK_EVERY_SECONDS = 20.0  # RQ's scheduler lock lives 61 s
RETRY_AFTER = timedelta(seconds=20)  # a slot that could not be queued
BELL_WAITS_SECONDS = 60  # a sweeper's bell older than this is dropped: three newer ones have rung since


class Clockwork:
    """One worker's clock. Every part of a tick may fail without ending the next."""

    def __init__(self, app: Flask, periodic: Sequence[Periodic], *, worker_id: int) -> None:
        self.app = app
        self.periodic = periodic
        self.name = f"worker:{socket.gethostname()[:50]}:{worker_id}"
        self._done: dict[str, datetime] = {}  # the slot each job was last seen through to, here or elsewhere
        self._paused_until: dict[str, datetime] = {}
        self._running: dict[str, threading.Thread] = {}
        self._beat_at = self._lock_at = float("-inf")
        self._retries: RQScheduler | None = None

    def tick(self) -> None:
        """Once a second."""
        for part in (self._beat, self._fire_due, self._wake_retries):
            try:
                with self.app.app_context():
                    part()
            except SQLAlchemyError as error:
                log.warning("clockwork_database", extra={"error": type(error).__name__, "part": part.__name__})
            except redis.exceptions.RedisError as error:
                self._lock_at = float("-inf")
                log.debug("clockwork_queue", extra={"error": type(error).__name__})

    def _beat(self) -> None:
        if clock.monotonic() - self._beat_at >= BEAT_EVERY_SECONDS:
            service.beat(self.name)
            db.session.commit()
            self._beat_at = clock.monotonic()

    def _fire_due(self) -> None:
        for periodic in self.periodic:
            self.fire_if_due(periodic)

    def fire_if_due(self, periodic: Periodic) -> bool:
        """Fire a job whose slot has come, unless another worker did. Whether it was fired here."""
        instant = clock.now()
        slot = latest_slot(periodic.cron, instant)
        is_done = self._done.get(periodic.name) == slot
        if is_done or self._paused_until.get(periodic.name, instant) > instant:
            return False
        is_ours = service.claim_slot(periodic.name, slot)
        if is_ours and not self._hand_over(periodic, slot):
            db.session.rollback()  # the slot stays open, for us later or for a worker that reaches Redis
            self._paused_until[periodic.name] = instant + RETRY_AFTER
            return False
        db.session.commit()
        self._done[periodic.name] = slot
        return is_ours

    def _hand_over(self, periodic: Periodic, slot: datetime) -> bool:
        waits = BELL_WAITS_SECONDS if periodic.runs_without_queue else None
        if jobs.job_queue().enqueue(periodic.task, job_id=job_id(periodic.name, slot), waits_seconds=waits):
            return True
        if periodic.runs_without_queue:
            self._run_here(periodic)
        return periodic.runs_without_queue

    def _run_here(self, periodic: Periodic) -> None:
        """In a thread, so that a slow sweep stops neither the heartbeat nor the next tick; one at a time."""
        running = self._running.get(periodic.name)
        if running is None or not running.is_alive():
            thread = threading.Thread(target=self._run_task, args=(periodic.task,), name=periodic.name, daemon=True)
            self._running[periodic.name] = thread
            thread.start()

    def _run_task(self, task_name: str) -> None:
        log.info("sweeping_without_queue", extra={"task": task_name})
        try:
            with self.app.app_context():
                jobs.run_task(task_name)
        except Exception:  # the edge of a thread: what a task raises is logged, and the next sweep tries again
            log.exception("sweep_failed", extra={"task": task_name})

    def _wake_retries(self) -> None:
        """Queue failed jobs whose time for another try has come. RQ's own scheduler, without a process of its own."""
        if self._retries is None:
            queue = jobs.job_queue().queue()
            self._retries = RQScheduler(
                [queue], connection=queue.connection, serializer=JSONSerializer, logging_level=logging.WARNING
            )
        if clock.monotonic() - self._lock_at >= LOCK_EVERY_SECONDS:
            self._retries.acquire_locks()  # type: ignore[no-untyped-call]
            self._lock_at = clock.monotonic()
        self._retries.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """Take the heartbeat away and let another worker's clock wake the retries."""
        try:
            with self.app.app_context():
                service.stop_beating(self.name)
                db.session.commit()
            if self._retries is not None:
                self._retries.release_locks()  # type: ignore[no-untyped-call]
        except (SQLAlchemyError, redis.exceptions.RedisError) as error:
            log.info("clockwork_stop", extra={"error": type(error).__name__})


def run(make_app: Callable[[], Flask], periodic: Sequence[Periodic], worker_id: int) -> None:
    """The child process: tick until asked to end or until the worker, our parent, is gone."""
    ending = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    app = make_app()
    jobs.host(app)
    with app.app_context():
        db.engine.dispose(close=False)  # a forked child leaves its parent's connections alone
    clockwork = Clockwork(app, periodic, worker_id=worker_id)
    while not ending.wait(TICK_SECONDS) and os.getppid() == worker_id:
        clockwork.tick()
    clockwork.stop()
