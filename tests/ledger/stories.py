"""Words for telling a wallet's story: amounts in whole credits, one line an act, balances after each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import invariants, queries, service
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import HoldPlaced, Posting

CREDIT = 1_000_000
CENT_IN_NANO_USD = 10_000_000
DAY_0 = datetime(2026, 11, 1, 12, tzinfo=UTC)


def day(number: float) -> datetime:
    """Noon of a story's day; the story begins on day 0."""
    return DAY_0 + timedelta(days=number)


def new_wallet(*, is_demo: bool = False) -> str:
    wallet_id = service.open_account(credit_value_nano_usd=CENT_IN_NANO_USD, is_demo=is_demo)
    db.session.commit()
    return wallet_id


@dataclass
class Wallet:
    """One wallet; every act commits, as a door would."""

    id: str = field(default_factory=new_wallet)
    _keys: itertools.count[int] = field(default_factory=itertools.count)

    def key(self) -> str:
        return f"key-{next(self._keys)}"

    def buy(self, amount: int, *, expires: datetime | None = None) -> str:
        return self._grant(amount, Category.PAID, House.SALES_STRIPE, expires)

    def gift(self, amount: int, *, expires: datetime | None = None) -> str:
        return self._grant(amount, Category.PROMOTIONAL, House.PROMOTIONS, expires)

    def include(self, amount: int, *, expires: datetime | None = None) -> str:
        return self._grant(amount, Category.INCLUDED, House.SALES_STRIPE, expires)

    def _grant(self, amount: int, category: Category, house: House, expires: datetime | None) -> str:
        granted = service.grant(
            wallet_id=self.id,
            amount_micros=amount * CREDIT,
            category=category,
            house=house,
            key=self.key(),
            expires_at=expires,
        )
        db.session.commit()
        assert granted.grant_id is not None
        return granted.grant_id

    def spend(self, amount: int, key: str | None = None) -> Posting:
        spent = service.spend(wallet_id=self.id, amount_micros=amount * CREDIT, key=key or self.key())
        db.session.commit()
        return spent

    def spend_late(self, amount: int) -> Posting:
        spent = service.spend_after_the_fact(wallet_id=self.id, amount_micros=amount * CREDIT, key=self.key())
        db.session.commit()
        return spent

    def hold(self, amount: int, *, until: datetime | None = None, key: str | None = None) -> HoldPlaced:
        placed = service.hold(
            wallet_id=self.id,
            amount_micros=amount * CREDIT,
            key=key or self.key(),
            expires_at=until or now() + timedelta(days=365),
        )
        db.session.commit()
        return placed

    def capture(self, held: HoldPlaced, amount: int) -> Posting:
        captured = service.capture(hold_id=held.hold_id, amount_micros=amount * CREDIT)
        db.session.commit()
        return captured

    def release(self, held: HoldPlaced) -> Posting:
        released = service.release(hold_id=held.hold_id)
        db.session.commit()
        return released

    def reverse(self, posting: Posting) -> Posting:
        reversal = service.reverse(transaction_id=posting.transaction_id)
        db.session.commit()
        return reversal

    def claw_back(self, grant_id: str, amount: int) -> Posting:
        taken = service.clawback(grant_id=grant_id, amount_micros=amount * CREDIT, key=self.key())
        db.session.commit()
        return taken

    def undo(self, clawback: Posting) -> Posting:
        restored = service.undo_clawback(transaction_id=clawback.transaction_id)
        db.session.commit()
        return restored

    def shows(self, *, posted: float, held: float = 0, available: float | None = None, why: str = "") -> None:
        """The balances, and that every law of the books holds (grants may wait for the sweeper)."""
        found = queries.balance(self.id)
        wanted = (posted, held, posted - held if available is None else available, why)
        micros = (found.posted_micros, found.held_micros, found.available_micros)
        assert (*(one / CREDIT for one in micros), found.overdrawn_reason) == wanted
        assert broken_laws() == []
        db.session.rollback()

    def left(self, grant_id: str) -> int | float:
        """What is left of a grant, in credits; 0 when it is used up or its time is over."""
        lines = {line.grant_id: line for line in queries.grants(self.id)}
        db.session.rollback()
        return lines[grant_id].remaining_micros / CREDIT if grant_id in lines else 0


def sweep() -> None:
    """What the worker does every minute."""
    service.expire_grants()
    service.expire_holds()
    db.session.commit()


def broken_laws(*, with_waiting: bool = False) -> list[str]:
    """What breaks a law; I14 speaks of the sweeper, which a story calls when it wants."""
    found = invariants.check()
    return [f"{one.law} {one.subject}: {one.what}" for one in found if with_waiting or one.law != "I14"]
