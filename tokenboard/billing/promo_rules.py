"""What a batch of promo codes is to be, and how large it may be. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MOST_CODES = 1_000  # of one batch


@dataclass(frozen=True, slots=True)
class BatchWish:
    """What a batch is to be. Its codes give credits, or what one period of a plan includes."""

    name: str
    count: int
    credits_micros: int = 0
    plan_price: str = ""
    uses_each: int = 1
    expires_at: datetime | None = None
    credits_live_days: int = 0
