"""JSON door to the mirror: tell LiteLLM a workspace's budgets anew."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db
from tokenboard.keys import shapes, sync_service
from tokenboard.keys.answers import run_answer
from tokenboard.keys.sync_tasks import carry_out
from tokenboard.web.api import Answer, Body, operation
from tokenboard.web.limits import SYNC, limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("keys_budget_api", __name__)


class MirrorBody(Body):
    """Which workspace; left out: the caller's own."""

    workspace_id: str | None = None


@blueprint.post("/api/budget/sync")
@limiter.limit(SYNC)
@operation(
    "Tell LiteLLM a workspace's budgets anew",
    body=MirrorBody,
    status=202,
    tag="Virtual keys",
    answer={"job": shapes.MirrorJob},
)
def sync(body: MirrorBody) -> Answer:
    """Everything of the workspace is marked here and now; the job tells it and reads it back: `GET /api/jobs/:id`."""
    person = current_person()
    workspace = access.load(body.workspace_id, person, at_least=Role.ADMIN).workspace
    run = sync_service.request_sync(workspace_id=workspace.id, actor=person.id)
    carry_out.ring(run.id)
    db.session.commit()
    return {"job": run_answer(run)}
