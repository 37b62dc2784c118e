"""What the wallet refuses beyond the ledger's own refusals.

TokenBoardError
├── Forbidden
│   └── SecondNeeded      403  nobody approves their own proposal
├── Conflict
│   └── AlreadyDecided    409  the proposal was posted or declined meanwhile
└── RateLimited
    └── DailyCapReached   429  more than one administrator may give alone in a day
"""

from __future__ import annotations

from datetime import datetime

from tokenboard.core.errors import Conflict, Forbidden, RateLimited


class SecondNeeded(Forbidden):
    code = "second_administrator_needed"

    def __init__(self) -> None:
        super().__init__("Another administrator has to approve this: nobody approves their own proposal.")


class AlreadyDecided(Conflict):
    code = "already_decided"

    def __init__(self, state: str) -> None:
        super().__init__(f"This proposal is {state} already.")


class DailyCapReached(RateLimited):
    """Nothing was written. The cap counts what was given and what was taken, by UTC days."""

    code = "daily_cap_reached"

    def __init__(self, *, cap_credits: int, at: datetime) -> None:
        seconds = 86_400 - (at.hour * 3_600 + at.minute * 60 + at.second)
        super().__init__(
            f"This would pass the {cap_credits:,} credits that may be given or taken alone in one UTC day.",
            retry_after_seconds=seconds,
        )
