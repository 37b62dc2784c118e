"""Rows of the outbox."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, Id, Identified, Instant


class Notice(Identified, Base):
    """One message to one address: written in its cause's transaction, sent by a job, found again by the sweeper."""

    __tablename__ = "notice"
    __table_args__ = (
        # The cause's own name for it ("budget:<id>:2026-11:80:<address hash>"): the same cause never sends twice.
        UniqueConstraint("idempotency_key"),
        CheckConstraint("channel IN ('email', 'webhook')", name="channel"),
        CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="state"),
        Index("ix_notice_state_next_attempt_at", "state", "next_attempt_at"),
    )

    channel: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(60))
    address: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(200), default="")
    # Plain text of an e-mail, JSON of a webhook.
    body: Mapped[str] = mapped_column(Text)
    body_html: Mapped[str] = mapped_column(Text, default="")
    # A webhook's signing secret, or the token of an e-mail's link; sealed with this row's id as context, emptied once
    # the message is out.
    sealed_secret: Mapped[str] = mapped_column(Text, default="")
    workspace_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), index=True)
    idempotency_key: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant] = mapped_column(default=now)
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Instant] = mapped_column(default=now)
    sent_at: Mapped[Instant | None]
