"""A key's requests and tokens a minute, at our own door. LiteLLM holds the same limits at its.

Law: counted from what was begun and recorded, so that every process counts the same. Requests that begin at the very
same moment may pass together; the worst case is as many more as there are of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.gateway.errors import KeyRateReached
from tokenboard.keys.models import VirtualKey
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.usage_models import UsageRecord

_MINUTE = timedelta(seconds=60)


def require_room(key: VirtualKey) -> None:
    """Raises: KeyRateReached, with when there is room again. Asks nothing for a key without such limits."""
    since = now() - _MINUTE
    if key.rpm_limit is not None:
        begun = _begun(key, since)
        if len(begun) >= key.rpm_limit:
            raise KeyRateReached(key.rpm_limit, "request", retry_after_seconds=_wait(begun[-1], since))
    if key.tpm_limit is not None:
        used, first = _used(key, since)
        if used >= key.tpm_limit and first is not None:
            raise KeyRateReached(key.tpm_limit, "token", retry_after_seconds=_wait(first, since))


def _begun(key: VirtualKey, since: datetime) -> list[datetime]:
    """When the last requests began, the newest first, at most as many as are allowed."""
    of_holder = MeteredCall.person_id == key.person_id  # the index is the person's
    asked = select(MeteredCall.started_at).where(of_holder, MeteredCall.started_at > since)
    asked = asked.where(MeteredCall.key_id == key.id).order_by(MeteredCall.started_at.desc())
    return list(db.session.scalars(asked.limit(key.rpm_limit)))


def _used(key: VirtualKey, since: datetime) -> tuple[int, datetime | None]:
    """Tokens recorded in the last minute, and when the first of them were."""
    taken = func.sum(UsageRecord.prompt_tokens + UsageRecord.completion_tokens)
    of_workspace = UsageRecord.workspace_id == key.workspace_id  # the index begins with it
    asked = select(func.coalesce(taken, 0), func.min(UsageRecord.occurred_at))
    row = db.session.execute(asked.where(of_workspace, UsageRecord.occurred_at > since, UsageRecord.key_id == key.id))
    used, first = row.one()
    return int(used), first


def _wait(first: datetime, since: datetime) -> int:
    return max(1, int((first - since).total_seconds()) + 1)
