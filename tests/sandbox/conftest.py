"""The sandbox under test is one of its own."""

from __future__ import annotations

from tests.providers.stand_in import served, stand_in

__all__ = ["served", "stand_in"]
