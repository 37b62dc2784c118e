"""RQ's queue as people look at it: what waits, runs, failed and will be tried again; trying one again, or dropping it.

Laws: reading changes nothing in Redis; a job's arguments are ids and are shown as such, anything else is not; errors
lose what looks like a secret; Redis may be away, and then there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError
from rq import Queue
from rq.command import send_stop_job_command
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.registry import BaseRegistry
from rq.results import Result

from tokenboard.core.errors import Busy, Conflict, NotFound
from tokenboard.core.jobs import job_queue
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.core.redaction import redact

MOST_SHOWN = 50
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class JobFacts:
    """One job."""

    id: str
    task: str
    ids: tuple[str, ...]
    state: str
    at: datetime | None
    error: str
    trace: str
    tries_left: int


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """How many of each, and the newest of them."""

    waiting: int
    running: int
    failed: int
    scheduled: int
    jobs: tuple[JobFacts, ...]


def depths() -> dict[str, int] | None:
    """How many wait, run, have failed and will be tried again; None: Redis does not answer."""
    try:
        return _depths(job_queue().queue())
    except RedisError:
        return None


def _depths(queue: Queue) -> dict[str, int]:
    registries = (
        ("running", queue.started_job_registry),
        ("failed", queue.failed_job_registry),
        ("scheduled", queue.scheduled_job_registry),
    )
    return {"waiting": queue.count} | {name: registry.get_job_count(cleanup=False) for name, registry in registries}


def facts() -> QueueFacts | None:
    """What the jobs page shows; None: Redis does not answer."""
    try:
        queue = job_queue().queue()
        shown = (
            *_jobs(queue, "running", _newest(queue.started_job_registry)),
            *_jobs(queue, "failed", _newest(queue.failed_job_registry)),
            *_jobs(queue, "scheduled", _newest(queue.scheduled_job_registry)),
            *_jobs(queue, "waiting", queue.get_job_ids(0, MOST_SHOWN)),
        )
        return QueueFacts(**_depths(queue), jobs=shown)
    except RedisError:
        return None


def _newest(registry: BaseRegistry) -> list[str]:
    return registry.get_job_ids(0, MOST_SHOWN - 1, desc=True, cleanup=False)


def _jobs(queue: Queue, state: str, job_ids: Iterable[str]) -> list[JobFacts]:
    found = Job.fetch_many(list(job_ids), connection=queue.connection, serializer=queue.serializer)
    return [_facts(job, state) for job in found if job is not None]  # one may end while we look


def _facts(job: Job, state: str) -> JobFacts:
    given = [str(one) for one in (job.args or ())]
    trace = _trace(job) if state in {"failed", "scheduled"} else ""
    return JobFacts(
        id=job.id,
        task=given[0] if given else job.description or "",
        ids=tuple(or_none(parse_id, one) or "not shown" for one in given[1:]),
        state=state,
        at={"failed": job.ended_at, "running": job.started_at}.get(state) or job.enqueued_at or job.created_at,
        error=trace.strip().rpartition("\n")[2],
        trace=trace,
        tries_left=job.retries_left or 0,
    )


def _trace(job: Job) -> str:
    result = job.latest_result()
    return redact(result.exc_string or "") if result is not None and result.type == Result.Type.FAILED else ""


def retry(job_id: str) -> str:
    """Put a failed job into the queue again; its task's name. Raises: NotFound, Conflict, Busy."""
    job = _find(job_id)
    try:
        job.requeue()
    except InvalidJobOperation as error:
        raise Conflict("Only a job that has failed can be tried again.") from error
    except RedisError as error:
        raise _away() from error
    return _task(job)


def retry_failed(most: int = MOST_SHOWN) -> int:
    """Put failed jobs into the queue again, the newest first; how many. Raises: Busy."""
    try:
        registry = job_queue().queue().failed_job_registry
        job_ids = registry.get_job_ids(0, most - 1, desc=True, cleanup=False)
    except RedisError as error:
        raise _away() from error
    return sum(_tried(job_id) for job_id in job_ids)


def _tried(job_id: str) -> bool:
    try:
        retry(job_id)
    except (NotFound, Conflict):
        return False  # somebody else was faster
    return True


def cancel(job_id: str) -> str:
    """Take a job out of the queue, or stop it; its task's name. Raises: NotFound, Busy."""
    job = _find(job_id)
    try:
        if job.is_started:
            send_stop_job_command(job.connection, job.id, serializer=job.serializer)
        else:
            job.delete()
    except InvalidJobOperation as error:
        raise Conflict("This job ended a moment ago.") from error
    except RedisError as error:
        raise _away() from error
    return _task(job)


def _find(job_id: str) -> Job:
    try:
        queue = job_queue().queue()
        return Job.fetch(job_id[:_LONGEST_ID], connection=queue.connection, serializer=queue.serializer)
    except NoSuchJobError as error:
        raise NotFound from error
    except RedisError as error:
        raise _away() from error


def _task(job: Job) -> str:
    return str(job.args[0]) if job.args else job.description or ""


def _away() -> Busy:
    return Busy("Redis does not answer right now. The rows wait, and sweepers find them without it.")
