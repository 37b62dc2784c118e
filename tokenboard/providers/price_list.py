"""A price list that travels with us, for models whose upstream tells no price: genai-prices, read offline.

Laws: no network; what is not in the list has no price; a price by anything but tokens is none. Where the price rises
past so much input (tiers), the base price holds and the window ends there: nothing is charged too little.
Source: genai-prices 0.2.3 (reference/prices-and-tokens.md, E).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from genai_prices import data_snapshot
from genai_prices.types import TieredPrices

from tokenboard.core.money import NANO_PER_USD, AmountError, scaled
from tokenboard.providers.chat_shapes import ModelInfo

SOURCE = "genai-prices"
# Understands "openai/gpt-4o" and plain names alike.
_SPELLING = "litellm"


def listed_price(model: str, at: datetime) -> ModelInfo | None:
    """What a model costs at an instant by the list; None: it does not stand there."""
    try:
        provider, found = data_snapshot.get_snapshot().find_provider_model(model, None, _SPELLING, None)
    except LookupError:
        return None
    prices = found.get_prices(at)
    told, output, cached = prices.input_mtok, prices.output_mtok, prices.cache_read_mtok
    if told is None or output is None or prices.requests_kcount:
        return None
    try:
        nano = [_nano(told), None if cached is None else _nano(cached), _nano(output)]
    except AmountError:
        return None
    windows = [found.context_window, *(_tier_start(price) for price in (told, output, cached))]
    known = [window for window in windows if window]
    return ModelInfo(model, "chat", nano[0], nano[1], nano[2], min(known) if known else None, None, provider.id)


def _nano(price: Decimal | TieredPrices) -> int:
    """USD for a million tokens in nano-USD, rounded up. Raises: AmountError."""
    base = price.base if isinstance(price, TieredPrices) else price
    return scaled(base, NANO_PER_USD, "ROUND_CEILING")


def _tier_start(price: Any) -> int | None:
    return min((tier.start for tier in price.tiers), default=None) if isinstance(price, TieredPrices) else None
