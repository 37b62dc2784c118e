"""How connections and sync runs leave by JSON (api.md)."""

from __future__ import annotations

from typing import Any

from tokenboard.costs.models import Connection, SyncRun
from tokenboard.costs.sync_rules import JOB_STATUS, State


def connection_answer(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "provider": connection.provider,
        "mode": connection.mode,
        "last4": connection.last4,
        "status": connection.status,
        "lastSyncedAt": connection.last_synced_at,
        "lastError": connection.last_error or None,
    }


def job_answer(run: SyncRun) -> dict[str, Any]:
    """A sync run as a job. `error` is also what a run that is done has to say, such as usage it could not read."""
    return {
        "id": run.id,
        "status": JOB_STATUS[State(run.state)],
        "queuedAt": run.queued_at,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "daysDone": run.days_done,
        "daysTotal": run.days_total,
        "error": run.error_message or None,
    }
