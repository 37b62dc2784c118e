"""What is left of prepaid credits: as the provider told it, else as somebody typed it in, less the costs since.

Units: nano-USD. A typed balance is what the provider's page showed on its day; costs count from the day after.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select

from tokenboard.core.clock import midnight, today
from tokenboard.core.db import db
from tokenboard.costs import queries
from tokenboard.costs.models import Connection, CreditSnapshot, TypedBalance
from tokenboard.costs.period_rules import Period


@dataclass(frozen=True, slots=True)
class PrepaidBalance:
    """A prepaid balance and where it comes from."""

    source: Literal["provider", "typed"]
    provider: str
    left_nano: int
    as_of: datetime  # when the provider told it, or the first instant of the typed day
    as_of_on: date
    granted_nano: int | None  # what the unexpired grants were worth; None for a typed balance
    typed_nano: int | None  # what was typed in; None where the provider told it
    spent_since_nano: int  # already taken off `left_nano`
    expires_at: datetime | None


def prepaid_balance(workspace_id: str) -> PrepaidBalance | None:
    """The newest of what the provider told and what was typed in; None when neither is known."""
    found = [one for one in (_told(workspace_id), _typed(workspace_id)) if one is not None]
    return max(found, key=lambda one: one.as_of, default=None)


def _told(workspace_id: str) -> PrepaidBalance | None:
    wanted = (
        select(CreditSnapshot, Connection.provider)
        .join(Connection, Connection.id == CreditSnapshot.connection_id)
        .where(Connection.workspace_id == workspace_id, Connection.mode == "personal", Connection.status != "removed")
        .order_by(CreditSnapshot.seen_at.desc())
        .limit(1)
    )
    found = db.session.execute(wanted).one_or_none()
    if found is None:
        return None
    snapshot, provider = found
    return PrepaidBalance(
        source="provider",
        provider=provider,
        left_nano=snapshot.available_nano,
        as_of=snapshot.seen_at,
        as_of_on=snapshot.seen_at.date(),
        granted_nano=snapshot.granted_nano,
        typed_nano=None,
        spent_since_nano=0,
        expires_at=snapshot.expires_at,
    )


def _typed(workspace_id: str) -> PrepaidBalance | None:
    wanted = select(TypedBalance).where(TypedBalance.workspace_id == workspace_id)
    typed = db.session.scalars(wanted.order_by(TypedBalance.entered_at.desc()).limit(1)).one_or_none()
    if typed is None:
        return None
    spent = _spent_after(workspace_id, typed.provider, typed.as_of_on)
    return PrepaidBalance(
        source="typed",
        provider=typed.provider,
        left_nano=typed.amount_nano - spent,
        as_of=midnight(typed.as_of_on),
        as_of_on=typed.as_of_on,
        granted_nano=None,
        typed_nano=typed.amount_nano,
        spent_since_nano=spent,
        expires_at=None,
    )


def _spent_after(workspace_id: str, provider: str, day: date) -> int:
    scope = queries.scope_of(queries.connections(workspace_id), provider=provider)
    totals = queries.daily_totals(scope, Period(day, max(day, today())))
    return sum(nano for on, nano in totals.items() if on > day)
