"""How a key looks on the wire (api.md, Virtual keys). Its secret is no part of it."""

from __future__ import annotations

from typing import Any

from tokenboard.core.clock import now
from tokenboard.keys import rules
from tokenboard.keys.models import KeySecret, MirrorRun, MirrorTarget, VirtualKey
from tokenboard.metering.worth import cents_of_micros


def key_answer(
    key: VirtualKey, secret: KeySecret, target: MirrorTarget | None, spent_micros: int, *, has_proxy: bool
) -> dict[str, Any]:
    """A key with its newest secret; `spendCents` is what its current budget window has used."""
    return {
        "id": key.id,
        "workspaceId": key.workspace_id,
        "userId": key.person_id,
        "name": key.name,
        "prefix": secret.display,
        "status": rules.status_words(state=key.state, expires_at=key.expires_at, at=now()),
        "pauseReason": key.pause_reason or None,
        "spendCents": cents_of_micros(spent_micros),
        "maxBudgetCents": None if key.max_budget_micros is None else cents_of_micros(key.max_budget_micros),
        "budgetDuration": key.budget_window,
        "models": key.models,
        "rpmLimit": key.rpm_limit,
        "tpmLimit": key.tpm_limit,
        "allowedIps": key.allowed_ips,
        "tags": key.tags,
        "lastUsedAt": key.last_used_at,
        "expiresAt": key.expires_at,
        "syncStatus": sync_words(secret, target, has_proxy=has_proxy),
        "createdAt": key.created_at,
    }


def sync_words(secret: KeySecret, target: MirrorTarget | None, *, has_proxy: bool) -> str:
    """How LiteLLM stands: `off` without one, `lost` when it forgot the key, `failing`, `pending` or `synced`."""
    is_demo = target is not None and "gone" in (target.wanted or {})  # LiteLLM is never told of one
    if not has_proxy or is_demo:
        return "off"
    if secret.is_lost_at_proxy:
        return "lost"
    if target is None or target.state == "due":
        return "failing" if target is not None and target.last_error else "pending"
    return "synced"


def run_answer(run: MirrorRun) -> dict[str, Any]:
    """A run that tells LiteLLM everything anew, as a job. `drifts`: what was not as it had been told, told again."""
    return {
        "id": run.id,
        "status": run.state,
        "queuedAt": run.queued_at,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "targets": run.targets,
        "drifts": run.drifts,
        "error": run.error or None,
    }
