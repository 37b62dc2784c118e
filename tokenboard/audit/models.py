"""Rows of the audit log and of the operator's alerts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, Id, Identified, Instant


class AuditEntry(Identified, Base):
    """One act, as it happened. Append-only: a database trigger refuses UPDATE and DELETE."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_workspace_id_created_at", "workspace_id", "created_at"),
        Index("ix_audit_entry_created_at_id", "created_at", "id"),
        Index("ix_audit_entry_actor_created_at", "actor", "created_at"),
        Index("ix_audit_entry_subject_created_at", "subject", "created_at"),
    )

    created_at: Mapped[Instant] = mapped_column(default=now)
    # Who: a person's id, or a word like `cron` or `cli`. No foreign key: the log outlives people.
    actor: Mapped[str] = mapped_column(String(60))
    # What, as `room.act`: `accounts.signed_in`, `costs.connected`.
    act: Mapped[str] = mapped_column(String(60), index=True)
    # On what: the id of the row it was done to.
    subject: Mapped[str] = mapped_column(String(60), default="")
    workspace_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    # Before and after, or other facts; never a secret.
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    ip_address: Mapped[str] = mapped_column(String(45), default="")
    request_id: Mapped[str] = mapped_column(String(40), default="")


class Alert(Identified, Base):
    """Something the operator should look at. One open alert a key: raising it again only counts."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("open_key"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        Index("ix_alert_last_raised_at_id", "last_raised_at", "id"),
    )

    kind: Mapped[str] = mapped_column(String(60))
    # `kind:subject` while open, NULL once resolved, so that the same trouble can be raised anew.
    open_key: Mapped[str | None] = mapped_column(String(160))
    severity: Mapped[str] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(Text)
    times: Mapped[int] = mapped_column(default=1)
    raised_at: Mapped[Instant] = mapped_column(default=now)
    last_raised_at: Mapped[Instant] = mapped_column(default=now)
    # Somebody has taken it up: a person's id. It stays open until its cause is gone, or they say so.
    acknowledged_at: Mapped[Instant | None]
    acknowledged_by: Mapped[str] = mapped_column(String(60), default="")
    resolved_at: Mapped[Instant | None]
    # Empty: its cause went away by itself.
    resolved_by: Mapped[str] = mapped_column(String(60), default="")
