"""Rows of virtual keys, their secrets, and the outbox of what LiteLLM must be told.

Laws: of a secret only its hash and its first letters are kept; sealed it stays only until LiteLLM has it. A target is a
row with a version: it is marked in the transaction of its cause, and computed when it is sent.
Units: `*_micros` micro-credits, `*_nano` nano-USD of provider cost.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant
from tokenboard.keys.rules import KeyState, Window


class VirtualKey(Identified, Base):
    """A key of one person in one workspace, as its holder sees it: a name, limits, a state."""

    __tablename__ = "virtual_key"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'paused', 'revoked')", name="state"),
        CheckConstraint("pause_reason IN ('', 'person', 'credits', 'leaver', 'admin')", name="pause_reason"),
        CheckConstraint("(state = 'paused') = (pause_reason <> '')", name="paused"),
        CheckConstraint("budget_window IN ('total', 'day', 'month')", name="budget_window"),
        CheckConstraint("max_budget_micros >= 0 AND rpm_limit > 0 AND tpm_limit > 0", name="limits"),
        # A form or request that is sent twice makes one key.
        UniqueConstraint("workspace_id", "client_key"),
        Index("ix_virtual_key_workspace", "workspace_id", "created_at", "id"),
        Index("ix_virtual_key_person_id", "person_id"),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    # Whose key it is; NULL once the person is gone.
    person_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(8), default=KeyState.ACTIVE)
    pause_reason: Mapped[str] = mapped_column(String(8), default="")
    # Names of models; empty: all that are offered.
    models: Mapped[list[Any]] = mapped_column(JSON, default=list)
    # The most it may use in a window, in micro-credits; NULL: no limit of its own.
    max_budget_micros: Mapped[BigInt | None]
    budget_window: Mapped[str] = mapped_column(String(5), default=Window.MONTH)
    rpm_limit: Mapped[int | None]
    tpm_limit: Mapped[int | None]
    expires_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]
    # The network it was last used from, without the host's own part.
    last_used_from: Mapped[str] = mapped_column(String(50), default="")
    client_key: Mapped[str] = mapped_column(String(255))
    # What `client_key` was used for, so that it is not used for something else; empty: nobody said.
    client_mark: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # Whoever holds it may say in a plain header whose wallet pays (gateway/access.py). Set by the site's administrator.
    can_name_people: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Addresses and networks it may be used from at /v1; empty: any.
    allowed_ips: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default=text("'[]'"))
    # Labels for whoever sorts keys, in lower case; told to nobody.
    tags: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default=text("'[]'"))
    created_at: Mapped[Instant] = mapped_column(default=now)
    revoked_at: Mapped[Instant | None]


class KeySecret(Identified, Base):
    """One secret of a key. Two are valid while one replaces the other."""

    __tablename__ = "key_secret"
    __table_args__ = (UniqueConstraint("key_id", "number"),)

    key_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("virtual_key.id", ondelete="CASCADE"))
    number: Mapped[int]
    # SHA-256 in hex; LiteLLM's `token` of the key.
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    display: Mapped[str] = mapped_column(String(20))
    # The secret itself, sealed, until LiteLLM has it; then empty.
    sealed: Mapped[str] = mapped_column(Text, default="")
    # LiteLLM had it and does not know it any more; it works at /v1 only.
    is_lost_at_proxy: Mapped[bool] = mapped_column(default=False)
    # The end of the overlap, once it is being replaced.
    valid_until: Mapped[Instant | None]
    created_at: Mapped[Instant] = mapped_column(default=now)
    revoked_at: Mapped[Instant | None]


class MirrorTarget(Identified, Base):
    """Something that LiteLLM must be told: a workspace's budget, a key's limits, a person's cap."""

    __tablename__ = "mirror_target"
    __table_args__ = (
        CheckConstraint("kind IN ('user', 'key', 'customer')", name="kind"),
        CheckConstraint("state IN ('due', 'sent')", name="state"),
        UniqueConstraint("kind", "subject"),
        Index(
            "ix_mirror_target_due",
            "next_attempt_at",
            sqlite_where=text("state = 'due'"),
            postgresql_where=text("state = 'due'"),
        ),
        Index("ix_mirror_target_workspace_id", "workspace_id"),
    )

    kind: Mapped[str] = mapped_column(String(8))
    # A workspace's id, a secret's id, an e-mail in lower case.
    subject: Mapped[str] = mapped_column(String(254))
    workspace_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    # Moves with every cause; what was sent names the version it knew.
    version: Mapped[BigInt] = mapped_column(default=1)
    sent_version: Mapped[BigInt] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(6), default="due")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[Instant] = mapped_column(default=now)
    lease_until: Mapped[Instant | None]
    last_error: Mapped[str] = mapped_column(String(300), default="")
    # What it was told last, and what it said when it was read back; for people.
    wanted: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    seen: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    seen_at: Mapped[Instant | None]
    # What the last comparison found, and what was done about it.
    drift_note: Mapped[str] = mapped_column(String(300), default="")
    # Provider cost booked from the spend feeds for this subject, ever.
    booked_nano: Mapped[BigInt] = mapped_column(default=0)
    sent_at: Mapped[Instant | None]


class MirrorRun(Identified, Base):
    """Somebody asked that LiteLLM be told a workspace's budgets anew: a job one can watch."""

    __tablename__ = "mirror_run"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
        Index("ix_mirror_run_workspace_id_queued_at", "workspace_id", "queued_at"),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(8), default="queued")
    # How many targets were marked when it was asked for, and how many were not as they had been told.
    targets: Mapped[int] = mapped_column(default=0)
    drifts: Mapped[int] = mapped_column(default=0)
    # Why it came to nothing; a sentence.
    error: Mapped[str] = mapped_column(String(300), default="")
    queued_at: Mapped[Instant] = mapped_column(default=now)
    started_at: Mapped[Instant | None]
    lease_until: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]
