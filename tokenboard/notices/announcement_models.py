"""Rows of what the operator tells everybody who is signed in, and who has put it away."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, Id, Identified, Instant


class Announcement(Identified, Base):
    """A line above every page, from one instant to another. It is never changed, only ended."""

    __tablename__ = "announcement"
    __table_args__ = (
        CheckConstraint("kind IN ('info', 'warning')", name="kind"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="span"),
        Index("ix_announcement_starts_at_id", "starts_at", "id"),
    )

    text: Mapped[str] = mapped_column(String(280))
    kind: Mapped[str] = mapped_column(String(10))
    # A path of this site, or an https address; empty: none.
    link: Mapped[str] = mapped_column(String(300), default="")
    starts_at: Mapped[Instant]
    # None: until somebody ends it.
    ends_at: Mapped[Instant | None]
    ended_at: Mapped[Instant | None]
    # Who wrote it: a person's id.
    actor: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[Instant] = mapped_column(default=now)


class AnnouncementDismissal(Base):
    """Somebody has put an announcement away. No foreign key to the person: notices knows addresses, not people."""

    __tablename__ = "announcement_dismissal"

    announcement_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("announcement.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    dismissed_at: Mapped[Instant] = mapped_column(default=now)
