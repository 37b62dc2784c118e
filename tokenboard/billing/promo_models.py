"""Rows of promo codes and of automatic top-ups. Units: `*_micros` is integer micro-credits."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant


class PromoBatch(Identified, Base):
    """Codes made together, that give the same: credits, or what one period of a plan includes."""

    __tablename__ = "promo_batch"
    __table_args__ = (
        CheckConstraint("(credits_micros > 0) <> (plan_price_provider_id <> '')", name="gives"),
        CheckConstraint("uses_each > 0", name="uses"),
    )

    name: Mapped[str] = mapped_column(String(80))
    credits_micros: Mapped[BigInt] = mapped_column(default=0)
    plan_price_provider_id: Mapped[str] = mapped_column(String(255), default="")
    # How many people may use one code; each person uses one code of a batch, once.
    uses_each: Mapped[int] = mapped_column(default=1)
    # After this the codes are worth nothing.
    expires_at: Mapped[Instant | None]
    # Days the credits live; 0: they do not expire.
    credits_live_days: Mapped[int] = mapped_column(default=0)
    actor: Mapped[str] = mapped_column(String(60))
    # The codes in clear, sealed, until whoever made them has stored them or an hour is over; then empty for ever.
    sealed_codes: Mapped[str] = mapped_column(Text, default="", deferred=True)
    created_at: Mapped[Instant] = mapped_column(default=now)
    ended_at: Mapped[Instant | None]


class PromoCode(Identified, Base):
    """One code. Only its hash is kept: who reads the database cannot redeem it."""

    __tablename__ = "promo_code"

    batch_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("promo_batch.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    last4: Mapped[str] = mapped_column(String(4))
    uses: Mapped[int] = mapped_column(default=0)


class PromoRedemption(Identified, Base):
    """A code used by a person."""

    __tablename__ = "promo_redemption"
    __table_args__ = (UniqueConstraint("batch_id", "person_id"),)

    batch_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("promo_batch.id"))
    code_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("promo_code.id"), index=True)
    # No foreign key: the record outlives the person, and the code stays used.
    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    transaction_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    created_at: Mapped[Instant] = mapped_column(default=now)


class AutoTopUp(Base):
    """Buys a pack by itself when the balance falls below a line, up to a cap a month; stopped by a decline."""

    __tablename__ = "auto_top_up"
    __table_args__ = (CheckConstraint("threshold_micros > 0 AND monthly_cap_cents > 0", name="amounts"),)

    workspace_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True
    )
    # Looked up with every change of a balance.
    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), unique=True)
    is_enabled: Mapped[bool] = mapped_column(default=False)
    threshold_micros: Mapped[BigInt]
    price_provider_id: Mapped[str] = mapped_column(String(255))
    monthly_cap_cents: Mapped[BigInt]
    # Why it stopped by itself; switching it on again clears this.
    stopped_reason: Mapped[str] = mapped_column(String(300), default="")
    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    changed_at: Mapped[Instant] = mapped_column(default=now, onupdate=now)
