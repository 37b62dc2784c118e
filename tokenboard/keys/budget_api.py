"""JSON door to the mirror: tell LiteLLM a workspace's budgets anew."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.jobs import ring
from tokenboard.keys import targets
from tokenboard.keys.reconcile_tasks import RECONCILE
from tokenboard.web.api import Answer, Body, operation
from tokenboard.web.limits import SYNC, limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("keys_budget_api", __name__)


class SyncBody(Body):
    """Which workspace; left out: the caller's own."""

    workspace_id: str | None = None


@blueprint.post("/api/budget/sync")
@limiter.limit(SYNC)
@operation("Tell LiteLLM a workspace's budgets anew", body=SyncBody, status=202, tag="Keys")
def sync(body: SyncBody) -> Answer:
    """Everything of the workspace is marked here and now, and compared by the job; each key shows how it stands."""
    workspace = access.load(body.workspace_id, current_person(), at_least=Role.ADMIN).workspace
    marked = targets.mark_workspace(workspace.id)
    ring(RECONCILE, workspace.id)
    db.session.commit()
    return {"job": {"id": new_id(), "status": "queued", "queuedAt": now(), "targets": marked}}
