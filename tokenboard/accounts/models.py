"""Rows of people and what proves who they are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant

THEME = "theme"  # the preference that holds a person's colours


class Person(Identified, Base):
    """Somebody who signs in. The e-mail in lower case is the identity key."""

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_created_at_id", "created_at", "id"),)

    email: Mapped[str] = mapped_column(String(254), unique=True)
    display_name: Mapped[str] = mapped_column(String(80), default="")
    # bcrypt of the peppered password; empty for people who only sign in elsewhere.
    password_hash: Mapped[str] = mapped_column(String(80), default="")
    is_admin: Mapped[bool] = mapped_column(default=False)
    is_disabled: Mapped[bool] = mapped_column(default=False)
    email_verified_at: Mapped[Instant | None]
    # The most this person may use in a month over all workspaces, in US cents; None: no allowance is set.
    monthly_budget_cents: Mapped[BigInt | None]
    # The account is gone: what named its holder is taken out, the row stays because the books point at it.
    deleted_at: Mapped[Instant | None]
    created_at: Mapped[Instant] = mapped_column(default=now)
    updated_at: Mapped[Instant] = mapped_column(default=now, onupdate=now)

    @property
    def name(self) -> str:
        """What to call this person: the chosen name, else the e-mail's local part."""
        if self.deleted_at is not None:
            return "Somebody who left"
        return self.display_name or self.email.partition("@")[0]


class Method(StrEnum):
    """How a session was opened."""

    PASSWORD = "password"  # noqa: S105 - a word, not one
    OIDC = "oidc"  # at the provider of OIDC_DISCOVERY_URL


class SignIn(Identified, Base):
    """A session: one row a signed-in browser or API client. Deleting nothing: an ended one keeps its `ended_at`."""

    __tablename__ = "sign_in"
    __table_args__ = (
        Index("ix_sign_in_person_live", "person_id", "ended_at"),
        Index(
            "ix_sign_in_views_until",
            "views_until",
            sqlite_where=text("views_until IS NOT NULL"),
            postgresql_where=text("views_until IS NOT NULL"),
        ),
    )

    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("person.id", ondelete="CASCADE"))
    # SHA-256 of the 256-bit token in the cookie; the token itself is never stored.
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ip_address: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[Instant] = mapped_column(default=now)
    last_seen_at: Mapped[Instant] = mapped_column(default=now)
    ended_at: Mapped[Instant | None]
    method: Mapped[str] = mapped_column(String(10), default=Method.PASSWORD)
    # When a password, a code or the provider last proved who sits here: what costly acts ask for (guards.py).
    proven_at: Mapped[Instant] = mapped_column(default=now)
    # When a second factor was shown in this session; administrators may need one.
    second_factor_at: Mapped[Instant | None]
    # The provider's id_token, its hint at signing out there too; sealed with this row's id as context.
    sealed_id_token: Mapped[str] = mapped_column(Text, default="", deferred=True)
    # Whom an administrator views as, read-only, and until when at most (view_service.py).
    views_person_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    views_until: Mapped[Instant | None]

    def is_live(self, instant: datetime, *, idle_seconds: int, absolute_seconds: int) -> bool:
        """Whether this session still counts: not ended, not idle too long, not too old."""
        idle = (instant - self.last_seen_at).total_seconds()
        age = (instant - self.created_at).total_seconds()
        return self.ended_at is None and idle <= idle_seconds and age <= absolute_seconds


class OneTimeToken(Identified, Base):
    """A single-use link or step: set-up, verification, reset, a new e-mail, a second factor. Stored as a hash."""

    __tablename__ = "one_time_token"

    purpose: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[Id | None] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(254), default="")
    created_at: Mapped[Instant] = mapped_column(default=now)
    expires_at: Mapped[Instant]
    used_at: Mapped[Instant | None]


class Preference(Base):
    """A person's small choices by name, as text."""

    __tablename__ = "preference"

    person_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text, default="")
