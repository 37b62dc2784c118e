"""One wallet's book: opened under the wallet's lock, written back at the end in a few statements.

The way for everything the hot path does not fit: several grants, expiry due, debts, corrections, batches. The lock is
taken first and every read after it sees what earlier holders of the lock committed, so decisions here cannot be stale.
Laws: a lot's free credits never outlive its expiry; free credits and a debt never stand side by side when the book is
closed; the head is the first lot in burn order that has free credits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tokenboard.core.db import new_id
from tokenboard.ledger import statements_book as sql
from tokenboard.ledger.accounts import House
from tokenboard.ledger.book_rows import Debt, Entry, Lot, Movement, posting_from, read_lot
from tokenboard.ledger.driver import Ledger, at_or_none, id_out
from tokenboard.ledger.errors import (
    AccountArchived,
    AccountNotFound,
    EntryRefused,
    GrantNotFound,
    IdempotencyConflict,
    InsufficientCredits,
)
from tokenboard.ledger.kinds import Kind
from tokenboard.ledger.results import Balance, Posting
from tokenboard.ledger.rules import LARGEST_BALANCE_MICROS, Share, allocate, burn_key, is_expired


@dataclass(slots=True)
class WalletBook:
    """A locked wallet, its lots and debts, and what has been decided but not written."""

    ledger: Ledger
    wallet_id: str
    at: datetime
    posted_micros: int
    held_micros: int
    version: int
    overdrawn_reason: str
    is_archived: bool
    lots: dict[str, Lot]
    debts: dict[str, Debt]
    entries: list[Entry]

    @property
    def balance(self) -> Balance:
        return Balance(self.posted_micros, self.held_micros)

    def replay(self, kind: Kind, key: str, input_hash: str) -> Posting | None:
        """The transaction this key made before. Raises: IdempotencyConflict."""
        return self.replays(kind, {key: input_hash}).get(key)

    def replays(self, kind: Kind, hashes: dict[str, str]) -> dict[str, Posting]:
        """The transactions these keys made before, by key. Raises: IdempotencyConflict."""
        values = {"wallet_id": self.ledger.id_in(self.wallet_id), "kind": kind.value}
        if len(hashes) == 1:
            rows = self.ledger.run(sql.REPLAY, values | {"key": next(iter(hashes))}).all()
        else:
            keys = list(hashes) if self.ledger.is_postgresql else json.dumps(list(hashes))
            rows = self.ledger.run(sql.REPLAYS, values | {"keys": keys}).all()
        if any(hashes[row.idempotency_key] != row.input_hash for row in rows):
            raise IdempotencyConflict
        return {row.idempotency_key: posting_from(row) for row in rows}

    def require_active(self) -> None:
        """Raises: AccountArchived."""
        if self.is_archived:
            raise AccountArchived

    def require_available(self, amount_micros: int) -> None:
        """Raises: InsufficientCredits."""
        if self.balance.available_micros < amount_micros:
            raise InsufficientCredits(
                posted_micros=self.posted_micros, held_micros=self.held_micros, required_micros=amount_micros
            )

    def lot(self, grant_id: str) -> Lot:
        """A lot of this wallet, also one that is used up. Raises: GrantNotFound."""
        if grant_id not in self.lots:
            ids = {"grant_id": self.ledger.id_in(grant_id), "wallet_id": self.ledger.id_in(self.wallet_id)}
            row = self.ledger.row(sql.LOT, ids)
            if row is None:
                raise GrantNotFound
            self.lots[grant_id] = read_lot(row)
        return self.lots[grant_id]

    def debt(self, debt_id: str) -> Debt:
        """What a transaction of this wallet overdrew, also when it is paid."""
        if debt_id not in self.debts:
            row = self.ledger.row(sql.DEBT, {"debt_id": self.ledger.id_in(debt_id)})
            assert row is not None, "a transfer names its debt's transaction"
            self.debts[debt_id] = Debt(debt_id, row.amount_micros, row.owed_micros)
        return self.debts[debt_id]

    def open_lot(
        self,
        *,
        category: str,
        priority: int,
        amount_micros: int,
        expires_at: datetime | None,
        restores: str | None = None,
    ) -> Lot:
        """A new lot, filled by the caller's next movement. Raises: EntryRefused when the wallet would hold too much."""
        if self.posted_micros + amount_micros > LARGEST_BALANCE_MICROS:
            raise EntryRefused("amount", "A wallet holds at most a million million credits.")
        new = [lot.number for lot in self.lots.values() if lot.is_new]
        last = max(new) if new else self._last_number()
        lot = Lot(new_id(), last + 1, category, priority, expires_at, amount_micros, restores_grant_id=restores)
        lot.is_new = True
        self.lots[lot.id] = lot
        return lot

    def _last_number(self) -> int:
        return int(self.ledger.run(sql.LAST_NUMBER, {"wallet_id": self.ledger.id_in(self.wallet_id)}).scalar_one())

    def allocate(self, amount_micros: int) -> list[Share]:
        """Which lots would pay so much, in burn order."""
        return allocate(self.lots.values(), amount_micros)

    def burn(self, shares: Iterable[Share], house: House) -> list[Movement]:
        """Take these shares out of their lots."""
        return [self._out(share, house) for share in shares]

    def _out(self, share: Share, house: House) -> Movement:
        self.lots[share.grant_id].add(-share.amount_micros)
        return Movement(house.account_id, share.amount_micros, is_into_wallet=False, grant_id=share.grant_id)

    def overdraw(self, debt_id: str, amount_micros: int, house: House, reason: str) -> Movement:
        """Take what is not there; the transaction `debt_id` must be posted next."""
        self.debts[debt_id] = Debt(debt_id, amount_micros, amount_micros, is_new=True)
        self.overdrawn_reason = reason
        return Movement(house.account_id, amount_micros, is_into_wallet=False, debt_id=debt_id)

    def post(self, entry: Entry) -> Posting:
        """Put a transaction at the end of the wallet's chain."""
        amount = entry.amount_micros
        self.posted_micros += amount
        balance = self.balance
        self.version += 1
        entry.version, entry.balance_after = self.version, balance
        self.entries.append(entry)
        return Posting(entry.id, self.wallet_id, entry.kind, amount, balance, entry.grant_id)

    def expire_lots(self) -> list[Posting]:
        """Take out what is free in lots whose time is over; what holds have allocated stays with them."""
        due = [lot for lot in self.lots.values() if lot.available_micros > 0 and is_expired(lot.expires_at, self.at)]
        return [self._expire(lot) for lot in sorted(due, key=burn_key)]

    def _expire(self, lot: Lot) -> Posting:
        amount = lot.available_micros
        lot.expired_micros += amount
        movements = self.burn([Share(lot.id, amount)], House.EXPIRED)
        return self.post(Entry(Kind.EXPIRY, movements, grant_id=lot.id))

    def settle(self) -> None:
        """What this book's acts have freed expires if its time is over, then pays debts."""
        self.expire_lots()
        self._cover_debts()

    @property
    def owed_micros(self) -> int:
        return sum(debt.owed_micros for debt in self.debts.values())

    def _cover_debts(self) -> None:
        """Free credits pay debts, the oldest first: two transfers that cancel out, from a grant to a debt."""
        movements: list[Movement] = []
        for debt in self.debts.values():
            for share in self.allocate(debt.owed_micros):
                debt.add(-share.amount_micros)
                paid = self._out(share, House.CLAWBACK)
                movements.append(paid.naming(debt.id))
                movements.append(Movement(paid.house_id, share.amount_micros, is_into_wallet=True, debt_id=debt.id))
        if movements:
            self.post(Entry(Kind.COVER, movements))

    def head(self) -> Lot | None:
        """The lot that pays next."""
        return min((lot for lot in self.lots.values() if lot.available_micros > 0), key=burn_key, default=None)


def open_book(ledger: Ledger, wallet_id: str, at: datetime) -> WalletBook:
    """Lock a wallet and read what is spendable; lots whose time is over are expired first. Raises: AccountNotFound."""
    ids = {"wallet_id": ledger.id_in(wallet_id)}
    row = ledger.row(sql.LOCK_WALLET, ids)
    if row is None:
        raise AccountNotFound
    lots = [read_lot(lot) for lot in ledger.run(sql.OPEN_LOTS, ids)]
    debts: Sequence[Debt] = []
    if row.is_overdrawn:
        found = ledger.run(sql.OWED_DEBTS, ids)
        debts = [Debt(id_out(debt.transaction_id), debt.amount_micros, debt.owed_micros) for debt in found]
    book = WalletBook(
        ledger=ledger,
        wallet_id=wallet_id,
        at=at,
        posted_micros=row.posted_micros,
        held_micros=row.held_micros,
        version=row.version,
        overdrawn_reason=row.overdrawn_reason,
        is_archived=row.archived_at is not None,
        lots={lot.id: lot for lot in lots},
        debts={debt.id: debt for debt in debts},
        entries=[],
    )
    if is_expired(at_or_none(row.next_grant_expiry_at), at):
        book.expire_lots()
    return book
