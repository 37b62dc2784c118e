"""The control room's tests look at the shop and the market of billing."""

from __future__ import annotations

from tests.billing.conftest import market, providers, shop
from tests.costs.counting import count_queries

__all__ = ["count_queries", "market", "providers", "shop"]
