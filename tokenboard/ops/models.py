"""Rows of the machinery itself: which periodic jobs have fired, which processes live, what the books' check found."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.db import Base, Identified, Instant


class PeriodicRun(Base):
    """The last slot in which a periodic job fired. Moving it forward is the lock: however many workers, one wins."""

    __tablename__ = "periodic_run"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    slot_at: Mapped[Instant]


class Heartbeat(Base):
    """When a process of a kind last said it was alive."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)  # `worker:<host>:<pid>`
    beat_at: Mapped[Instant]


class MonitoringSample(Identified, Base):
    """How the house stood at one moment: a line of the monitoring log."""

    __tablename__ = "monitoring_sample"
    __table_args__ = (Index("ix_monitoring_sample_taken_at_id", "taken_at", "id"),)

    taken_at: Mapped[Instant]
    is_ok: Mapped[bool]
    # Names of the parts that were down.
    down: Mapped[list[Any]] = mapped_column(JSON)
    # How much waited where, by name.
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)


class BooksLamp(Base):
    """What the last check of one law of the ledger found: green while nothing breaks it."""

    __tablename__ = "books_lamp"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)  # the law's number: `I1`
    law: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    # How many rows break it; counting stops at a hundred.
    offenders: Mapped[int]
    # The first of them: which row, and what is wrong with it.
    first_offender: Mapped[str] = mapped_column(Text, default="")
    checked_at: Mapped[Instant]
    last_clean_at: Mapped[Instant | None]
