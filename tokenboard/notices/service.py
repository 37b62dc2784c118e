"""The outbox: messages are rows, written in the transaction of their cause, sent later by tasks.py.

Laws: one cause sends once (`idempotency_key`); a row is taken by one worker at a time, by pushing `next_attempt_at`
past a lease; after a crash between sending and marking, the same message goes out again under the same id, which both
channels carry (Message-ID, webhook-id); what is secret in a message (a webhook's signing key, the token of a link) is
kept sealed and is forgotten once it is out. Addresses come as values: this room knows no people and no workspaces.
"""

from __future__ import annotations

import json
import logging
import random
from typing import Any

from sqlalchemy import delete, select, update

from tokenboard.audit.alerts import raise_alert
from tokenboard.core import jobs
from tokenboard.core.clock import now
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db, new_id, rows_changed
from tokenboard.core.redaction import redact
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert_once
from tokenboard.notices.models import Notice
from tokenboard.notices.rules import LEASE, wait_after

log = logging.getLogger(__name__)

SEND_TASK = "notices.send"
SECRET_PLACE = "[secret]"  # noqa: S105 - where an e-mail's secret stands in its text and HTML until it is sent
_LONGEST_SUBJECT = 200
_LONGEST_ERROR = 500


def send_email(
    *,
    kind: str,
    address: str,
    subject: str,
    text: str,
    html: str = "",
    secret: str = "",
    idempotency_key: str,
    workspace_id: str | None = None,
) -> None:
    """Put an e-mail into the outbox. `secret` is what a link in it proves itself with: the text says SECRET_PLACE.

    Idempotent: the same key again does nothing, whatever the text.
    """
    line = " ".join(subject.split())[:_LONGEST_SUBJECT]
    notice_id = new_id()
    _write(
        idempotency_key,
        id=notice_id,
        channel="email",
        kind=kind,
        address=address,
        subject=line,
        body=text,
        body_html=html,
        sealed_secret=_sealed(secret, notice_id) if secret else "",
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
    body = json.dumps({"type": kind, "timestamp": now().isoformat(), "data": payload}, separators=(",", ":"))
    _write(
        idempotency_key,
        id=notice_id,
        channel="webhook",
        kind=kind,
        address=address,
        subject=kind,
        body=body,
        sealed_secret=_sealed(secret, notice_id),
        workspace_id=workspace_id,
    )


def _write(idempotency_key: str, **values: Any) -> None:
    if insert_once(Notice, unique="idempotency_key", idempotency_key=idempotency_key, **values):
        jobs.ring(SEND_TASK, str(values["id"]))


def _sealed(secret: str, notice_id: str) -> str:
    return settings().encryption_keys.seal(secret, context=_context(notice_id))


def take(notice_id: str) -> Notice | None:
    """Reserve a due message for this worker, or None when it is sent, dead, not due, or another worker's."""
    instant = now()
    is_due = (Notice.id == notice_id, Notice.state == "waiting", Notice.next_attempt_at <= instant)
    taken = update(Notice).where(*is_due).values(attempts=Notice.attempts + 1, next_attempt_at=instant + LEASE)
    if not rows_changed(db.session.execute(taken.execution_options(synchronize_session=False))):
        return None
    return db.session.get_one(Notice, notice_id, populate_existing=True)


def secret_of(notice: Notice) -> str:
    """What is secret in a message: a webhook's signing key, the token of a link. Raises: CannotUnseal."""
    return settings().encryption_keys.unseal(notice.sealed_secret, context=_context(notice.id))


def filled(notice: Notice, text: str) -> str:
    """An e-mail's text or HTML with its secret, while that is kept. Raises: CannotUnseal."""
    return text.replace(SECRET_PLACE, secret_of(notice)) if notice.sealed_secret else text


def mark_sent(notice: Notice) -> None:
    """It is out, and its secret is forgotten. Nothing happens when another worker took the row meanwhile."""
    # Without a mail server the development outbox is the mailbox: there the link must still be read.
    stays = notice.channel == "email" and not settings().smtp_url
    kept = notice.sealed_secret if stays else ""
    _finish(notice, state="sent", sent_at=now(), last_error="", sealed_secret=kept)


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
    return bool(rows_changed(db.session.execute(finished)))


def forget(address: str) -> None:
    """Delete every e-mail that was written to an address, sent or not: its holder is gone."""
    db.session.execute(delete(Notice).where(Notice.channel == "email", Notice.address == address))


def due_ids(limit: int) -> list[str]:
    """Messages whose time has come, the longest waiting first."""
    due = select(Notice.id).where(Notice.state == "waiting", Notice.next_attempt_at <= now())
    return list(db.session.scalars(due.order_by(Notice.next_attempt_at).limit(limit)))


def reseal(key_ring: KeyRing) -> int:
    """Seal every kept secret with the key that writes now. Returns how many changed."""
    changed = 0
    for notice in db.session.scalars(select(Notice).where(Notice.sealed_secret != "")):
        if not key_ring.is_current(notice.sealed_secret):
            secret = key_ring.unseal(notice.sealed_secret, context=_context(notice.id))
            notice.sealed_secret = key_ring.seal(secret, context=_context(notice.id))
            changed += 1
    return changed


def _context(notice_id: str) -> str:
    return f"notice:{notice_id}"
