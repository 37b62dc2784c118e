"""What a wallet's book is made of: lots, debts, movements, entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tokenboard.core.db import new_id
from tokenboard.ledger.driver import at_or_none, id_or_none, id_out
from tokenboard.ledger.kinds import Kind
from tokenboard.ledger.results import Balance, Posting


@dataclass(slots=True)
class Lot:
    """A grant as the book works on it."""

    id: str
    number: int
    category: str
    priority: int
    expires_at: datetime | None
    amount_micros: int
    remaining_micros: int = 0
    held_micros: int = 0
    expired_micros: int = 0
    clawed_back_micros: int = 0
    restores_grant_id: str | None = None
    is_new: bool = False
    is_changed: bool = False

    @property
    def available_micros(self) -> int:
        return self.remaining_micros - self.held_micros

    def add(self, amount_micros: int) -> None:
        """Credits come in, or go out when negative."""
        self.remaining_micros += amount_micros
        self.is_changed = True

    def claw(self, amount_micros: int) -> None:
        """Taken back, or given back when negative."""
        self.clawed_back_micros += amount_micros
        self.is_changed = True

    def hold(self, amount_micros: int) -> None:
        """A hold allocates, or frees when negative."""
        self.held_micros += amount_micros
        self.is_changed = True


@dataclass(slots=True)
class Debt:
    """What one transaction took beyond what was there."""

    id: str
    amount_micros: int
    owed_micros: int
    is_new: bool = False
    is_changed: bool = False

    def add(self, amount_micros: int) -> None:
        self.owed_micros += amount_micros
        self.is_changed = True


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer seen from the wallet: to or from one of the house's accounts."""

    house_id: str
    amount_micros: int
    is_into_wallet: bool
    grant_id: str | None = None
    debt_id: str | None = None

    @property
    def signed_micros(self) -> int:
        return self.amount_micros if self.is_into_wallet else -self.amount_micros

    def naming(self, debt_id: str) -> Movement:
        """The same movement, naming the debt it pays."""
        return replace(self, debt_id=debt_id)


@dataclass(slots=True)
class Entry:
    """A transaction that is about to be written. Without a key of its own its id is the key."""

    kind: Kind
    movements: Sequence[Movement]
    key: str = ""
    input_hash: str = ""
    description: str = ""
    source: str = ""
    payment: str | None = None
    grant_id: str | None = None
    hold_id: str | None = None
    reverses_id: str | None = None
    id: str = field(default_factory=new_id)
    version: int = 0
    balance_after: Balance = Balance(0, 0)

    @property
    def amount_micros(self) -> int:
        return sum(movement.signed_micros for movement in self.movements)


def read_lot(row: Any) -> Lot:
    """A grant from the database. The hot path leaves used-up lots open; the book closes those it meets."""
    return Lot(
        id_out(row.id),
        row.number,
        row.category,
        row.priority,
        at_or_none(row.expires_at),
        row.amount_micros,
        row.remaining_micros,
        row.held_micros,
        row.expired_micros,
        row.clawed_back_micros,
        is_changed=row.remaining_micros == 0,
    )


def posting_from(row: Any) -> Posting:
    """A transaction that stands in the books already, for a repeated call."""
    balance = Balance(row.posted_after_micros, row.held_after_micros)
    grant_id = id_or_none(row.grant_id)
    return Posting(
        id_out(row.id), id_out(row.wallet_id), row.kind, row.amount_micros, balance, grant_id, is_replay=True
    )
