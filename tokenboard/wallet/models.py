"""Rows beside the ledger: who had sign-up credits, where "low" begins, what administrators have given or want to give.

Units: `*_micros` is integer micro-credits. The ledger's own rows are reached through `ledger.service` and `.queries`.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant


class SignupGrant(Base):
    """One e-mail address that has had its sign-up credits, however it was spelled. Outlives the person."""

    __tablename__ = "signup_grant"

    # SHA-256 of the normalised address: enough to recognise it, no list of addresses.
    email_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    amount_micros: Mapped[BigInt]
    created_at: Mapped[Instant] = mapped_column(default=now)


class LowBalance(Base):
    """Below which balance a workspace wants to be told. Armed: it has not been told since it was last above."""

    __tablename__ = "low_balance"
    __table_args__ = (CheckConstraint("threshold_micros > 0", name="threshold"),)

    # Looked up with every change of a balance, so the wallet is the key.
    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    threshold_micros: Mapped[BigInt]
    is_armed: Mapped[bool] = mapped_column(default=True)
    # When it was last crossed: names the message, so that each crossing is told once.
    told_at: Mapped[Instant | None]


class AdjustmentKind(StrEnum):
    """What an administrator does to a balance."""

    GIFT = "gift"  # promotional credits, which may expire
    CORRECTION = "correction"  # puts a balance right, up (paid credits that stay) or down


class AdjustmentState(StrEnum):
    """Proposed ones wait for a second administrator."""

    PROPOSED = "proposed"
    POSTED = "posted"
    DECLINED = "declined"


class Adjustment(Identified, Base):
    """Credits given or taken by an administrator or by the admin key, with the reason."""

    __tablename__ = "adjustment"
    __table_args__ = (
        CheckConstraint("kind IN ('gift', 'correction')", name="kind"),
        CheckConstraint("state IN ('proposed', 'posted', 'declined')", name="state"),
        CheckConstraint("amount_micros <> 0 AND (kind = 'correction' OR amount_micros > 0)", name="amount"),
        CheckConstraint("(state = 'posted') = (transaction_id IS NOT NULL)", name="posted"),
        Index("ix_adjustment_created_at", "created_at", "id"),
        Index("ix_adjustment_state", "state"),
    )

    workspace_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(10))
    # Signed: what it changes the balance by.
    amount_micros: Mapped[BigInt]
    expires_at: Mapped[Instant | None]
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10))
    # A person's id, or `admin-key`. No foreign key: the record outlives people.
    actor: Mapped[str] = mapped_column(String(60))
    decided_by: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[Instant] = mapped_column(default=now)
    decided_at: Mapped[Instant | None]
    transaction_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))


class AdjustmentDay(Base):
    """What one administrator has given and taken alone on one UTC day: the daily cap is a guarded UPDATE of it."""

    __tablename__ = "adjustment_day"

    actor: Mapped[str] = mapped_column(String(60), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    total_micros: Mapped[BigInt]
