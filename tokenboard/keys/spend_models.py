"""Rows of what LiteLLM reports: raw deliveries of its callback, one line a request, and how far its log is read.

Laws: a delivery is stored before it is understood, and its bytes are forgotten once it is booked, for a proxy that is
set up otherwise than we ask sends prompts along; a request has one line whichever feed brings it, and the first
decision about it stands.
Units: `*_nano` nano-USD of provider cost, as the proxy says it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, String, Uuid, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant
from tokenboard.keys.spend_rules import LONGEST_REQUEST_KEY


def _partial(name: str, column: str, *, where: str) -> Index:
    return Index(name, column, sqlite_where=text(where), postgresql_where=text(where))


# A state as the indexes' conditions have it: a value that travels beside the statement matches none of them.
NEW, DEAD = literal_column("'new'", String()), literal_column("'dead'", String())


class SpendBatch(Identified, Base):
    """One delivery of the callback, as it came."""

    __tablename__ = "spend_batch"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'done', 'dead')", name="state"),
        _partial("ix_spend_batch_due", "next_attempt_at", where="state = 'new'"),
        _partial("ix_spend_batch_dead", "received_at", where="state = 'dead'"),
        _partial("ix_spend_batch_ended", "received_at", where="state <> 'new'"),
    )

    # SHA-256 of the bytes: the same delivery again is no second one.
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    # Empty once it is booked.
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    body_bytes: Mapped[int]
    state: Mapped[str] = mapped_column(String(4), default="new")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant] = mapped_column(default=now)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    # What became of its records: how many were charged, reconciled, refused, foreign, odd, known, unreadable.
    counts: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    received_at: Mapped[Instant] = mapped_column(default=now)
    done_at: Mapped[Instant | None]


class SpendLine(Base):
    """One request as the proxy reported it, and what was decided about it. Never changed."""

    __tablename__ = "spend_line"
    __table_args__ = (
        CheckConstraint("kind IN ('charge', 'reconcile', 'refused', 'foreign', 'odd')", name="kind"),
        CheckConstraint("feed IN ('callback', 'log')", name="feed"),
        CheckConstraint("cost_nano >= 0", name="cost"),
        Index("ix_spend_line_kind_started_at", "kind", "started_at"),
        Index("ix_spend_line_call_id", "call_id"),
    )

    # The proxy's request id, or its hash when it is longer than a key may be.
    request_key: Mapped[str] = mapped_column(String(LONGEST_REQUEST_KEY), primary_key=True)
    kind: Mapped[str] = mapped_column(String(9))
    feed: Mapped[str] = mapped_column(String(8))
    # Ours, where the request was our own: `metered_call.id`.
    call_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    workspace_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    key_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    key_hash: Mapped[str] = mapped_column(String(64))
    end_user: Mapped[str] = mapped_column(String(254))
    model: Mapped[str] = mapped_column(String(120))
    prompt_tokens: Mapped[BigInt]
    completion_tokens: Mapped[BigInt]
    cost_nano: Mapped[BigInt]
    # What our own price table makes of it; NULL: the model has no price here.
    expected_nano: Mapped[BigInt | None]
    is_success: Mapped[bool]
    error_code: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[Instant]
    booked_at: Mapped[Instant] = mapped_column(default=now)


class SpendCursor(Base):
    """How far a proxy's spend log is read, and who reads it now."""

    __tablename__ = "spend_cursor"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    # Every request that ended before this is booked; the next reading begins an overlap earlier.
    read_to: Mapped[Instant | None]
    lease_token: Mapped[str] = mapped_column(String(36), default="")
    lease_until: Mapped[Instant | None]
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    read_at: Mapped[Instant | None]
