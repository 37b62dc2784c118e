"""What metering refuses, as named facts.

TokenBoardError
├── NotFound
│   ├── ModelNotOffered      404  no price, or an administrator has taken it off
│   └── CallNotFound         404  no such call
├── Conflict
│   └── CallExists           409  the call's id was used before
├── ContextTooLong           422  more than the model can read
├── CapReached               402  a person's or member's monthly limit, or a key's budget
├── TooLarge
│   └── TooManyRecords       413  more usage records at once than one batch takes
└── RateLimited
    ├── TooManyStreams       429  as many answers at once as a person may have
    └── TooManyMessages      429  as many messages a minute as a person may send

`ledger.errors.InsufficientCredits` (402) passes through.
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict, NotFound, RateLimited, TokenBoardError, TooLarge


class ModelNotOffered(NotFound):
    code = "model_not_found"

    def __init__(self, model: str) -> None:
        super().__init__(f"The model {model[:120]} is not offered here.")
        self.model = model
        self.code = type(self).code


class CallNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such call.")


class CallExists(Conflict):
    code = "call_exists"

    def __init__(self) -> None:
        super().__init__("This call has been made already.")


class ContextTooLong(TokenBoardError):
    status = 422
    code = "context_too_long"

    def __init__(self, model: str, max_input_tokens: int) -> None:
        super().__init__(f"This is more text than {model} can read ({max_input_tokens:,} tokens). Shorten it.")


_NEXT_MONTH = "It starts anew next month."
_WHOSE = {
    "person": ("Your monthly limit", _NEXT_MONTH),
    "member": ("Your monthly limit in this workspace", _NEXT_MONTH),
    "key": ("The budget of this key", "Its owner can raise it on the keys page."),
}


class CapReached(TokenBoardError):
    """`kind` is whose limit: `person`, `member` or `key`."""

    status = 402
    code = "cap_reached"

    def __init__(self, kind: str, *, cap_cents: int, used_cents: int) -> None:
        whose, then = _WHOSE[kind]
        super().__init__(
            f"{whose} of ${cap_cents // 100:,}.{cap_cents % 100:02d} is used up. {then}",
            capCents=cap_cents,
            usedCents=used_cents,
        )
        self.kind = kind


class TooManyStreams(RateLimited):
    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} answers running. Wait for one to end, or stop one.", retry_after_seconds=5)


class TooManyMessages(RateLimited):
    def __init__(self, most: int, *, retry_after_seconds: int) -> None:
        super().__init__(
            f"You can send {most} messages a minute. Try again in a moment.", retry_after_seconds=retry_after_seconds
        )


class TooManyRecords(TooLarge):
    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most:,} usage records at once.")
