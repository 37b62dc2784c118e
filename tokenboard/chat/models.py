"""Rows of the chat: a person's conversations in a workspace, and their messages.

Laws: nothing is replaced in place: an answer asked again, and what followed an edited message, keep their rows and are
marked `replaced_at`; one answer at a time is written in a conversation (a partial unique index); an answer's id is the
id of its metered call. Deleting a conversation erases what was written in it and keeps what money needs.
Units: `*_micros` is integer micro-credits.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant, LongText


class Role(StrEnum):
    """Who wrote a message."""

    USER = "user"
    ASSISTANT = "assistant"


class Status(StrEnum):
    """How far a message is. A person's own messages are done from the start."""

    STREAMING = "streaming"  # being written
    DONE = "done"  # complete
    STOPPED = "stopped"  # ended by its reader
    LENGTH = "length"  # ended by the limit on its length
    INTERRUPTED = "interrupted"  # ended by us: a deploy, a lost process
    FAILED = "failed"  # ended by the model's provider


class Conversation(Identified, Base):
    """What one person asked in one workspace. Nobody else sees it."""

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_listed", "workspace_id", "person_id", "updated_at", "id"),)

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    # The model last chosen in it.
    model: Mapped[str] = mapped_column(String(120))
    is_pinned: Mapped[bool] = mapped_column(default=False)
    # What all answers cost, replaced ones included.
    credits_micros: Mapped[BigInt] = mapped_column(default=0)
    created_at: Mapped[Instant] = mapped_column(default=now)
    updated_at: Mapped[Instant] = mapped_column(default=now)
    deleted_at: Mapped[Instant | None]


class Message(Identified, Base):
    """One message. Of an answer, the id is its metered call's."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position"),
        CheckConstraint("role IN ('user', 'assistant')", name="role"),
        CheckConstraint("status IN ('streaming', 'done', 'stopped', 'length', 'interrupted', 'failed')", name="status"),
        CheckConstraint("role = 'assistant' OR status = 'done'", name="own"),
        # One answer at a time in a conversation, also under two tabs.
        Index(
            "uq_message_streaming",
            "conversation_id",
            unique=True,
            sqlite_where=text("status = 'streaming'"),
            postgresql_where=text("status = 'streaming'"),
        ),
    )

    conversation_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("conversation.id", ondelete="CASCADE"))
    # Its place in the conversation, from 1 on; replaced messages keep theirs.
    position: Mapped[int]
    role: Mapped[str] = mapped_column(String(10))
    content: Mapped[LongText] = mapped_column(default="")
    model: Mapped[str] = mapped_column(String(120), default="")
    status: Mapped[str] = mapped_column(String(12))
    # Of an answer its prompt and completion together; of a person's message an estimate of its own.
    tokens: Mapped[BigInt] = mapped_column(default=0)
    prompt_tokens: Mapped[BigInt] = mapped_column(default=0)
    cached_tokens: Mapped[BigInt] = mapped_column(default=0)
    completion_tokens: Mapped[BigInt] = mapped_column(default=0)
    credits_micros: Mapped[BigInt] = mapped_column(default=0)
    # The wallet right after the answer was charged, so that a stream told again says the same.
    balance_after_micros: Mapped[BigInt | None]
    latency_ms: Mapped[BigInt | None]
    first_token_ms: Mapped[BigInt | None]
    error_code: Mapped[str] = mapped_column(String(60), default="")
    # How many earlier messages no longer fitted into the model's window and were not sent.
    left_out: Mapped[int] = mapped_column(default=0)
    # The wallet could pay for a part only, so the answer got a smaller limit.
    is_shortened: Mapped[bool] = mapped_column(default=False)
    # The caller's idempotency key (hashed with whose it is), and the hash of what was asked with it.
    request_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    request_hash: Mapped[str] = mapped_column(String(64), default="")
    replaced_at: Mapped[Instant | None]
    created_at: Mapped[Instant] = mapped_column(default=now)
