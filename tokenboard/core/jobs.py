"""The queue's door. A job is a bell: it says "look at row X now", never "this must happen".

Laws: bells ring after the commit, carry ids only, and may ring twice or never; whatever must happen is a row with a
state that a sweeper finds again. Redis may be gone: then ringing fails at once and in silence but for a log line.
Sources: reference/runtime.md 1 and 2, reference/reliability.md 2.2, style.md traps 3 and 4.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
import structlog
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry as RedisRetry
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from tokenboard.core.db import db

log = logging.getLogger(__name__)

QUEUE = "default"  # one queue, so that RQ moves a job atomically and can rescue it (reference/reliability.md 2.2)
JOB_TIMEOUT_SECONDS = 900
RESULT_TTL_SECONDS = 3_600
FAILURE_TTL_SECONDS = 14 * 86_400
_RETRY_AFTER_SECONDS = [10, 60, 300]
_WAITING = "jobs_after_commit"

_TASKS: dict[str, Callable[..., None]] = {}


@dataclass(frozen=True, slots=True)
class Task:
    """A function the worker can run by name. Calling it runs it here and now."""

    name: str
    function: Callable[..., None]

    def __call__(self, *ids: str) -> None:
        self.function(*ids)

    def ring(self, *ids: str) -> None:
        """Enqueue once the current transaction has committed; nothing happens when it rolls back."""
        ring(self.name, *ids)


def ring(task_name: str, *ids: str) -> None:
    """`Task.ring` by name, for a service that its own tasks stand on."""
    db.session.info.setdefault(_WAITING, []).append((task_name, ids))


def task(name: str) -> Callable[[Callable[..., None]], Task]:
    """Declare a task under a stable name: `@task("costs.sync_connection")`."""

    def declare(function: Callable[..., None]) -> Task:
        _TASKS[name] = function
        return Task(name, function)

    return declare


def task_names() -> list[str]:
    """Every declared task."""
    return sorted(_TASKS)


class JobQueue:
    """The application's side of Redis. Never waits: a web request must not hang on a missing queue.

    With redis-py's default retries an enqueue hangs 3.8 s when Redis is gone; without them 2 ms (reliability.md 2.2).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: redis.Redis | None = None

    @property
    def connection(self) -> redis.Redis:
        """Raises: redis.exceptions.ConnectionError when no address is configured."""
        if not self.url:
            raise redis.exceptions.ConnectionError("REDIS_URL is not set")
        if self._connection is None:
            self._connection = redis.Redis.from_url(
                self.url, retry=RedisRetry(NoBackoff(), 0), socket_timeout=0.5, socket_connect_timeout=0.5
            )
        return self._connection

    def queue(self) -> Queue:
        return Queue(QUEUE, connection=self.connection, serializer=JSONSerializer)

    def enqueue(self, task_name: str, *ids: str, job_id: str | None = None, waits_seconds: int | None = None) -> bool:
        """Ring now. False when Redis is gone; True also when this very job waits already.

        A job with `waits_seconds` is a reminder: dropped when nobody took it in time, not tried again when it fails.
        """
        options = _job_options(task_name, job_id)
        if waits_seconds is not None:
            options |= {"ttl": waits_seconds, "retry": None}
        try:
            self.queue().enqueue(run_task, task_name, *ids, **options)
        except DuplicateJobError:
            return True
        except redis.exceptions.RedisError as error:
            log.warning("queue_unreachable", extra={"task": task_name, "error": type(error).__name__})
            return False
        return True


def _job_options(task_name: str, job_id: str | None) -> dict[str, Any]:
    named: dict[str, Any] = {"job_id": job_id, "unique": True} if job_id else {}
    return named | {
        "job_timeout": JOB_TIMEOUT_SECONDS,
        "result_ttl": RESULT_TTL_SECONDS,
        "failure_ttl": FAILURE_TTL_SECONDS,
        "retry": Retry(max=len(_RETRY_AFTER_SECONDS), interval=_RETRY_AFTER_SECONDS),
        "description": task_name,
    }


def job_queue() -> JobQueue:
    """The current application's queue."""
    queue: JobQueue = current_app.extensions["job_queue"]
    return queue


def init_app(app: Flask, redis_url: str) -> None:
    """Give the application its queue."""
    app.extensions["job_queue"] = JobQueue(redis_url)


@dataclass(slots=True)
class _Host:
    """The application jobs run in, and the process that made its connections."""

    app: Flask | None = None
    process_id: int = 0  # 0: jobs run in the process that made them, as commands and tests do


_host = _Host()


def host(app: Flask) -> None:
    """Called once by a worker process, before it takes jobs."""
    _host.app, _host.process_id = app, os.getpid()


def run_task(task_name: str, *ids: str) -> None:
    """What the queue calls: find the task by name and run it in the application's context."""
    app = _host.app or current_app._get_current_object()  # type: ignore[attr-defined]
    with app.app_context():
        _leave_parents_connections()
        structlog.contextvars.bind_contextvars(task=task_name, task_ids=list(ids))
        try:
            _TASKS[task_name](*ids)
        finally:
            db.session.remove()
            structlog.contextvars.unbind_contextvars("task", "task_ids")


def _leave_parents_connections() -> None:
    """In a forked child: forget the parent's sockets without closing them for it."""
    if _host.process_id not in (0, os.getpid()):
        db.engine.dispose(close=False)
        _host.process_id = os.getpid()


@event.listens_for(Session, "after_commit")
def _ring_after_commit(session: Session) -> None:
    # Fires for a released savepoint too (SQLAlchemy 2.1.9): ring only at the real commit.
    if session.in_nested_transaction():
        return
    for task_name, ids in session.info.pop(_WAITING, []):
        job_queue().enqueue(task_name, *ids)


@event.listens_for(Session, "after_soft_rollback")
def _drop_after_rollback(session: Session, previous: SessionTransaction) -> None:
    # A failed flush inside a savepoint ends here too; only the outermost rollback takes the bells with it.
    if previous.parent is None:
        session.info.pop(_WAITING, None)
