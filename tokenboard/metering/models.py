"""Rows of prices, calls under way and monthly caps.

Units: prices are nano-USD per million tokens, `*_micros` micro-credits.
Laws: a price is never updated in place, a new version replaces it; a call is open once and settled once. Ids of higher
rooms (conversation, message, key) are opaque: no foreign keys. What was used stands in `usage_models.py`.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant, LongText


class ModelPrice(Identified, Base):
    """One version of what a model costs at its provider. The current one has no `replaced_at`."""

    __tablename__ = "model_price"
    __table_args__ = (
        CheckConstraint("source IN ('litellm', 'genai-prices', 'admin')", name="source"),
        CheckConstraint("mode IN ('chat', 'embedding')", name="mode"),
        # Never free by accident: what is offered costs something, unless an administrator says it is free.
        CheckConstraint(
            "NOT is_offered OR (is_free AND source = 'admin') "
            "OR (input_nano_per_mtok > 0 AND (output_nano_per_mtok > 0 OR mode = 'embedding'))",
            name="offered",
        ),
        CheckConstraint("NOT is_free OR (input_nano_per_mtok = 0 AND output_nano_per_mtok = 0)", name="free"),
        Index("uq_model_price_version", "model", "version", unique=True),
        Index(
            "uq_model_price_current",
            "model",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    model: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    mode: Mapped[str] = mapped_column(String(10), default="chat")
    # None: unknown, and the model is not offered.
    input_nano_per_mtok: Mapped[BigInt | None]
    # None: cached tokens cost what others do.
    cached_input_nano_per_mtok: Mapped[BigInt | None]
    output_nano_per_mtok: Mapped[BigInt | None]
    max_input_tokens: Mapped[BigInt | None]
    max_output_tokens: Mapped[BigInt | None]
    provider: Mapped[str] = mapped_column(String(60), default="")
    source: Mapped[str] = mapped_column(String(12))
    # The model's own markup as decimal text; '': the house's.
    markup: Mapped[str] = mapped_column(String(20), default="")
    is_free: Mapped[bool] = mapped_column(default=False)
    is_offered: Mapped[bool] = mapped_column(default=True)
    # Why it is not offered, or where the sources disagree; a sentence for the administrator.
    problem: Mapped[str] = mapped_column(String(200), default="")
    valid_from: Mapped[Instant] = mapped_column(default=now)
    replaced_at: Mapped[Instant | None]
    # Who wrote an administrator's row: a person's id or `cli`.
    actor: Mapped[str] = mapped_column(String(60), default="")


class MeteredCall(Identified, Base):
    """One call to a model, from its hold to its settlement. Its id travels to the provider."""

    __tablename__ = "metered_call"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'settled')", name="state"),
        CheckConstraint("source IN ('chat', 'gateway', 'openwebui')", name="source"),
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled"),
        CheckConstraint("(hold_id IS NULL) = (held_micros = 0)", name="hold"),
        CheckConstraint("held_micros >= 0 AND watermark_micros >= 0 AND recorded_bytes >= 0", name="amounts"),
        Index(
            "ix_metered_call_lease_until",
            "lease_until",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_metered_call_person_id_started_at", "person_id", "started_at"),
        Index("ix_metered_call_settled_at", "settled_at"),
        # The recorder moves an open call on several times a second: room for the next version on the same page.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    person_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    # Whose cap was held, and of which month.
    membership_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    cap_month: Mapped[str] = mapped_column(String(7))
    # The window its key's budget was held in; '' without a key.
    key_window: Mapped[str] = mapped_column(String(10), default="")
    source: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(120))
    price_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("model_price.id"))
    # Decimal text, frozen when the call began.
    markup: Mapped[str] = mapped_column(String(20))
    key_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    conversation_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    message_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    is_background: Mapped[bool] = mapped_column(default=False)
    keeps_text: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(8), default="open")
    # The ledger's hold; none for a model that is free on purpose.
    hold_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    held_micros: Mapped[BigInt]
    prompt_bytes: Mapped[BigInt]
    prompt_tokens_bound: Mapped[BigInt]
    max_output_tokens: Mapped[BigInt]
    is_shortened: Mapped[bool] = mapped_column(default=False)
    # What was written down before it was delivered: characters of text, bytes of text and reasoning.
    recorded_chars: Mapped[BigInt] = mapped_column(default=0)
    recorded_bytes: Mapped[BigInt] = mapped_column(default=0)
    # The charge if the call ended now.
    watermark_micros: Mapped[BigInt] = mapped_column(default=0)
    # Whoever holds the token writes; past its time the sweeper settles the call.
    lease_token: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    lease_until: Mapped[Instant]
    stop_requested_at: Mapped[Instant | None]
    first_piece_at: Mapped[Instant | None]
    started_at: Mapped[Instant] = mapped_column(default=now)
    settled_at: Mapped[Instant | None]
    outcome: Mapped[str] = mapped_column(String(12), default="")
    error_code: Mapped[str] = mapped_column(String(40), default="")
    # The ledger's settlement.
    transaction_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))


class CallPiece(Base):
    """A piece of an answer's text, until the room has taken the whole."""

    __tablename__ = "call_piece"
    __table_args__ = ({"sqlite_with_rowid": False},)

    call_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("metered_call.id", ondelete="CASCADE"), primary_key=True
    )
    from_char: Mapped[BigInt] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[LongText]


class CapWindow(Base):
    """What a person, a member of a workspace, or a virtual key has used and holds in one window of time."""

    __tablename__ = "cap_window"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'member', 'key')", name="kind"),
        CheckConstraint("held_micros >= 0", name="held"),
        {"sqlite_with_rowid": False, "postgresql_with": {"fillfactor": "70"}},
    )

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    # A person's, a membership's or a key's id.
    subject_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    # `2026-11`; a key's window may also be a day, or `total`.
    month: Mapped[str] = mapped_column(String(10), primary_key=True)
    spent_micros: Mapped[BigInt] = mapped_column(default=0)
    held_micros: Mapped[BigInt] = mapped_column(default=0)
