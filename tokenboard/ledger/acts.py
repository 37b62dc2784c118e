"""What calls ask for, checked once before any statement is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.core import clock
from tokenboard.ledger.errors import EntryRefused
from tokenboard.ledger.kinds import HoldState, Kind
from tokenboard.ledger.rules import (
    LONGEST_DESCRIPTION,
    LONGEST_SOURCE,
    input_hash,
    require_amount,
    require_key,
    require_text,
)


@dataclass(frozen=True, slots=True)
class Act:
    """What a call asks of a wallet."""

    wallet_id: str
    amount_micros: int
    key: str
    input_hash: str
    description: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a hold is to end."""

    hold_id: str
    captured_micros: int
    kind: Kind
    state: HoldState
    input_hash: str
    description: str
    source: str
    at: datetime


def checked_act(
    wallet_id: str, amount_micros: int, key: str, description: str, source: str, *more_inputs: object
) -> Act:
    """`more_inputs` is what else must agree between two calls with one key. Raises: EntryRefused."""
    return Act(
        wallet_id,
        require_amount(amount_micros),
        require_key(key),
        input_hash(amount_micros, description, source, *more_inputs),
        require_text("description", description, LONGEST_DESCRIPTION),
        require_text("source", source, LONGEST_SOURCE),
        clock.now(),
    )


def checked_settlement(
    hold_id: str, captured_micros: int, kind: Kind, state: HoldState, description: str, source: str
) -> Settlement:
    """The hold's id is the key; two calls agree when they capture the same amount. Raises: EntryRefused."""
    return Settlement(
        hold_id,
        require_amount(captured_micros, least=0),
        kind,
        state,
        input_hash(captured_micros),
        require_text("description", description, LONGEST_DESCRIPTION),
        require_text("source", source, LONGEST_SOURCE),
        clock.now(),
    )


def require_future(expires_at: datetime | None, at: datetime) -> None:
    """Raises: EntryRefused."""
    if expires_at is not None and expires_at <= at:
        raise EntryRefused("expiresAt", "It must expire at an instant in the future.")
