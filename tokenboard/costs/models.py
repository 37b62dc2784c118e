"""Rows of provider costs: what was imported, its roll-ups, and budgets (connections and runs: connection_models.py).

Units: `*_nano` is integer nano-USD. Days are UTC days, as providers bill.
Laws: a day's rows, totals and revision are replaced in one transaction, so every total agrees with the rows below it.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant

# Told by their own module, found here with the rest of the room's rows.
from tokenboard.costs.connection_models import Connection as Connection, SyncRun as SyncRun

_CONNECTION = "connection.id"


class CostRow(Base):
    """One row of a provider's bill for one day. `line` numbers the rows of a day: no random key, no wide index."""

    __tablename__ = "cost_row"
    __table_args__ = {"sqlite_with_rowid": False}

    connection_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"), primary_key=True
    )
    on: Mapped[date] = mapped_column("on_day", primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # '' where the provider named none.
    project_id: Mapped[str] = mapped_column(String(120), default="")
    line_item: Mapped[str] = mapped_column(String(200), default="")
    api_key_id: Mapped[str] = mapped_column(String(120), default="")
    amount_nano: Mapped[BigInt]


class UsageRow(Base):
    """One row of a provider's usage report for one day."""

    __tablename__ = "usage_row"
    __table_args__ = {"sqlite_with_rowid": False}

    connection_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"), primary_key=True
    )
    on: Mapped[date] = mapped_column("on_day", primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)  # completions, embeddings, images, …
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[str] = mapped_column(String(120), default="")
    model: Mapped[str] = mapped_column(String(120), default="")
    api_key_id: Mapped[str] = mapped_column(String(120), default="")
    requests: Mapped[BigInt] = mapped_column(default=0)
    # All input, cached included; `cached_tokens` is the part of it that was read from a cache.
    input_tokens: Mapped[BigInt] = mapped_column(default=0)
    cached_tokens: Mapped[BigInt] = mapped_column(default=0)
    output_tokens: Mapped[BigInt] = mapped_column(default=0)
    # What is not counted in tokens: images, characters, seconds, bytes, sessions, calls.
    quantity: Mapped[BigInt] = mapped_column(default=0)


class CostDay(Base):
    """The bill of one connection for one day: the sum of its cost rows, and since when we know it."""

    __tablename__ = "cost_day"
    __table_args__ = {"sqlite_with_rowid": False}

    connection_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"), primary_key=True
    )
    on: Mapped[date] = mapped_column("on_day", primary_key=True)
    amount_nano: Mapped[BigInt]
    first_seen_at: Mapped[Instant]
    seen_at: Mapped[Instant]


class CostTotal(Base):
    """Roll-up: one connection's cost of one day by one dimension. Dashboards read this, never cost rows."""

    __tablename__ = "cost_total"
    __table_args__ = (
        CheckConstraint("dimension IN ('project', 'line_item', 'api_key')", name="dimension"),
        {"sqlite_with_rowid": False},
    )

    connection_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"), primary_key=True
    )
    dimension: Mapped[str] = mapped_column(String(10), primary_key=True)
    on: Mapped[date] = mapped_column("on_day", primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    amount_nano: Mapped[BigInt]


class UsageTotal(Base):
    """Roll-up: one connection's usage of one day by one dimension, all kinds together."""

    __tablename__ = "usage_total"
    __table_args__ = (
        CheckConstraint("dimension IN ('project', 'model', 'api_key')", name="dimension"),
        {"sqlite_with_rowid": False},
    )

    connection_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"), primary_key=True
    )
    dimension: Mapped[str] = mapped_column(String(10), primary_key=True)
    on: Mapped[date] = mapped_column("on_day", primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    requests: Mapped[BigInt]
    input_tokens: Mapped[BigInt]
    cached_tokens: Mapped[BigInt]
    output_tokens: Mapped[BigInt]


class CostRevision(Identified, Base):
    """A day whose bill changed after we had read it: old, new, and when we saw it. Append-only."""

    __tablename__ = "cost_revision"
    __table_args__ = (
        ForeignKeyConstraint(
            ["connection_id", "on_day"], ["cost_day.connection_id", "cost_day.on_day"], ondelete="CASCADE"
        ),
        Index("ix_cost_revision_connection_id_on_day", "connection_id", "on_day", "seen_at"),
    )

    connection_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    on: Mapped[date] = mapped_column("on_day")
    old_nano: Mapped[BigInt]
    new_nano: Mapped[BigInt]
    seen_at: Mapped[Instant] = mapped_column(default=now)


class ProviderName(Base):
    """What the provider calls a project or key, beside its id."""

    __tablename__ = "provider_name"
    __table_args__ = {"sqlite_with_rowid": False}

    connection_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)  # project, api_key
    external_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    is_archived: Mapped[bool] = mapped_column(default=False)


class SeenModel(Base):
    """A model that usage has named: what a line item's text is compared with to group the bill by model."""

    __tablename__ = "seen_model"
    __table_args__ = {"sqlite_with_rowid": False}

    connection_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str] = mapped_column(String(120), primary_key=True)


class CreditSnapshot(Identified, Base):
    """Personal mode: what the provider said of the key's prepaid credits at one moment."""

    __tablename__ = "credit_snapshot"
    __table_args__ = (Index("ix_credit_snapshot_connection_id_seen_at", "connection_id", "seen_at"),)

    connection_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_CONNECTION, ondelete="CASCADE"))
    seen_at: Mapped[Instant] = mapped_column(default=now)
    granted_nano: Mapped[BigInt]
    # Ever used, expired grants included: it never falls, so its differences are spend.
    used_nano: Mapped[BigInt]
    # Unexpired grants only; the provider's own total keeps counting expired ones.
    available_nano: Mapped[BigInt]
    expires_at: Mapped[Instant | None]


class TypedBalance(Identified, Base):
    """A prepaid balance somebody read off the provider's page and typed in; costs since then are subtracted."""

    __tablename__ = "typed_balance"
    __table_args__ = (Index("ix_typed_balance_workspace_id_entered_at", "workspace_id", "entered_at"),)

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(12))
    amount_nano: Mapped[BigInt]
    as_of_on: Mapped[date]
    entered_by_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="SET NULL"))
    entered_at: Mapped[Instant] = mapped_column(default=now)


class Budget(Identified, Base):
    """A monthly amount for a workspace or one of its projects; for one month, or for every month."""

    __tablename__ = "budget"
    __table_args__ = (
        UniqueConstraint("workspace_id", "project_id", "month"),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    workspace_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("workspace.id", ondelete="CASCADE"))
    # '' for the whole workspace. A named month wins over '' (every month).
    project_id: Mapped[str] = mapped_column(String(120), default="")
    month: Mapped[str] = mapped_column(String(7), default="")
    amount_cents: Mapped[BigInt]
    created_at: Mapped[Instant] = mapped_column(default=now)
    updated_at: Mapped[Instant] = mapped_column(default=now, onupdate=now)


class BudgetAlert(Identified, Base):
    """A step of a budget that was reached in a month. The unique key is what makes it be sent once."""

    __tablename__ = "budget_alert"
    __table_args__ = (
        UniqueConstraint("budget_id", "month", "step"),
        CheckConstraint("step IN ('50', '80', '100', 'forecast')", name="step"),
    )

    budget_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("budget.id", ondelete="CASCADE"))
    month: Mapped[str] = mapped_column(String(7))
    step: Mapped[str] = mapped_column(String(10))
    spent_nano: Mapped[BigInt]
    limit_nano: Mapped[BigInt]
    forecast_nano: Mapped[BigInt | None]
    raised_at: Mapped[Instant] = mapped_column(default=now)
