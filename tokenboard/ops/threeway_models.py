"""Rows of closed months: what the three books said when a month was closed. Append-only (triggers, migration 0018).

Units: `*_nano` nano-USD, `*_micros` micro-credits. The names of the gaps: threeway_rules.py.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant

_CLOSE = "books_close.id"


class BooksClose(Identified, Base):
    """A month that was closed: once, by whom, and how far its bill could be trusted then."""

    __tablename__ = "books_close"

    month: Mapped[str] = mapped_column(String(7), unique=True)
    # A person's id, or `cli`.
    closed_by: Mapped[str] = mapped_column(String(40))
    closed_at: Mapped[Instant] = mapped_column(default=now)
    # The last day the provider no longer changed; NULL: no bill was read.
    settled_on: Mapped[date | None] = mapped_column(Date)


class BooksLine(Base):
    """One day and model of a closed month."""

    __tablename__ = "books_line"
    __table_args__ = ({"sqlite_with_rowid": False},)

    close_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_CLOSE), primary_key=True)
    day_on: Mapped[date] = mapped_column(Date, primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    requests: Mapped[BigInt]
    bill_nano: Mapped[BigInt]
    metered_nano: Mapped[BigInt]
    foreign_nano: Mapped[BigInt]
    unpriced_nano: Mapped[BigInt]
    outside_nano: Mapped[BigInt]
    discount_nano: Mapped[BigInt]
    late_nano: Mapped[BigInt]
    paid_micros: Mapped[BigInt]
    paid_nano: Mapped[BigInt]
    markup_nano: Mapped[BigInt]
    shrinkage_nano: Mapped[BigInt]


class BooksDay(Base):
    """What the ledger took from wallets on one day of a closed month, by the day it was booked."""

    __tablename__ = "books_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    close_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_CLOSE), primary_key=True)
    day_on: Mapped[date] = mapped_column(Date, primary_key=True)
    metered_micros: Mapped[BigInt]
    other_micros: Mapped[BigInt]
