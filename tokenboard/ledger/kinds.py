"""The words of the ledger: what a transaction did, how a hold stands, why credits were given. Any room may use them."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a transaction did; also the operation within which an idempotency key is unique."""

    GRANT = "grant"  # credits given: bought, included in a plan, or a gift
    SPEND = "spend"  # credits used, at once
    LATE_SPEND = "late_spend"  # usage reported after the fact; may overdraw
    CAPTURE = "capture"  # a hold settled for what it did cost, 0 included
    RELEASE = "release"  # a hold given back whole
    HOLD_EXPIRY = "hold_expiry"  # a hold settled by time, for what was recorded
    EXPIRY = "expiry"  # a grant's rest whose time is over
    REVERSAL = "reversal"  # a spend or capture undone; the same grants restored
    CLAWBACK = "clawback"  # granted credits taken back: refund or dispute; may overdraw
    RESTORATION = "restoration"  # a clawback undone
    COVER = "cover"  # fresh credits paying a debt; changes no balance


class HoldState(StrEnum):
    """A hold is open once and ends once."""

    OPEN = "open"
    CAPTURED = "captured"  # settled by capture, for 0 up to its amount
    RELEASED = "released"  # given back whole
    EXPIRED = "expired"  # ended by time


class Category(StrEnum):
    """Why credits were given. Among grants that expire together they burn in this order."""

    PROMOTIONAL = "promotional"
    INCLUDED = "included"
    PAID = "paid"
