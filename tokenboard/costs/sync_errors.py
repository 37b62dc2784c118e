"""What ends a sync run besides a provider's own errors.

SyncError
├── LostLease       another worker has the run now; nothing more may be written
└── UnusableBill    the provider's bill cannot be kept as it is
    ├── ForeignCurrency   amounts that are no US dollars; they are never added to dollars
    └── BillTooLarge      a day's sum that no column holds
"""

from __future__ import annotations

from datetime import date


class SyncError(Exception):
    """A run cannot go on."""


class LostLease(SyncError):
    """The lease ran out and somebody else took the run, or the connection was removed."""


class UnusableBill(SyncError):
    """A day's bill cannot be kept. `user_message` says which and why."""

    def __init__(self, user_message: str) -> None:
        super().__init__(user_message)
        self.user_message = user_message


class ForeignCurrency(UnusableBill):
    """A day is billed in something else than US dollars."""

    def __init__(self, provider: str, day: date, currencies: frozenset[str]) -> None:
        named = " and ".join(sorted(code.upper() for code in currencies))
        super().__init__(
            f"{provider} billed {day} in {named}. Only US dollars are added up here, so that day was not imported "
            "and the days before it stay as they are."
        )


class BillTooLarge(UnusableBill):
    """A day's bill does not fit."""

    def __init__(self, provider: str, day: date) -> None:
        super().__init__(f"{provider}'s bill of {day} adds up to more than can be kept, so that day was not imported.")
