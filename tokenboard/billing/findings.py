"""Differences between our books and a provider's, and how each is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """`heal` mends it, by the same function as a webhook. None: a person must look."""

    provider: str
    object_id: str
    what: str
    heal: Callable[[], object] | None = None


@dataclass(slots=True)
class Look:
    """What was found, and how much was held against our books."""

    findings: list[Finding] = field(default_factory=list)
    events: int = 0
    sessions: int = 0
    invoices: int = 0
    transactions: int = 0
