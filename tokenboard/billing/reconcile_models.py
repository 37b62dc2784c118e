"""Rows of reconciliations: each look at the providers, what it compared, and every difference it found."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, Id, Identified, Instant


class RunState(StrEnum):
    """How a look stands."""

    WAITING = "waiting"  # asked for; a worker takes it
    RUNNING = "running"  # a worker has it until `lease_ends_at`; afterwards another may take it
    DONE = "done"


class ReconcileRun(Identified, Base):
    """One look at both providers. At most one is open: who asks again is shown that one."""

    __tablename__ = "reconcile_run"
    __table_args__ = (
        UniqueConstraint("open_key"),
        CheckConstraint("state IN ('waiting', 'running', 'done')", name="state"),
        CheckConstraint("(state = 'done') = (open_key IS NULL)", name="open"),
        Index("ix_reconcile_run_asked", "asked_at", "id"),
    )

    # `open` until it has ended: the unique key lets one in.
    open_key: Mapped[str | None] = mapped_column(String(10))
    # A person's id, or `schedule` or `cli`.
    actor: Mapped[str] = mapped_column(String(60))
    days: Mapped[int]
    is_healing: Mapped[bool]
    # The look whose differences this one mends, and no others; NULL: whatever it finds.
    heals_run_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    state: Mapped[str] = mapped_column(String(8), default=RunState.WAITING)
    # How much was held against our books.
    events: Mapped[int] = mapped_column(default=0)
    sessions: Mapped[int] = mapped_column(default=0)
    invoices: Mapped[int] = mapped_column(default=0)
    transactions: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[Instant] = mapped_column(default=now)
    lease_ends_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]


def compared_words(run: ReconcileRun) -> str:
    """How much a look held against our books."""
    told = (
        (run.sessions, "paid checkouts"),
        (run.invoices, "paid invoices"),
        (run.events, "undelivered events of Stripe"),
        (run.transactions, "payments of Paystack"),
    )
    return ", ".join(f"{count:,} {what}" for count, what in told)


class ReconcileFinding(Identified, Base):
    """One difference of a look."""

    __tablename__ = "reconcile_finding"
    __table_args__ = (UniqueConstraint("run_id", "position"),)

    run_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("reconcile_run.id", ondelete="CASCADE"))
    position: Mapped[int]
    provider: Mapped[str] = mapped_column(String(10))
    object_id: Mapped[str] = mapped_column(String(255), default="")
    what: Mapped[str] = mapped_column(String(500))
    # Whether the function that webhooks use can mend it; else a person must look.
    can_heal: Mapped[bool]
    healed_at: Mapped[Instant | None]
    # Why mending did not work.
    problem: Mapped[str] = mapped_column(String(500), default="")
