"""Rows of the inbox: every event a provider has sent and signed, as its bytes came in."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, Id, Identified, Instant


class EventState(StrEnum):
    """How an event stands."""

    NEW = "new"  # stored, not looked at
    RETRY = "retry"  # could not be handled yet; again at `next_attempt_at`
    DONE = "done"  # handled; what it caused committed with this word
    IGNORED = "ignored"  # not ours, of no kind we act on, or refused: `note` says why
    DEAD = "dead"  # given up; an administrator may replay it


class InboxEvent(Identified, Base):
    """One event. Inserted once, however often it is sent."""

    __tablename__ = "inbox_event"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        CheckConstraint("state IN ('new', 'retry', 'done', 'ignored', 'dead')", name="state"),
        CheckConstraint("provider IN ('stripe', 'paystack')", name="provider"),
        Index("ix_inbox_event_received", "received_at", "id"),
        # The inbox by state, and how many there are of each.
        Index("ix_inbox_event_state", "state", "received_at", "id"),
        # What a payment's page shows: events that led to it, and those that name what it is about.
        Index("ix_inbox_event_payment_id", "payment_id"),
        Index("ix_inbox_event_object_id", "object_id"),
        Index(
            "ix_inbox_event_due",
            "next_attempt_at",
            sqlite_where=text("state IN ('new', 'retry')"),
            postgresql_where=text("state IN ('new', 'retry')"),
        ),
    )

    provider: Mapped[str] = mapped_column(String(10))
    # Stripe's id; Paystack sends none: event, object and state name it (paystack.md, B3).
    event_id: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[Instant]
    is_live: Mapped[bool]
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    # A few of the delivery's headers; of a signature only its beginning, so that nothing can be sent again from here.
    headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, deferred=True)
    state: Mapped[str] = mapped_column(String(8), default=EventState.NEW)
    note: Mapped[str] = mapped_column(String(300), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant] = mapped_column(default=now)
    last_error: Mapped[str] = mapped_column(String(500), default="")
    received_at: Mapped[Instant] = mapped_column(default=now)
    done_at: Mapped[Instant | None]
    # The payment it was about: the way to the grant.
    payment_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
