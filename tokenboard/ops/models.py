"""Rows of the machinery itself: which periodic jobs have fired, and which processes are alive."""

from __future__ import annotations

from sqlalchemy import String
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
