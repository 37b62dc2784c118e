"""The inbox: take a delivery in, once; handle it later, in one transaction with what it causes.

Laws: verified bytes are stored before anything is understood; an event is handled under its row's lock, ledger and
state commit together; one that cannot be handled yet is retried with growing waits, then dead, and the operator told;
replaying is safe, because money is keyed by what was bought and not by the event.
Source: reference "Reliability", 2.3; "Stripe", section 3.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, tuple_, update

from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.billing import paystack_service, stripe_service
from tokenboard.billing.asking import Answers, Providers
from tokenboard.billing.errors import Refused
from tokenboard.billing.inbox_models import EventState, InboxEvent
from tokenboard.billing.rules import waits_after
from tokenboard.core import jobs
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.redaction import redact
from tokenboard.core.upsert import insert
from tokenboard.providers.paystack_objects import PaystackEvent
from tokenboard.providers.stripe_objects import StripeEvent

log = logging.getLogger(__name__)

PROCESS_TASK = "billing.process_event"
DEAD_KIND = "billing.event_dead"
REFUSED_KIND = "billing.event_refused"
FORGED_KIND = "billing.webhook_refused"
_WAITING = (EventState.NEW, EventState.RETRY)


def receive_stripe(*, event: StripeEvent, body: bytes) -> bool:
    """Store a verified event and ring. Whether it is new."""
    return _receive("stripe", event.id, event.type, event.object_id, event.created_at, event.is_live, body)


def receive_paystack(*, event: PaystackEvent, body: bytes) -> bool:
    """As `receive_stripe`; Paystack tells no time, so the arrival counts."""
    about = event.reference or event.object_id
    return _receive("paystack", event.key, event.type, about, now(), event.is_live, body)


def _receive(
    provider: str, event_id: str, kind: str, object_id: str | None, created_at: datetime, is_live: bool, body: bytes
) -> bool:
    row_id, at = new_id(), now()
    fresh = {"id": row_id, "provider": provider, "event_id": event_id[:255], "type": kind[:80], "is_live": is_live}
    state = {"state": EventState.NEW, "note": "", "attempts": 0, "next_attempt_at": at, "last_error": ""}
    about = {"object_id": (object_id or "")[:255], "created_at": created_at, "received_at": at, "body": body}
    once = insert(InboxEvent).values(**fresh, **state, **about)
    made = db.session.scalar(
        once.on_conflict_do_nothing(index_elements=["provider", "event_id"]).returning(InboxEvent.id)
    )
    if made is None:
        return False
    jobs.ring(PROCESS_TASK, row_id)
    return True


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


def find(event: str) -> InboxEvent | None:
    """By our id or by the provider's."""
    wanted = select(InboxEvent).where(InboxEvent.event_id == event)
    return db.session.scalars(wanted.limit(1)).first()


def page(
    *, limit: int, state: str | None = None, provider: str | None = None, before: str | None = None
) -> Sequence[InboxEvent]:
    """The inbox, newest first; `before` is the last row of the page before."""
    wanted = select(InboxEvent).order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc()).limit(limit)
    if state:
        wanted = wanted.where(InboxEvent.state == state)
    if provider:
        wanted = wanted.where(InboxEvent.provider == provider)
    if before and (last := db.session.get(InboxEvent, before)):
        wanted = wanted.where(tuple_(InboxEvent.received_at, InboxEvent.id) < (last.received_at, last.id))
    return db.session.scalars(wanted).all()
