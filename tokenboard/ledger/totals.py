"""Sums over all books, for the administrators' books page. Demo wallets stand outside every total.

They read every row, like the invariants.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import and_, case, func, select

from tokenboard.core.db import db
from tokenboard.ledger.accounts import House
from tokenboard.ledger.models import Account, Grant, HouseTransfer, Transaction, Transfer


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Credits the house owes to its wallets, demo wallets left out."""

    wallets: int
    posted_micros: int
    held_micros: int
    owed_micros: int
    by_category: dict[str, int]


def house_totals() -> dict[House, int]:
    """What each of the house's accounts has taken in (positive) or given out (negative), demo wallets left out."""
    moved, within = Transfer.__table__.c, HouseTransfer.__table__.c
    real = select(Transaction.id).join(Account, Account.id == Transaction.wallet_id).where(Account.is_demo.is_(False))
    sides = sa.union_all(
        select(moved.credit_account_id.label("id"), moved.amount_micros.label("micros")).where(
            moved.transaction_id.in_(real)
        ),
        select(moved.debit_account_id, -moved.amount_micros).where(moved.transaction_id.in_(real)),
        select(within.credit_account_id, within.amount_micros).where(within.is_demo.is_(False)),
        select(within.debit_account_id, -within.amount_micros).where(within.is_demo.is_(False)),
    ).subquery()
    ids = {house.account_id: house for house in House}
    sums = select(sides.c.id, func.sum(sides.c.micros)).where(sides.c.id.in_(list(ids))).group_by(sides.c.id)
    found = {ids[account_id]: int(total) for account_id, total in db.session.execute(sums)}
    return {house: found.get(house, 0) for house in House}


def credits_outstanding() -> Outstanding:
    """What the house owes its wallets, demo wallets left out; `posted` of overdrawn ones counts as what they owe."""
    owed = func.coalesce(func.sum(case((Account.posted_micros < 0, -Account.posted_micros), else_=0)), 0)
    posted = func.coalesce(func.sum(case((Account.posted_micros > 0, Account.posted_micros), else_=0)), 0)
    held = func.coalesce(func.sum(Account.held_micros), 0)
    is_real = and_(Account.kind == "wallet", Account.is_demo.is_(False))
    wallets, posted_micros, held_micros, owed_micros = db.session.execute(
        select(func.count(), posted, held, owed).where(is_real)
    ).one()
    by_category = (
        select(Grant.category, func.sum(Grant.remaining_micros))
        .join(Account, Account.id == Grant.wallet_id)
        .where(is_real, Grant.is_open)
        .group_by(Grant.category)
    )
    sums = {category: int(total) for category, total in db.session.execute(by_category)}
    return Outstanding(wallets, int(posted_micros), int(held_micros), int(owed_micros), sums)
