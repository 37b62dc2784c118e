"""What the ledger's use cases answer: small frozen facts, with the balances after the act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """A wallet's credits in micro-credits: `posted` is settled, `held` reserved, `available` can be spent."""

    posted_micros: int
    held_micros: int

    @property
    def available_micros(self) -> int:
        return self.posted_micros - self.held_micros


@dataclass(frozen=True, slots=True)
class Posting:
    """One transaction as it was written, also when it is shown again for a repeated call."""

    transaction_id: str
    wallet_id: str
    kind: str
    # What it changed the posted credits by, signed.
    amount_micros: int
    balance: Balance
    # The grant that was made, has expired or was taken back.
    grant_id: str | None = None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Credits reserved. `balance` is the one right after, also for a repeated call."""

    hold_id: str
    wallet_id: str
    amount_micros: int
    expires_at: datetime
    balance: Balance
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Spend:
    """One spend of a batch."""

    amount_micros: int
    key: str
    description: str = ""
    source: str = ""
