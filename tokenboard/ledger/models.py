"""Rows of the ledger. Units: `*_micros` is integer micro-credits (1 credit = 1,000,000).

Laws: transactions, transfers and hold allocations are append-only (triggers, migration 0007); only wallets keep a
balance, so that no row is hot but the wallet's own; no names or e-mail addresses in any text.
Other rooms reach these rows through `service` and `queries` only.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from tokenboard.core.clock import now
from tokenboard.core.db import Base, BigInt, Id, Identified, Instant
from tokenboard.ledger.kinds import Category, HoldState, Kind

# Room on each page for the next versions of a row: an update then stays on its page and touches no index (HOT).
_UPDATED_OFTEN = {"postgresql_with": {"fillfactor": "60"}}
_ACCOUNT = "ledger_account.id"
_GRANT = "ledger_grant.id"


def _one_of(column: str, words: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(word)) for word in words)})"


def _partial(name: str, *columns: str, where: str, is_unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=is_unique, sqlite_where=condition, postgresql_where=condition)


class Account(Identified, Base):
    """Where value sits: a wallet, or one of the house's own, whose balance is not stored: it is NULL there."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        CheckConstraint("kind IN ('wallet', 'house')", name="kind"),
        CheckConstraint("(kind = 'house') = (name IS NOT NULL)", name="name"),
        CheckConstraint("(kind = 'wallet') = (posted_micros IS NOT NULL)", name="posted"),
        CheckConstraint("(kind = 'wallet') = (held_micros IS NOT NULL)", name="has_held"),
        CheckConstraint("held_micros >= 0", name="held"),
        # The law of the house: nobody spends what is not there, unless it is flagged.
        CheckConstraint("posted_micros >= held_micros OR is_overdrawn", name="available"),
        CheckConstraint("is_overdrawn = (overdrawn_reason <> '')", name="overdrawn"),
        CheckConstraint("head_available_micros >= 0", name="head"),
        Index("uq_ledger_account_name", "name", unique=True),
        _partial(
            "ix_ledger_account_next_grant_expiry_at", "next_grant_expiry_at", where="next_grant_expiry_at IS NOT NULL"
        ),
        _UPDATED_OFTEN,
    )

    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str | None] = mapped_column(String(40))
    # Settled credits: the sum of the account's transfers.
    posted_micros: Mapped[BigInt | None]
    # The sum of its open holds. Available is posted minus held.
    held_micros: Mapped[BigInt | None]
    # How many transactions it has had: the last one's version.
    version: Mapped[BigInt] = mapped_column(default=0)
    # The grant that pays next, what of it is free, and when it expires: all the guarded UPDATE must know to decide.
    # No foreign key: account and grant would name each other.
    head_grant_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    head_available_micros: Mapped[BigInt] = mapped_column(default=0)
    next_grant_expiry_at: Mapped[Instant | None]
    # Set by a clawback or usage reported after the fact; spending stops until it is covered.
    is_overdrawn: Mapped[bool] = mapped_column(default=False)
    overdrawn_reason: Mapped[str] = mapped_column(String(12), default="")
    # Demo wallets stand outside every total.
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant] = mapped_column(default=now)
    archived_at: Mapped[Instant | None]


class Grant(Identified, Base):
    """A lot of credits: what came in together, and what is left of it."""

    __tablename__ = "ledger_grant"
    __table_args__ = (
        CheckConstraint(_one_of("category", Category), name="category"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("held_micros >= 0 AND held_micros <= remaining_micros", name="held"),
        CheckConstraint("remaining_micros <= amount_micros", name="remaining"),
        CheckConstraint("expired_micros >= 0 AND expired_micros <= amount_micros", name="expired"),
        CheckConstraint("clawed_back_micros >= 0 AND clawed_back_micros <= amount_micros", name="clawed_back"),
        CheckConstraint("is_open OR remaining_micros = 0", name="is_open"),
        Index("uq_ledger_grant_wallet_id_number", "wallet_id", "number", unique=True),
        # `is_open` and not `remaining > 0`: an index over a column that every spend changes would forbid HOT updates.
        _partial("ix_ledger_grant_open", "wallet_id", where="is_open"),
        _UPDATED_OFTEN,
    )

    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_ACCOUNT))
    # 1, 2, … within the wallet: "oldest first" without looking at clocks.
    number: Mapped[int]
    category: Mapped[str] = mapped_column(String(12))
    # The category's place in the burn order; smaller burns first.
    priority: Mapped[int] = mapped_column(SmallInteger)
    amount_micros: Mapped[BigInt]
    remaining_micros: Mapped[BigInt]
    # What open holds have allocated of the remaining.
    held_micros: Mapped[BigInt] = mapped_column(default=0)
    # What of it has expired, and what a refund or dispute has taken back.
    expired_micros: Mapped[BigInt] = mapped_column(default=0)
    clawed_back_micros: Mapped[BigInt] = mapped_column(default=0)
    expires_at: Mapped[Instant | None]
    # False: nothing is left. True may lag behind, never the other way round.
    is_open: Mapped[bool] = mapped_column(default=True)
    # The expired grant whose credits came back as this one.
    restores_grant_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False), ForeignKey(_GRANT))
    created_at: Mapped[Instant] = mapped_column(default=now)


class Transaction(Identified, Base):
    """Transfers that belong together, on one wallet. `version` and `posted_after_micros` form its gap-free chain."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        CheckConstraint(_one_of("kind", Kind), name="kind"),
        CheckConstraint("version > 0", name="version"),
        Index("uq_ledger_transaction_key", "wallet_id", "kind", "idempotency_key", unique=True),
        Index("uq_ledger_transaction_version", "wallet_id", "version", unique=True),
        # The books of a month ask for all wallets.
        Index("ix_ledger_transaction_created_at", "created_at"),
        _partial("uq_ledger_transaction_payment", "payment", where="payment IS NOT NULL", is_unique=True),
        _partial("uq_ledger_transaction_hold_id", "hold_id", where="hold_id IS NOT NULL", is_unique=True),
        _partial("uq_ledger_transaction_reverses_id", "reverses_id", where="reverses_id IS NOT NULL", is_unique=True),
    )

    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_ACCOUNT))
    version: Mapped[BigInt]
    kind: Mapped[str] = mapped_column(String(12))
    idempotency_key: Mapped[str] = mapped_column(String(255))
    input_hash: Mapped[str] = mapped_column(String(32))
    # What it changed the wallet's posted credits by, signed; 0 for a released hold and for a cover.
    amount_micros: Mapped[BigInt]
    posted_after_micros: Mapped[BigInt]
    held_after_micros: Mapped[BigInt]
    description: Mapped[str] = mapped_column(String(200), default="")
    # Which act of another room caused it, as `room:id`.
    source: Mapped[str] = mapped_column(String(120), default="")
    # The payment object that was turned into credits, as `provider:id`: once, whatever events announce it.
    payment: Mapped[str | None] = mapped_column(String(255))
    # The grant that was made, has expired or was taken back.
    grant_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    # The hold that this settles.
    hold_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    reverses_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    created_at: Mapped[Instant] = mapped_column(default=now)


class Transfer(Base):
    """One movement from a debit to a credit account. It names the grant that paid or was filled, or the debt."""

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("debit_account_id <> credit_account_id", name="accounts"),
        CheckConstraint("grant_id IS NOT NULL OR debt_id IS NOT NULL", name="names_its_grant"),
    )

    transaction_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("ledger_transaction.id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    # No foreign keys: PostgreSQL would lock the one `usage` row for every spend of the whole house.
    # The invariant `I4` looks for accounts that do not exist.
    debit_account_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    credit_account_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    amount_micros: Mapped[BigInt]
    grant_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))
    debt_id: Mapped[Id | None] = mapped_column(Uuid(as_uuid=False))


class HouseTransfer(Identified, Base):
    """A movement between two of the house's own accounts, such as what it absorbs. It belongs to no wallet's chain."""

    __tablename__ = "ledger_house_transfer"
    __table_args__ = (
        CheckConstraint("kind IN ('absorption')", name="kind"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("debit_account_id <> credit_account_id", name="accounts"),
        Index("uq_ledger_house_transfer_key", "kind", "idempotency_key", unique=True),
    )

    kind: Mapped[str] = mapped_column(String(12))
    idempotency_key: Mapped[str] = mapped_column(String(255))
    input_hash: Mapped[str] = mapped_column(String(32))
    # No foreign keys, as in `Transfer`; the invariant `I19` looks for accounts that are not the house's.
    debit_account_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    credit_account_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    amount_micros: Mapped[BigInt]
    description: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    # It came from a demo workspace and stands outside every total.
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant] = mapped_column(default=now)


class Debt(Base):
    """What a clawback or late usage took beyond what was there. Fresh credits pay it before they can be spent."""

    __tablename__ = "ledger_debt"
    __table_args__ = (
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("owed_micros >= 0 AND owed_micros <= amount_micros", name="owed"),
        _partial("ix_ledger_debt_owed", "wallet_id", where="owed_micros > 0"),
    )

    # The transaction that overdrew.
    transaction_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("ledger_transaction.id"), primary_key=True
    )
    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_ACCOUNT))
    amount_micros: Mapped[BigInt]
    owed_micros: Mapped[BigInt]


class Hold(Identified, Base):
    """Credits reserved for something whose cost is not known yet."""

    __tablename__ = "ledger_hold"
    __table_args__ = (
        CheckConstraint(_one_of("state", HoldState), name="state"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("captured_micros >= 0 AND captured_micros <= amount_micros", name="captured"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        Index("uq_ledger_hold_key", "wallet_id", "idempotency_key", unique=True),
        _partial("ix_ledger_hold_expires_at", "expires_at", where="state = 'open'"),
    )

    wallet_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey(_ACCOUNT))
    idempotency_key: Mapped[str] = mapped_column(String(255))
    input_hash: Mapped[str] = mapped_column(String(32))
    amount_micros: Mapped[BigInt]
    captured_micros: Mapped[BigInt] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(8), default=HoldState.OPEN)
    description: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(120), default="")
    posted_after_micros: Mapped[BigInt]
    held_after_micros: Mapped[BigInt]
    # The lease: after it the sweeper ends the hold.
    expires_at: Mapped[Instant]
    created_at: Mapped[Instant] = mapped_column(default=now)
    ended_at: Mapped[Instant | None]


class HoldAllocation(Base):
    """Which grant a hold has reserved how much of; captured in the order of `position`."""

    __tablename__ = "ledger_hold_allocation"
    __table_args__ = (CheckConstraint("amount_micros > 0", name="amount"),)

    hold_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False), ForeignKey("ledger_hold.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    grant_id: Mapped[Id] = mapped_column(Uuid(as_uuid=False))
    amount_micros: Mapped[BigInt]


class LedgerSetting(Base):
    """A fact that every entry depends on, such as what one credit is worth."""

    __tablename__ = "ledger_setting"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(40))
    changed_at: Mapped[Instant] = mapped_column(default=now)
