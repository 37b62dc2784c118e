"""The queue's door to budgets: rung after each sync and whenever a budget changes."""

from __future__ import annotations

from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.costs import budget_service
from tokenboard.workspaces.models import Workspace


@task("costs.check_budgets")
def check_budgets(workspace_id: str) -> None:
    """Raise what this month's budgets have reached. Idempotent; a lost bell is made good by the next sync's."""
    workspace = db.session.get(Workspace, workspace_id)
    if workspace is None or workspace.archived_at is not None:
        return
    budget_service.check_budgets(workspace=workspace)
    db.session.commit()
