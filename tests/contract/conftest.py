"""Contract tests ask a sandbox of their own."""

from __future__ import annotations

from tests.providers.stand_in import served, stand_in

__all__ = ["served", "stand_in"]
