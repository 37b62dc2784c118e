"""`GET /api/jobs/:id`: how far a job is, whichever room carries it out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.core.errors import NotFound
from tokenboard.costs import connection_queries
from tokenboard.costs.answers import job_answer
from tokenboard.costs.shapes import Job
from tokenboard.keys import sync_queries
from tokenboard.keys.answers import run_answer
from tokenboard.keys.shapes import MirrorJob
from tokenboard.web.api import Answer, operation
from tokenboard.workspaces import access

blueprint = Blueprint("jobs_api", __name__)


@blueprint.get("/api/jobs/<id:job_id>")
@operation("How far a job is: a sync of a bill, or of budgets to LiteLLM", tag="Jobs", answer={"job": Job | MirrorJob})
def job(job_id: str) -> Answer:
    person = current_person()
    return {"job": _bill_sync(job_id, person) or _budget_sync(job_id, person)}


def _bill_sync(job_id: str, person: Person) -> dict[str, Any] | None:
    found = connection_queries.run_with_connection(job_id)
    if found is None:
        return None
    run, connection = found
    access.load(connection.workspace_id, person)
    return job_answer(run)


def _budget_sync(job_id: str, person: Person) -> dict[str, Any]:
    """Raises: NotFound."""
    run = sync_queries.run(job_id)
    if run is None:
        raise NotFound
    access.load(run.workspace_id, person)
    return run_answer(run)
