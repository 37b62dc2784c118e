"""Reads what a chat upstream says about tokens and cost. Never trusts it: what comes out is clean, or marked odd.

Units: cost in nano-USD, rounded up once; a float's noise past its 15th digit is taken off first, so that
2.9999999999999997e-05 is 30,000 nano-USD and not 30,001.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from tokenboard.core.money import NANO_PER_USD, AmountError, decimal_of, scaled
from tokenboard.providers.chat_shapes import TokenUsage

TOKENS_MAX = 100_000_000  # more than any model reads or writes in one call
COST_USD_MAX = 10_000  # no single call costs more
_DIGITS_OF_A_FLOAT = Context(prec=15)
_NANO_PER_USD_AND_MTOK = 10**15


def usage_of(told: object, *, cost: object = None) -> TokenUsage | None:
    """The usage an answer tells; None when it tells none. `cost` is the header's, when there is one."""
    if told is None:
        return None
    if not isinstance(told, Mapping):
        return TokenUsage(0, 0, is_odd=True)
    reading = _Reading(told)
    prompt = reading.count("prompt_tokens", "input_tokens", is_needed=True)
    completion = reading.count("completion_tokens", "output_tokens")
    cached = reading.part("prompt_tokens_details", "cached_tokens", prompt, "cache_read_input_tokens")
    reasoning = reading.part("completion_tokens_details", "reasoning_tokens", completion)
    nano = reading.cost(told.get("cost") if told.get("cost") is not None else cost)
    return TokenUsage(prompt, completion, cached, reasoning, nano, reading.is_odd)


class _Reading:
    """Reads one usage object, and remembers whether anything in it was odd."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told
        self.is_odd = False

    def count(self, *names: str, is_needed: bool = False) -> int:
        found = [self._told[name] for name in names if self._told.get(name) is not None]
        if not found:
            self.is_odd = self.is_odd or is_needed
            return 0
        return self._clean(found[0], TOKENS_MAX)

    def part(self, group: str, name: str, whole: int, plain_name: str = "") -> int:
        """A count that is a part of another one."""
        details = self._told.get(group)
        value = details.get(name) if isinstance(details, Mapping) else None
        if value is None:
            value = self._told.get(plain_name)
        return 0 if value is None else self._clean(value, whole)

    def _clean(self, value: object, most: int) -> int:
        if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
            value = int(value) if abs(value) <= TOKENS_MAX else TOKENS_MAX + 1
        if isinstance(value, bool) or not isinstance(value, int):
            self.is_odd = True
            return 0
        clean = min(max(value, 0), most)
        self.is_odd = self.is_odd or clean != value
        return clean

    def cost(self, value: object) -> int | None:
        if value is None:
            return None
        nano = cost_nano(value)
        self.is_odd = self.is_odd or nano is None
        return nano


def cost_nano(value: object) -> int | None:
    """A cost in USD, as LiteLLM reports it, in nano-USD; None when it is negative, huge or no number."""
    try:
        usd = _DIGITS_OF_A_FLOAT.plus(decimal_of(value))
        if not 0 <= usd <= COST_USD_MAX:
            return None
        return scaled(usd, NANO_PER_USD, ROUND_CEILING)
    except AmountError:
        return None


def price_nano_per_mtok(value: object) -> int | None:
    """A price in USD a token, as LiteLLM lists it, in nano-USD per million tokens; None when it is none."""
    if value is None:
        return None
    try:
        return scaled(_DIGITS_OF_A_FLOAT.plus(decimal_of(value)), _NANO_PER_USD_AND_MTOK, ROUND_HALF_EVEN)
    except AmountError:
        return None
