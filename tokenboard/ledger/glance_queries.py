"""What lists and headlines show of wallets: balances of many at once, how one was used day by day, what a clawback
would find.

Law: use is bounded by rows, not by days, so that a wallet with a million transactions answers as fast as a young one;
it makes a pace, not an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.ledger.kinds import Kind
from tokenboard.ledger.models import Account, Grant, Transaction
from tokenboard.ledger.queries import balance
from tokenboard.ledger.rules import is_expired

MOST_ROWS = 5_000
_USES = (Kind.SPEND, Kind.LATE_SPEND, Kind.CAPTURE, Kind.HOLD_EXPIRY, Kind.REVERSAL)


@dataclass(frozen=True, slots=True)
class DayUse:
    """What was used on one UTC day, reversals taken off."""

    day: date
    micros: int


def posted_micros(wallet_ids: Iterable[str]) -> dict[str, int]:
    """The settled credits of several wallets, in one query."""
    found = select(Account.id, Account.posted_micros).where(Account.id.in_(list(wallet_ids)))
    return {wallet_id: int(posted or 0) for wallet_id, posted in db.session.execute(found)}


def use_by_day(wallet_id: str, *, since: datetime, but_source: str) -> list[DayUse]:
    """The days with use since an instant, oldest first; transactions whose source begins with `but_source` left out."""
    newest = (
        select(Transaction.kind, Transaction.amount_micros, Transaction.source, Transaction.created_at)
        .where(Transaction.wallet_id == wallet_id)
        .order_by(Transaction.version.desc())
        .limit(MOST_ROWS)
        .subquery()
    )
    day = func.date(newest.c.created_at)
    used = (
        select(day, func.sum(-newest.c.amount_micros))
        .where(newest.c.created_at >= since, newest.c.kind.in_([kind.value for kind in _USES]))
        .where(newest.c.source.not_like(f"{but_source}%"))
        .group_by(day)
        .order_by(day)
    )
    return [DayUse(_day(found), int(micros)) for found, micros in db.session.execute(used)]


def used_micros(wallet_id: str, *, since: datetime, until: datetime, but_source: str) -> int:
    """What was used from one instant to before another, reversals taken off. Reads every transaction of the wallet."""
    used = (
        select(func.coalesce(func.sum(-Transaction.amount_micros), 0))
        .where(Transaction.wallet_id == wallet_id, Transaction.kind.in_([kind.value for kind in _USES]))
        .where(Transaction.created_at >= since, Transaction.created_at < until)
        .where(Transaction.source.not_like(f"{but_source}%"))
    )
    return int(db.session.scalar(used) or 0)


def _day(found: date | str) -> date:
    return date.fromisoformat(found) if isinstance(found, str) else found


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a clawback would take now: from credits that are free, and what would be owed."""

    covered_micros: int
    owed_micros: int


def clawback_outlook(amounts_micros: dict[str, int]) -> Outlook:
    """Before taking so much back of each of these grants of one wallet. Nothing is reserved: it may be spent meanwhile.

    What has expired of a grant is back with the house already and is not taken twice (docs/money.md, Clawback).
    """
    rows = db.session.scalars(select(Grant).where(Grant.id.in_(list(amounts_micros)))).all()
    if not rows:
        return Outlook(0, 0)
    taken = 0
    for row in rows:
        over = row.remaining_micros - row.held_micros if is_expired(row.expires_at, clock.now()) else 0
        left = row.amount_micros - row.expired_micros - row.clawed_back_micros - over
        taken += max(0, min(amounts_micros[row.id], left))
    covered = max(0, min(taken, balance(rows[0].wallet_id).available_micros))
    return Outlook(covered, taken - covered)
