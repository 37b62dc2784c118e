"""One difference between our books and a provider's, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`heal` mends it, by the same function as a webhook. None: a person must look."""

    provider: str
    object_id: str
    what: str
    heal: Callable[[], object] | None = None
