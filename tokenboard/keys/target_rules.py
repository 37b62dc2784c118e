"""What LiteLLM is told: the one place where budgets at the proxy are computed. Pure.

Laws: every target is absolute, so that sending it twice is sending it once; rounding is down, so that the proxy never
allows more than is there. LiteLLM's own windows stay off (`budget_duration` is null): it counts on for ever, and a
budget is what it has counted plus what is left here.
Units: nano-USD of provider cost at the proxy, micro-credits here.
Source: reference "LiteLLM", section 7, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from tokenboard.core.money import MICROS_PER_CREDIT


@dataclass(frozen=True, slots=True)
class KeyTarget:
    """A key at the proxy as it must be."""

    max_budget_nano: int | None
    is_blocked: bool
    models: tuple[str, ...]
    rpm_limit: int | None
    tpm_limit: int | None
    expires_at: datetime | None


def nano_of_micros(micros: int, *, credit_value_nano: int, markup: Decimal) -> int:
    """How much provider cost so many micro-credits pay for, rounded down; nothing for a debt."""
    if micros <= 0:
        return 0
    worth = Decimal(micros) * credit_value_nano / MICROS_PER_CREDIT
    return int((worth / markup).to_integral_value(rounding=ROUND_FLOOR))


def budget(*, counted_nano: int, counted_in_all_nano: int, booked_nano: int, left_nano: int) -> int:
    """What the proxy may let through in all, in nano-USD.

    `counted` is the proxy's own count of this subject, `in_all` of everything that shares what is left (both secrets
    of a key that is being replaced), `booked` what has been paid for here. What it counted and we have not booked yet
    comes out of what is left. Where it counted less than we booked (it lost counts, or began anew) its own count is
    what it compares with, and nothing is taken off.
    """
    not_booked = max(0, counted_in_all_nano - booked_nano)
    return counted_nano + max(0, left_nano - not_booked)


def left_of(lefts: Iterable[int | None]) -> int | None:
    """The tightest of several limits; None when none applies."""
    known = [one for one in lefts if one is not None]
    return min(known) if known else None


def is_spent(left_nano: int | None) -> bool:
    """Whether a subject must be blocked: at a budget of exactly its count the proxy lets one more request through."""
    return left_nano is not None and left_nano <= 0


def expires_in_seconds(expires_at: datetime | None, at: datetime) -> int | None:
    """A key's rest of life, as `/key/generate` wants it."""
    return None if expires_at is None else max(1, int((expires_at - at).total_seconds()))
