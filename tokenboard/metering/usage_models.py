"""What was used: one record a request, and its sums by day. Written by `usage_service.ingest` alone.

Laws: a request is recorded once (`dedupe_key`); roll-ups are the sums of the records and can be built again from them.
No foreign keys: records come in by the thousand, from here and from the proxy, and outlive what they name.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant
from tokenboard.metering.histogram_rules import FIRST_TOKEN, LATENCY

# What stands in a roll-up's key for "none": a key column cannot be empty.
NIL = "00000000-0000-0000-0000-000000000000"
# Ended otherwise than it was asked for, and not by the person.
ERRORS = ("interrupted", "failed", "refused")
# Said in these words wherever the index over errors is to serve: a database matches its condition by the text.
IS_ERROR = "status IN ({})".format(", ".join(f"'{word}'" for word in ERRORS))
SUMS = (
    *("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"),
    *("credits_micros", "cost_nano_usd"),
)


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class UsageRecord(Identified, Base):
    """One request to a model: what it took and what it cost. Never changed."""

    __tablename__ = "usage_record"
    __table_args__ = (
        CheckConstraint("source IN ('chat', 'gateway', 'key', 'openwebui', 'openwebui_direct')", name="source"),
        CheckConstraint("status IN ('ok', 'stopped', 'length', 'interrupted', 'failed', 'refused')", name="status"),
        CheckConstraint("credits_micros >= 0 AND cost_nano_usd >= 0 AND absorbed_micros >= 0", name="amounts"),
        Index("uq_usage_record_dedupe_key", "dedupe_key", unique=True),
        Index("ix_usage_record_workspace_id_occurred_at", "workspace_id", "occurred_at", "id"),
        # A key's requests in a workspace that is busy otherwise; those that failed are few and counted by code.
        _partial("ix_usage_record_key", "workspace_id", "key_id", "occurred_at", "id", where="key_id IS NOT NULL"),
        _partial(
            "ix_usage_record_errors", "workspace_id", "key_id", "occurred_at", "status", "error_code", where=IS_ERROR
        ),
    )

    # `call:<id>` or `litellm:<request id>`.
    dedupe_key: Mapped[str] = mapped_column(String(160))
    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    person_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    source: Mapped[str] = mapped_column(String(16))
    key_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    call_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    request_id: Mapped[str | None] = mapped_column(String(120))
    conversation_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    message_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    model: Mapped[str] = mapped_column(String(120))
    # Cached tokens are a part of the prompt's, reasoning tokens of the completion's.
    prompt_tokens: Mapped[BigInt]
    cached_tokens: Mapped[BigInt]
    completion_tokens: Mapped[BigInt]
    reasoning_tokens: Mapped[BigInt]
    # What the wallet paid: its ledger entry's amount.
    credits_micros: Mapped[BigInt]
    # The provider's list price, or LiteLLM's own reckoning.
    cost_nano_usd: Mapped[BigInt]
    # What the house took upon itself: booked from `shrinkage`.
    absorbed_micros: Mapped[BigInt]
    price_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    markup: Mapped[str] = mapped_column(String(20))
    latency_ms: Mapped[int | None]
    first_token_ms: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(12))
    error_code: Mapped[str] = mapped_column(String(40))
    # The provider told no usage, or one nobody can believe: our own count.
    is_estimated: Mapped[bool]
    # Nobody waits for it: titles, suggestions.
    is_background: Mapped[bool]
    transaction_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    balance_after_micros: Mapped[BigInt | None]
    occurred_at: Mapped[Instant] = mapped_column(default=now)
    # The UTC day of `occurred_at`.
    day_on: Mapped[date] = mapped_column(Date)


class UsageDay(Base):
    """Sums of one day at the finest grain that pages ask for; percentiles come from its histogram columns."""

    __tablename__ = "usage_day"
    # The books of a month ask for all workspaces.
    __table_args__ = (Index("ix_usage_day_day_on", "day_on"), {"sqlite_with_rowid": False})

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    day_on: Mapped[date] = mapped_column(Date, primary_key=True)
    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    key_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    model: Mapped[str] = mapped_column(String(120), primary_key=True)


class UsageWorkspaceDay(Base):
    """Sums of one workspace's day."""

    __tablename__ = "usage_workspace_day"
    # Administrators look at one month of all workspaces.
    __table_args__ = (Index("ix_usage_workspace_day_day_on", "day_on"), {"sqlite_with_rowid": False})

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    day_on: Mapped[date] = mapped_column(Date, primary_key=True)


def _give_sums(row: type[Base]) -> None:
    """Both roll-ups have the same columns beside their keys."""
    for name in SUMS:
        setattr(row, name, mapped_column(BigInteger, nullable=False))
    for name in (*LATENCY, *FIRST_TOKEN):
        setattr(row, name, mapped_column(Integer, nullable=False))


_give_sums(UsageDay)
_give_sums(UsageWorkspaceDay)
