"""The inbox of LiteLLM's callback: keep a delivery's bytes, book them later in one transaction.

Laws: a delivery is booked under its row's lock, state and effects commit together; one that cannot be booked is tried
again with growing waits, then dead, and the operator told. Losing one is no loss: the log brings the same requests.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import undefer

from tokenboard.audit.alerts import raise_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id, rows_changed
from tokenboard.core.jobs import ring
from tokenboard.core.redaction import redact
from tokenboard.core.upsert import insert
from tokenboard.keys import spend_service
from tokenboard.keys.spend_models import NEW, SpendBatch
from tokenboard.providers.litellm_records import read_callback

INGEST = "keys.ingest_batch"
UNREADABLE = "unreadable"
_MOST_ATTEMPTS = 8
_KEPT_FOR = timedelta(days=14)


def receive(*, body: bytes) -> bool:
    """Keep a delivery and ring. Whether it is new: the same bytes again are not."""
    row_id, at = new_id(), now()
    fresh = {"id": row_id, "digest": hashlib.sha256(body).hexdigest(), "body": body, "body_bytes": len(body)}
    state = {"state": "new", "attempts": 0, "next_attempt_at": at, "last_error": "", "received_at": at}
    once = insert(SpendBatch).values(**fresh, **state).on_conflict_do_nothing(index_elements=["digest"])
    if db.session.scalar(once.returning(SpendBatch.id)) is None:
        return False
    ring(INGEST, row_id)
    return True


def take(batch_id: str) -> SpendBatch | None:
    """A delivery that waits, ours alone until the transaction ends; None when somebody has it or it is booked."""
    wanted = select(SpendBatch).where(SpendBatch.id == batch_id, SpendBatch.state == "new")
    found = wanted.options(undefer(SpendBatch.body)).with_for_update(skip_locked=True)
    return db.session.scalar(found.execution_options(populate_existing=True))


def book(*, row: SpendBatch, house_hashes: frozenset[str]) -> None:
    """Book what a delivery holds, in the caller's transaction."""
    page = read_callback(row.body)
    counts: dict[str, int] = {UNREADABLE: page.unreadable} if page.unreadable else {}
    for start in range(0, len(page.records), spend_service.LARGEST_BATCH):
        part = page.records[start : start + spend_service.LARGEST_BATCH]
        found = spend_service.book(records=part, feed="callback", house_hashes=house_hashes)
        counts = {name: counts.get(name, 0) + found.get(name, 0) for name in sorted({*counts, *found})}
    row.state, row.counts, row.body, row.done_at, row.last_error = "done", counts, b"", now(), ""
    if page.unreadable:
        words = "LiteLLM's callback brought records that cannot be read. Its log is read as well and brings them again."
        raise_alert("keys.spend_unreadable", subject="callback", severity="warning", message=words)


def put_off(*, batch_id: str, error: Exception) -> None:
    """Try again later, or give up: the log brings the same requests."""
    row = take(batch_id)
    if row is None:
        return
    row.attempts += 1
    row.last_error = redact(f"{type(error).__name__}: {error}")[:300]
    row.next_attempt_at = now() + timedelta(seconds=10 * 2**row.attempts)
    if row.attempts >= _MOST_ATTEMPTS:
        row.state = "dead"
        words = f"A delivery of LiteLLM's callback could not be booked: {row.last_error[:200]}"
        raise_alert("keys.spend_batch_dead", subject=row.id, severity="critical", message=words)


def forget_old() -> int:
    """Deliveries that were booked or given up two weeks ago. Does not commit."""
    old = delete(SpendBatch).where(SpendBatch.state != NEW, SpendBatch.received_at < now() - _KEPT_FOR)
    return rows_changed(db.session.execute(old))
