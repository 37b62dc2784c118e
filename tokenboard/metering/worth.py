"""What credits are worth here: CREDIT_VALUE_USD, in the integers that metering counts with."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from tokenboard.core.money import MICROS_PER_CREDIT, NANO_PER_CENT, NANO_PER_USD, scaled
from tokenboard.core.settings import settings


def credit_value_nano() -> int:
    """What one credit is worth in nano-USD."""
    return _nano(settings().credit_value_usd)


@lru_cache(maxsize=8)
def _nano(usd: Decimal) -> int:
    return scaled(usd, NANO_PER_USD, "ROUND_HALF_EVEN")


def micros_of_cents(cents: int) -> int:
    """So much money in credits, rounded down: a cap is never exceeded by a rounding."""
    return cents * NANO_PER_CENT * MICROS_PER_CREDIT // credit_value_nano()


def cents_of_micros(micros: int) -> int:
    """Credits in US cents, rounded up."""
    return -(-micros * credit_value_nano() // (NANO_PER_CENT * MICROS_PER_CREDIT))
