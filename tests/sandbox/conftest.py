"""The sandbox under test is one of its own."""

from __future__ import annotations

from tests.providers.stand_in import served, stand_in
from tests.providers.till import official, shop, till

__all__ = ["official", "served", "shop", "stand_in", "till"]
