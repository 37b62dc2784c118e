"""What the proxy reports that nobody here pays for, and where its prices and ours differ: reads for administrators.

Units: nano-USD, as the proxy says it; UTC days of the requests' beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, select

from tokenboard.core.clock import midnight
from tokenboard.core.db import db
from tokenboard.keys.spend_models import SpendLine
from tokenboard.keys.spend_rules import SpendKind

MOST_LINES = 200
# Nobody pays for these.
UNPAID = (SpendKind.FOREIGN, SpendKind.ODD)
_PRICED = (SpendKind.CHARGE, SpendKind.RECONCILE)


@dataclass(frozen=True, slots=True)
class ForeignSpend:
    """What a key or customer that nobody knows here has cost with one model. `kind` foreign, or odd: numbers that
    cannot be.
    """

    kind: str
    key_hash: str
    end_user: str
    model: str
    requests: int
    cost_nano: int
    latest_at: datetime


@dataclass(frozen=True, slots=True)
class PriceDifference:
    """What the proxy says a model's requests cost, and what our price table makes of them. None: no price here."""

    model: str
    requests: int
    cost_nano: int
    expected_nano: int | None


def foreign(since: datetime) -> list[ForeignSpend]:
    """The costliest first."""
    line, cost = SpendLine, _sum(SpendLine.cost_nano)
    asked = (
        select(line.kind, line.key_hash, line.end_user, line.model, func.count(), cost, func.max(line.started_at))
        .where(line.kind.in_(UNPAID), line.started_at >= since)
        .group_by(line.kind, line.key_hash, line.end_user, line.model)
        .order_by(cost.desc(), line.model)
        .limit(MOST_LINES)
    )
    return [ForeignSpend(*row) for row in db.session.execute(asked)]


def price_differences(since: datetime) -> list[PriceDifference]:
    """Every model that was paid for through the proxy, the largest difference first; those without a price lead."""
    line = SpendLine
    is_known = line.expected_nano.is_not(None)
    asked = (
        select(line.model, is_known, func.count(), _sum(line.cost_nano), _sum(line.expected_nano))
        .where(line.kind.in_(_PRICED), line.started_at >= since)
        .group_by(line.model, is_known)
    )
    found = [
        PriceDifference(model, requests, cost, expected if known else None)
        for model, known, requests, cost, expected in db.session.execute(asked)
    ]
    return sorted(found, key=lambda one: (one.expected_nano is not None, -_gap(one), one.model))[:MOST_LINES]


def _gap(one: PriceDifference) -> int:
    return abs(one.cost_nano - (one.expected_nano or 0))


def unpaid_by_day_and_model(first: date, last: date) -> dict[tuple[date, str], int]:
    """What the proxy says the unpaid requests cost. One query."""
    day, until = func.date(SpendLine.started_at), midnight(last + timedelta(days=1))
    asked = (
        select(day, SpendLine.model, _sum(SpendLine.cost_nano))
        .where(SpendLine.kind.in_(UNPAID), SpendLine.started_at >= midnight(first), SpendLine.started_at < until)
        .group_by(day, SpendLine.model)
    )
    return {(date.fromisoformat(str(on)), model): nano for on, model, nano in db.session.execute(asked)}


def _sum(column: Any) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
