"""The control room's jobs: what the queue holds, what the database waits for; trying again, dropping, sweeping."""

from __future__ import annotations

from flask import Blueprint, Response, flash
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.audit import service as audit
from tokenboard.core.db import db
from tokenboard.core.jobs import job_queue
from tokenboard.ops import control_room, jobs_page, jobs_queue
from tokenboard.web.filters import plural
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter

blueprint = Blueprint("admin_jobs", __name__, url_prefix="/admin/jobs")

ACTS = "60/minute"
PAGE = jobs_page.PATH
_LONGEST_SUBJECT = 60

control_room.furnish(blueprint)


@blueprint.get("")
def jobs() -> Response:
    return page("ops/jobs.html", fragments=("jobs",), view=jobs_page.build())


@blueprint.post("/retry-failed")
@limiter.limit(ACTS)
def retry_failed() -> BaseResponse:
    count = jobs_queue.retry_failed()
    _record("ops.jobs_retried", "", {"jobs": count})
    flash(f"{plural(count, 'job')} in the queue again.", "success" if count else "info")
    return see_other(PAGE)


@blueprint.post("/sweep")
@limiter.limit(ACTS)
def sweep() -> BaseResponse:
    """Every sweeper is rung: each may run twice without harm."""
    rung = [name for name in jobs_page.sweepers() if job_queue().enqueue(name)]
    _record("ops.swept", "", {"sweepers": len(rung)})
    flash(f"{plural(len(rung), 'sweeper')} rung." if rung else "Redis does not answer: nothing was rung.", "info")
    return see_other(PAGE)


@blueprint.post("/<job_id>/retry")
@limiter.limit(ACTS)
def retry(job_id: str) -> BaseResponse:
    task = jobs_queue.retry(job_id)
    _record("ops.job_retried", job_id, {"task": task})
    flash(f"{task} is in the queue again.", "success")
    return see_other(PAGE)


@blueprint.post("/<job_id>/cancel")
@limiter.limit(ACTS)
def cancel(job_id: str) -> BaseResponse:
    """Harmless: what must happen is a row, and its sweeper finds it."""
    task = jobs_queue.cancel(job_id)
    _record("ops.job_cancelled", job_id, {"task": task})
    flash(f"{task} was taken out.", "success")
    return see_other(PAGE)


def _record(act: str, job_id: str, facts: dict[str, object]) -> None:
    audit.record(act, actor=current_person().id, subject=job_id[:_LONGEST_SUBJECT], facts=facts)
    db.session.commit()
