"""The queue's doors of comparing: read LiteLLM back, heal, say what was found; windows that turn at midnight."""

from __future__ import annotations

import logging

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured
from tokenboard.core.jobs import task
from tokenboard.keys import reconcile_service
from tokenboard.keys.reconcile_service import Compared
from tokenboard.providers.litellm_client import LiteLLMAdmin
from tokenboard.providers.litellm_errors import LiteLLMError
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)

RECONCILE = "keys.reconcile"
_CHUNK = 500


@task(RECONCILE)
def reconcile(workspace_id: str = "") -> None:
    """Compare everything, or one workspace, with what LiteLLM was told. Tried again by the next hour's bell."""
    try:
        found = compare_all(clients().litellm(), workspace_id or None)
    except NotConfigured:
        return
    except LiteLLMError as error:
        db.session.rollback()
        log.warning("mirror_not_compared", extra={"error": type(error).__name__})
        return
    log.info("mirror_compared", extra={"targets": found.targets, "drifts": len(found.drifts)})


def compare_all(proxy: LiteLLMAdmin, workspace_id: str | None = None) -> Compared:
    """Commits its own steps: LiteLLM is asked between two transactions. Raises: LiteLLMError."""
    reconcile_service.mark_missing()
    told = reconcile_service.told_targets(workspace_id)
    db.session.commit()
    found = reconcile_service.read_back(told, proxy, is_everything=workspace_id is None)
    drifts: list[str] = []
    for start in range(0, len(told), _CHUNK):
        drifts += reconcile_service.compare(told[start : start + _CHUNK], found).drifts
        db.session.commit()
    return Compared(len(told), tuple(drifts))


@task("keys.turn_windows")
def turn_windows() -> None:
    """A day or a month has begun: budgets that count in it are told anew."""
    marked = reconcile_service.turn_windows(now())
    db.session.commit()
    log.info("windows_turned", extra={"targets": marked})
