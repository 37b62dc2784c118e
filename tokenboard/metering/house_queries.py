"""What all workspaces have used, by day and model: the meter's side of the books. Demo workspaces are left out.

Units: micro-credits and nano-USD; UTC days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Boolean, Date, String, bindparam, cast, func, select, text

from tokenboard.core.db import db
from tokenboard.metering.usage_models import UsageDay
from tokenboard.metering.usage_rules import Span
from tokenboard.workspaces.models import Workspace

MOST_LINES = 50_000


@dataclass(frozen=True, slots=True)
class HouseUse:
    """One day of one model."""

    day: date
    model: str
    requests: int
    tokens: int
    cost_nano: int
    credits_micros: int


def by_day_and_model(span: Span) -> list[HouseUse]:
    """From the roll-up. One query."""
    used = UsageDay.__table__.c
    sums = (used.requests, used.prompt_tokens + used.completion_tokens, used.cost_nano_usd, used.credits_micros)
    asked = (
        select(UsageDay.day_on, UsageDay.model, *(cast(func.sum(one), BigInteger) for one in sums))
        .join(Workspace, Workspace.id == UsageDay.workspace_id)
        .where(UsageDay.day_on.between(span.first, span.last), Workspace.is_demo.is_(False))
        .group_by(UsageDay.day_on, UsageDay.model)
        .limit(MOST_LINES)
    )
    return [HouseUse(day, model, *map(int, counts)) for day, model, *counts in db.session.execute(asked)]


def absorbed(span: Span) -> dict[tuple[date, str], int]:
    """What the house took upon itself, in micro-credits: the ledger's absorptions by their request's day and model."""
    found = db.session.execute(_ABSORBED, {"first": span.first, "last": span.last, "no": False})
    return {(day, model): int(micros) for day, model, micros in found}


_ABSORBED = (
    text(
        """
        SELECT record.day_on AS day_on, record.model AS model, sum(moved.amount_micros)
          FROM ledger_house_transfer AS moved JOIN usage_record AS record ON record.dedupe_key = moved.idempotency_key
         WHERE moved.kind = 'absorption' AND moved.is_demo = :no AND record.day_on BETWEEN :first AND :last
         GROUP BY record.day_on, record.model
        """
    )
    .bindparams(bindparam("first", type_=Date()), bindparam("last", type_=Date()), bindparam("no", type_=Boolean()))
    .columns(day_on=Date(), model=String())
)
