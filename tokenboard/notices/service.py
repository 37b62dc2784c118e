"""The outbox: messages are rows, written in the transaction of their cause, sent later by tasks.py.

Laws: one cause sends once (`idempotency_key`); a row is taken by one worker at a time, by pushing `next_attempt_at`
past a lease; after a crash between sending and marking, the same message goes out again under the same id, which both
channels carry (Message-ID, webhook-id). Addresses come as values: this room knows no people and no workspaces.
"""

from __future__ import annotations

import json
import logging
import random
from typing import Any

from sqlalchemy import CursorResult, select, update

from tokenboard.audit.alerts import raise_alert
from tokenboard.core import jobs
from tokenboard.core.clock import now
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db, new_id
from tokenboard.core.redaction import redact
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert_once
from tokenboard.notices.models import Notice
from tokenboard.notices.rules import LEASE, wait_after

log = logging.getLogger(__name__)

SEND_TASK = "notices.send"
_LONGEST_SUBJECT = 200
_LONGEST_ERROR = 500


def send_email(
    *,
    kind: str,
    address: str,
    subject: str,
    text: str,
    html: str = "",
    idempotency_key: str,
    workspace_id: str | None = None,
) -> None:
    """Put an e-mail into the outbox.

    Idempotent: the same key again does nothing, whatever the text.
    """
    line = " ".join(subject.split())[:_LONGEST_SUBJECT]
    _write(
        idempotency_key,
        channel="email",
        kind=kind,
        address=address,
        subject=line,
        body=text,
        body_html=html,
        workspace_id=workspace_id,
    )


def send_webhook(
    *,
    kind: str,
    address: str,
    payload: dict[str, Any],
    secret: str,
    idempotency_key: str,
    workspace_id: str | None = None,
) -> None:
    """Put a signed webhook into the outbox. `secret` is the receiver's signing secret; it is kept sealed.

    Idempotent: the same key again does nothing, whatever the payload.
    """
    notice_id = new_id()
    sealed = settings().encryption_keys.seal(secret, context=_context(notice_id))
    body = json.dumps({"type": kind, "timestamp": now().isoformat(), "data": payload}, separators=(",", ":"))
    _write(
        idempotency_key,
        id=notice_id,
        channel="webhook",
        kind=kind,
        address=address,
        subject=kind,
        body=body,
        sealed_secret=sealed,
        workspace_id=workspace_id,
    )


def _write(idempotency_key: str, **values: Any) -> None:
    notice_id = str(values.setdefault("id", new_id()))
    if insert_once(Notice, unique="idempotency_key", idempotency_key=idempotency_key, **values):
        jobs.ring(SEND_TASK, notice_id)


def take(notice_id: str) -> Notice | None:
    """Reserve a due message for this worker, or None when it is sent, dead, not due, or another worker's."""
    instant = now()
    is_due = (Notice.id == notice_id, Notice.state == "waiting", Notice.next_attempt_at <= instant)
    taken = update(Notice).where(*is_due).values(attempts=Notice.attempts + 1, next_attempt_at=instant + LEASE)
    if not _count(db.session.execute(taken.execution_options(synchronize_session=False))):
        return None
    return db.session.get_one(Notice, notice_id, populate_existing=True)


def signing_secret(notice: Notice) -> str:
    """The webhook's secret. Raises: CannotUnseal."""
    return settings().encryption_keys.unseal(notice.sealed_secret, context=_context(notice.id))


def mark_sent(notice: Notice) -> None:
    """It is out, and its secret is forgotten. Nothing happens when another worker took the row meanwhile."""
    _finish(notice, state="sent", sent_at=now(), last_error="", sealed_secret="")


def mark_failed(notice: Notice, reason: str, *, is_final: bool = False) -> None:
    """Try again later, or give up and tell the operator."""
    wait = None if is_final else wait_after(notice.attempts, jitter=random.random())  # noqa: S311 - not a secret
    error = redact(reason)[:_LONGEST_ERROR]
    if wait is not None:
        _finish(notice, next_attempt_at=now() + wait, last_error=error)
        return
    if _finish(notice, state="dead", last_error=error):
        message = f"A message of kind {notice.kind} could not be sent ({notice.channel}): {error}"
        raise_alert("notices.dead", subject=notice.workspace_id or notice.kind, severity="warning", message=message)


def _finish(notice: Notice, **values: Any) -> bool:
    """Write the outcome, unless the row was taken again since: `attempts` tells whose it is."""
    is_ours = (Notice.id == notice.id, Notice.state == "waiting", Notice.attempts == notice.attempts)
    finished = update(Notice).where(*is_ours).values(**values)
    log.info(
        "notice",
        extra={"notice_id": notice.id, "channel": notice.channel, "kind": notice.kind}
        | {"state": values.get("state", "waiting"), "attempts": notice.attempts},
    )
    return bool(_count(db.session.execute(finished)))


def due_ids(limit: int) -> list[str]:
    """Messages whose time has come, the longest waiting first."""
    due = select(Notice.id).where(Notice.state == "waiting", Notice.next_attempt_at <= now())
    return list(db.session.scalars(due.order_by(Notice.next_attempt_at).limit(limit)))


def reseal(key_ring: KeyRing) -> int:
    """Seal waiting webhooks' secrets with the key that writes now. Returns how many changed."""
    changed = 0
    for notice in db.session.scalars(select(Notice).where(Notice.sealed_secret != "")):
        if not key_ring.is_current(notice.sealed_secret):
            secret = key_ring.unseal(notice.sealed_secret, context=_context(notice.id))
            notice.sealed_secret = key_ring.seal(secret, context=_context(notice.id))
            changed += 1
    return changed


def _context(notice_id: str) -> str:
    return f"notice:{notice_id}"


def _count(result: Any) -> int:
    assert isinstance(result, CursorResult)  # an UPDATE always answers with one
    return result.rowcount
