"""Rows of what is watched: a workspace's connections to providers, and the sync runs that read them.

Law: a run's state is the truth, the queue only rings; indexes see to it that one runs and one waits a connection.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, Id, Identified, Instant


class Connection(Identified, Base):
    """A workspace's sealed key at one provider, and how fresh its numbers are. It is the row the sweeper looks at."""

    __tablename__ = "connection"
    __table_args__ = (
        CheckConstraint("provider IN ('openai', 'anthropic')", name="provider"),
        CheckConstraint("mode IN ('organization', 'personal')", name="mode"),
        CheckConstraint("status IN ('active', 'rejected', 'removed')", name="status"),
        # One live connection for a provider in a workspace, also under two tabs.
        Index(
            "uq_connection_live",
            "workspace_id",
            "provider",
            unique=True,
            sqlite_where=text("status <> 'removed'"),
            postgresql_where=text("status <> 'removed'"),
        ),
        Index("ix_connection_status_next_sync_at", "status", "next_sync_at"),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(12))
    mode: Mapped[str] = mapped_column(String(12))
    # AES-256-GCM with (workspace, provider, this row) as context; emptied when the connection is removed.
    sealed_key: Mapped[str] = mapped_column(Text)
    # Keyed hash of the provider's key: says "already connected" without opening the seal.
    key_fingerprint: Mapped[str] = mapped_column(String(64))
    last4: Mapped[str] = mapped_column(String(4))
    # active: syncs run; rejected: refused by the provider, nothing runs until it is replaced; removed: history only.
    status: Mapped[str] = mapped_column(String(10), default="active")
    last_synced_at: Mapped[Instant | None]
    # The newest full reading of the trailing months; the hourly one re-reads seven days only.
    last_full_sync_at: Mapped[Instant | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    last_error_code: Mapped[str] = mapped_column(String(40), default="")
    next_sync_at: Mapped[Instant | None]
    created_by_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="SET NULL"))
    created_at: Mapped[Instant] = mapped_column(default=now)
    removed_at: Mapped[Instant | None]


class SyncRun(Identified, Base):
    """One attempt to import a span of days. Its state is the truth; the queue only rings for it."""

    __tablename__ = "sync_run"
    __table_args__ = (
        CheckConstraint("reason IN ('backfill', 'hourly', 'daily', 'manual', 'cron')", name="reason"),
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
        # Two syncs of one connection never run at once, and one at most waits behind it.
        Index(
            "uq_sync_run_running",
            "connection_id",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index(
            "uq_sync_run_waiting",
            "connection_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_sync_run_connection_id_queued_at", "connection_id", "queued_at"),
        Index("ix_sync_run_state_next_attempt_at", "state", "next_attempt_at"),
    )

    connection_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("connection.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    since_on: Mapped[date]
    until_on: Mapped[date]  # included
    # Days before this one are imported and stay so: a run found again goes on from here.
    reached_on: Mapped[date]
    revised_days: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant] = mapped_column(default=now)
    # A running run whose lease is over was lost with its worker; the sweeper takes it up again.
    lease_expires_at: Mapped[Instant | None]
    # Who holds the lease: a fresh random word for every taking, so that a worker declared dead cannot write on.
    lease_token: Mapped[str] = mapped_column(String(36), default="")
    error_code: Mapped[str] = mapped_column(String(40), default="")
    error_message: Mapped[str] = mapped_column(Text, default="")
    queued_at: Mapped[Instant] = mapped_column(default=now)
    started_at: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]

    @property
    def days_total(self) -> int:
        return (self.until_on - self.since_on).days + 1

    @property
    def days_done(self) -> int:
        return min(self.days_total, (self.reached_on - self.since_on).days)
