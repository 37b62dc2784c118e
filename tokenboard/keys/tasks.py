"""The queue's doors of the mirror: tell one target, find again what a lost bell left, compare everything."""

from __future__ import annotations

import logging

from tokenboard.core.clock import now
from tokenboard.core.crypto import CannotUnseal
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured
from tokenboard.core.jobs import task
from tokenboard.keys import key_service, mirror_service, queries
from tokenboard.keys.targets import PUSH
from tokenboard.providers.litellm_client import LiteLLMAdmin
from tokenboard.providers.litellm_errors import LiteLLMError
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)

BATCH = 200  # targets a sweep; the next one goes on


@task(PUSH)
def push_target(target_id: str) -> None:
    """Tell the proxy about one target, if it is due. Idempotent; a target somebody else is telling is left alone."""
    try:
        proxy = clients().litellm()
    except NotConfigured:
        return
    push(target_id, proxy)


def push(target_id: str, proxy: LiteLLMAdmin) -> bool:
    """Whether it was told. Commits its own steps: the proxy is asked between two transactions."""
    taken = mirror_service.take(target_id)
    db.session.commit()
    if taken is None:
        return False
    facts = mirror_service.facts_of(taken)
    db.session.commit()
    try:
        told = mirror_service.tell(taken, facts, proxy)
    except (LiteLLMError, CannotUnseal) as error:
        db.session.rollback()
        mirror_service.put_off(taken, error)
        db.session.commit()
        return False
    mirror_service.keep(taken, told)
    db.session.commit()
    return True


@task("keys.sweep")
def sweep() -> None:
    """Find again what a lost bell left behind. Ends at the first target that finds the proxy away."""
    try:
        proxy = clients().litellm()
    except NotConfigured:
        return
    forget_secrets()
    sweep_overlaps()
    waiting = queries.due_targets(now(), BATCH)
    db.session.commit()
    for target_id in waiting:
        if not push(target_id, proxy) and not proxy.is_ready():
            return


def forget_secrets() -> None:
    """Secrets the proxy never got within a day are not kept any longer."""
    mirror_service.forget_old_secrets(now())
    db.session.commit()


def sweep_overlaps() -> None:
    """Secrets whose overlap is over: the proxy is told to forget them."""
    key_service.end_overlaps(at=now())
    db.session.commit()
