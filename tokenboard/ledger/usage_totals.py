"""What customers' wallets have paid for use, by the day it was booked. Demo wallets stand outside.

Reads the entries of the whole span, like the totals of the books page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import BigInteger, case, cast, func, or_, select

from tokenboard.core.clock import midnight
from tokenboard.core.db import db
from tokenboard.ledger.kinds import Kind
from tokenboard.ledger.models import Account, Transaction

_USES = (Kind.SPEND, Kind.LATE_SPEND, Kind.CAPTURE, Kind.HOLD_EXPIRY, Kind.REVERSAL)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken from wallets on a day: for metered requests, and otherwise. Reversals count against it."""

    metered_micros: int
    other_micros: int


def taken_by_day(first: date, last: date, *, metered: Sequence[str]) -> dict[date, Taken]:
    """By UTC day of booking. `metered`: how the sources of metered requests begin. One query."""
    act = Transaction
    is_metered = or_(*(act.source.startswith(prefix, autoescape=True) for prefix in metered))
    taken = [
        cast(func.coalesce(func.sum(case((is_metered, -act.amount_micros), else_=0)), 0), BigInteger),
        cast(func.coalesce(func.sum(case((is_metered, 0), else_=-act.amount_micros)), 0), BigInteger),
    ]
    day = func.date(act.created_at)
    asked = (
        select(day, *taken)
        .join(Account, Account.id == act.wallet_id)
        .where(act.kind.in_(_USES), Account.is_demo.is_(False))
        .where(act.created_at >= midnight(first), act.created_at < midnight(last + timedelta(days=1)))
        .group_by(day)
    )
    found = db.session.execute(asked)
    return {date.fromisoformat(str(on)): Taken(int(ours), int(other)) for on, ours, other in found}
