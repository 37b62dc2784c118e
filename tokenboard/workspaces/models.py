"""Rows of workspaces, who belongs to them, and where their alerts go."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant


class Role(StrEnum):
    """What a member may do; each role may all that the next one may."""

    OWNER = "owner"  # everything, deletion and the owner's own role included
    ADMIN = "admin"  # all but deleting, transferring ownership and changing the owner
    MEMBER = "member"  # dashboard, chat, own keys, buying credits
    VIEWER = "viewer"  # read the dashboard, ledger and usage


class Workspace(Identified, Base):
    """What owns wallet, connections, budgets, and later keys and conversations."""

    __tablename__ = "workspace"

    name: Mapped[str] = mapped_column(String(80))
    # A personal workspace is a person's default one and cannot be left or deleted.
    is_personal: Mapped[bool] = mapped_column(default=False)
    # Demo workspaces hold made-up data, are marked on every page and stand outside every total.
    is_demo: Mapped[bool] = mapped_column(default=False)
    # Its wallet: rows point down, the ledger never names a workspace.
    ledger_account_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("ledger_account.id"), unique=True)
    archived_at: Mapped[Instant | None]
    created_at: Mapped[Instant] = mapped_column(default=now)


class Membership(Identified, Base):
    """One person's role in one workspace."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("workspace_id", "person_id"),
        CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
        # One owner a workspace, also under two tabs.
        Index(
            "uq_membership_owner",
            "workspace_id",
            unique=True,
            sqlite_where=text("role = 'owner'"),
            postgresql_where=text("role = 'owner'"),
        ),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(10))
    # The most this member may use in a month, in US cents; None: no cap of their own.
    monthly_cap_cents: Mapped[BigInt | None]
    created_at: Mapped[Instant] = mapped_column(default=now)


class Invitation(Identified, Base):
    """An open offer to join. Accepted by its single-use link, which only the invited address receives."""

    __tablename__ = "invitation"
    __table_args__ = (CheckConstraint("role IN ('admin', 'member', 'viewer')", name="role"),)

    workspace_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(10))
    monthly_cap_cents: Mapped[BigInt | None]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="SET NULL"))
    created_at: Mapped[Instant] = mapped_column(default=now)
    expires_at: Mapped[Instant]
    accepted_at: Mapped[Instant | None]
    withdrawn_at: Mapped[Instant | None]


class AlertChannel(Identified, Base):
    """Where a workspace's alerts go: an e-mail address, or an https address that gets a signed webhook."""

    __tablename__ = "alert_channel"
    __table_args__ = (
        UniqueConstraint("workspace_id", "kind", "address"),
        CheckConstraint("kind IN ('email', 'webhook')", name="kind"),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(500))
    # The webhook's signing secret, sealed with this row's id as context; empty for e-mail.
    sealed_secret: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Instant] = mapped_column(default=now)

    @property
    def public_address(self) -> str:
        """The address for those who may not change it: of a webhook only the host, since its path may be a secret."""
        if self.kind == "email":
            return self.address
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}/…"
