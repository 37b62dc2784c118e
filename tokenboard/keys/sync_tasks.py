"""The queue's doors of those runs: tell what is due, read it back, say what came of it."""

from __future__ import annotations

import logging

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured
from tokenboard.core.jobs import task
from tokenboard.keys import reconcile_tasks, sync_queries, sync_service, tasks
from tokenboard.providers.litellm_errors import LiteLLMError
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)

_BATCH = 20  # runs a sweep; the next one goes on
_AWAY = "LiteLLM cannot be reached. What it has to know waits here and is told as soon as it answers."


@task("keys.sync_workspace")
def carry_out(run_id: str) -> None:
    """Carry a run out, unless somebody does. Commits its own steps: LiteLLM is asked between transactions."""
    run = sync_service.take(run_id=run_id)
    workspace_id = run.workspace_id if run else ""
    db.session.commit()
    if not workspace_id:
        return
    drifts, error = _synced(workspace_id)
    sync_service.finish(run_id=run_id, drifts=drifts, error=error)
    db.session.commit()


def _synced(workspace_id: str) -> tuple[int, str]:
    """How many were not as they had been told; or why it came to nothing."""
    try:
        proxy = clients().litellm()
    except NotConfigured as error:
        return 0, error.message
    due = sync_queries.due_of(workspace_id, tasks.BATCH)
    db.session.commit()
    for target_id in due:
        if not tasks.push(target_id, proxy) and not proxy.is_ready():
            return 0, _AWAY
    try:
        return len(reconcile_tasks.compare_all(proxy, workspace_id).drifts), ""
    except LiteLLMError as error:
        db.session.rollback()
        log.warning("mirror_not_compared", extra={"error": type(error).__name__})
        return 0, _AWAY


@task("keys.sweep_syncs")
def sweep_syncs() -> None:
    """Runs whose bell was lost, or whose worker died, are carried out; old ones are forgotten."""
    sync_service.forget_old(at=now())
    waiting = sync_queries.unheard(now(), _BATCH)
    db.session.commit()
    for run_id in waiting:
        carry_out(run_id)
