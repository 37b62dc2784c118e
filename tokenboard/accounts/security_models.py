"""Rows of what proves a person beside the password: second factors, API tokens, identities at a provider."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant


def _person() -> ForeignKey:
    return ForeignKey("person.id", ondelete="CASCADE")


class SecondFactor(Base):
    """A person's authenticator app (TOTP, RFC 6238)."""

    __tablename__ = "second_factor"

    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), _person(), primary_key=True)
    # The shared secret, sealed with the person's id as context.
    sealed_secret: Mapped[str] = mapped_column(Text)
    # None: shown to the person, who has not typed a code yet; it does not count.
    confirmed_at: Mapped[Instant | None]
    # The 30-second step of the last code that was taken: no code opens anything twice.
    last_step: Mapped[BigInt] = mapped_column(default=0)
    created_at: Mapped[Instant] = mapped_column(default=now)


class RecoveryCode(Identified, Base):
    """One of the codes that stand in for a lost authenticator, each once."""

    __tablename__ = "recovery_code"

    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), _person(), index=True)
    # HMAC with the password pepper: a code has 80 bits.
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[Instant | None]


class ApiToken(Identified, Base):
    """A token a person made for a program of theirs. It stands beside sessions and outlives them."""

    __tablename__ = "api_token"

    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), _person(), index=True)
    name: Mapped[str] = mapped_column(String(80))
    # SHA-256 of the 256-bit token, which is shown once and never stored.
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    last4: Mapped[str] = mapped_column(String(4))
    created_at: Mapped[Instant] = mapped_column(default=now)
    expires_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]
    last_used_from: Mapped[str] = mapped_column(String(45), default="")
    ended_at: Mapped[Instant | None]


class OidcIdentity(Identified, Base):
    """Who somebody is at a sign-in provider: issuer and subject together, never the e-mail."""

    __tablename__ = "oidc_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), _person(), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    # The address the provider last told, for the person to recognise it by; it decides nothing.
    email: Mapped[str] = mapped_column(String(254), default="")
    # What the provider's groups have given, so that it goes when the group goes and nothing else does.
    gave_admin: Mapped[bool] = mapped_column(default=False)
    gave_budget: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant] = mapped_column(default=now)
    last_used_at: Mapped[Instant] = mapped_column(default=now)


class PastEmail(Identified, Base):
    """An address a person had before: usage that was reported under it is still theirs."""

    __tablename__ = "past_email"

    person_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), _person(), index=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    changed_at: Mapped[Instant] = mapped_column(default=now)
