"""Rows of the machinery itself: which periodic jobs have fired, which processes live, what the books' check found."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.db import Base, Instant


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
