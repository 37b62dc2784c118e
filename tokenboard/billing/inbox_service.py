"""The inbox: take a delivery in, once; handle it later, in one transaction with what it causes.

Laws: verified bytes are stored before anything is understood; an event is handled under its row's lock, ledger and
state commit together; one that cannot be handled yet is retried with growing waits, then dead, and the operator told;
replaying is safe, because money is keyed by what was bought and not by the event.
Source: reference "Reliability", 2.3; "Stripe", section 3.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, select, update

from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.billing import inbox_queries, paystack_service, stripe_service
from tokenboard.billing.asking import Answers, Providers
from tokenboard.billing.errors import Refused
from tokenboard.billing.inbox_models import EventState, InboxEvent
from tokenboard.billing.inbox_queries import InboxFilter, find as find
from tokenboard.billing.rules import waits_after
from tokenboard.core import jobs
from tokenboard.core.clock import now
from tokenboard.core.db import db, is_postgresql, new_id, rows_changed
from tokenboard.core.redaction import redact
from tokenboard.core.upsert import insert
from tokenboard.providers.paystack_objects import PaystackEvent
from tokenboard.providers.stripe_objects import StripeEvent

log = logging.getLogger(__name__)

PROCESS_TASK, SWEEP_TASK = "billing.process_event", "billing.sweep"
MOST_REPLAYS = 500  # of one press; the sweeper takes a hundred at a time
DEAD_KIND = "billing.event_dead"
REFUSED_KIND = "billing.event_refused"
FORGED_KIND = "billing.webhook_refused"
_WAITING = (EventState.NEW, EventState.RETRY)


def receive_stripe(*, event: StripeEvent, body: bytes, headers: Mapping[str, str] | None = None) -> bool:
    """Store a verified event and ring. Whether it is new."""
    about = {"object_id": event.object_id or "", "created_at": event.created_at, "is_live": event.is_live}
    return _receive("stripe", event.id, event.type, about, body, headers)


def receive_paystack(*, event: PaystackEvent, body: bytes, headers: Mapping[str, str] | None = None) -> bool:
    """As `receive_stripe`; Paystack tells no time, so the arrival counts."""
    named = event.reference or event.object_id or ""
    about = {"object_id": named, "created_at": now(), "is_live": event.is_live}
    return _receive("paystack", event.key, event.type, about, body, headers)


def _receive(
    provider: str, event_id: str, kind: str, about: dict[str, Any], body: bytes, headers: Mapping[str, str] | None
) -> bool:
    row_id, at = new_id(), now()
    fresh = {"id": row_id, "provider": provider, "event_id": event_id[:255], "type": kind[:80], "received_at": at}
    state = {"state": EventState.NEW, "note": "", "attempts": 0, "next_attempt_at": at, "last_error": ""}
    about |= {"object_id": about["object_id"][:255], "body": body, "headers": dict(headers or {})}
    if db.session.execute(_insert_once(is_postgresql()), fresh | state | about).first() is None:
        return False
    jobs.ring(PROCESS_TASK, row_id)
    return True


@lru_cache
def _insert_once(_is_postgresql: bool) -> Executable:
    """Built once a database: a delivery takes 3.2 ms of a processor, with a statement of its own 4.6 (2026-11-28)."""
    table = InboxEvent.metadata.tables[InboxEvent.__tablename__]
    once = insert(table).on_conflict_do_nothing(index_elements=["provider", "event_id"])
    return once.returning(table.c.id)


def note_refused(*, provider: str, why: str) -> None:
    """A delivery whose signature does not hold: nothing is stored, the operator sees that it happened."""
    words = f"A webhook in the name of {provider.capitalize()} was refused: {why}."
    raise_alert(FORGED_KIND, subject=provider, severity="warning", message=words)


def note_mismatch(*, payment_id: str, why: str) -> None:
    """An order's provider was asked, and what was paid is not what was ordered."""
    words = f"The payment {payment_id} brought no credits. {why}"
    raise_alert(REFUSED_KIND, subject=payment_id, severity="warning", message=words)


def take(event_row_id: str) -> InboxEvent | None:
    """The event, ours alone until the transaction ends; None when another worker has it or it is handled."""
    wanted = select(InboxEvent).where(InboxEvent.id == event_row_id, InboxEvent.state.in_(_WAITING))
    found = wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return db.session.scalar(found)


def handle(*, row: InboxEvent, answers: Answers, providers: Providers) -> None:
    """Do what the event says and mark it done, in the caller's transaction.

    Raises: NotYet, NeedsAnswer, EventUnreadable, Unreadable; the caller rolls back and calls `put_off`.
    """
    try:
        with db.session.begin_nested():
            handled = _dispatch(row, answers, providers)
        row.state, row.note, row.payment_id = EventState.DONE, handled.note[:300], handled.payment_id
    except Refused as refusal:
        _refuse(row, refusal)
    row.done_at, row.last_error = now(), ""
    resolve_alert(DEAD_KIND, subject=row.id)


def _dispatch(row: InboxEvent, answers: Answers, providers: Providers) -> stripe_service.Handled:
    if row.provider == "stripe":
        return stripe_service.handle(providers.stripe().read_event(row.body), answers)
    return paystack_service.handle(providers.paystack().read_event(row.body), answers)


def _refuse(row: InboxEvent, refusal: Refused) -> None:
    row.state, row.note, row.payment_id = EventState.IGNORED, redact(refusal.why)[:300], refusal.payment_id
    words = f"The event {row.event_id} of {row.provider.capitalize()} brought no credits. {refusal.why}"
    raise_alert(REFUSED_KIND, subject=row.id, severity="warning", message=words)


def put_off(*, event_row_id: str, error: Exception) -> None:
    """Try again later, or give up and tell the operator."""
    row = take(event_row_id)
    if row is None:
        return
    row.attempts += 1
    row.last_error = redact(f"{type(error).__name__}: {error}")[:500]
    wait = waits_after(row.attempts, secrets.randbelow(25))
    if wait is not None:
        row.state, row.next_attempt_at = EventState.RETRY, now() + wait
        return
    row.state = EventState.DEAD
    words = f"The event {row.event_id} ({row.type}) could not be handled. Look at it in the inbox and replay it."
    raise_alert(DEAD_KIND, subject=row.id, severity="critical", message=words)


def due(limit: int) -> Sequence[str]:
    """Events that wait, the longest waiting first."""
    wanted = select(InboxEvent.id).where(InboxEvent.state.in_(_WAITING), InboxEvent.next_attempt_at <= now())
    return db.session.scalars(wanted.order_by(InboxEvent.next_attempt_at).limit(limit)).all()


def replay(*, event_row_id: str, actor: str) -> InboxEvent | None:
    """Handle an event again, whatever became of it. None: there is no such event."""
    again = {"state": EventState.NEW, "attempts": 0, "next_attempt_at": now(), "note": "", "done_at": None}
    statement = update(InboxEvent).where(InboxEvent.id == event_row_id).values(**again)
    db.session.execute(statement.execution_options(synchronize_session=False))
    row = db.session.get(InboxEvent, event_row_id, populate_existing=True)
    if row is not None:
        audit.record("billing.event_replayed", actor=actor, subject=row.id, facts={"event": row.event_id})
        jobs.ring(PROCESS_TASK, row.id)
    return row


def replay_dead(*, wanted: InboxFilter, most: int, actor: str) -> int:
    """Handle dead events of a filter again, the oldest first and no more than `most`; how many.

    Twice is once: those of the first press wait already. One bell for all: the sweeper takes them.
    """
    oldest = select(InboxEvent.id).where(*inbox_queries.conditions(wanted), InboxEvent.state == EventState.DEAD)
    ids = db.session.scalars(oldest.order_by(InboxEvent.received_at, InboxEvent.id).limit(min(most, MOST_REPLAYS)))
    again = {"state": EventState.NEW, "attempts": 0, "next_attempt_at": now(), "note": "", "done_at": None}
    statement = update(InboxEvent).where(InboxEvent.id.in_(ids.all()), InboxEvent.state == EventState.DEAD)
    statement = statement.values(**again).execution_options(synchronize_session=False)
    count = rows_changed(db.session.execute(statement))
    if count:
        facts = {"provider": wanted.provider, "type": wanted.type, "count": count}
        audit.record("billing.dead_events_replayed", actor=actor, facts=facts)
        jobs.ring(SWEEP_TASK)
    return count
