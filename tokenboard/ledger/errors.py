"""What the ledger refuses, as named facts.

TokenBoardError
├── InsufficientCredits   402  less is available than is asked for
├── ValidationFailed
│   └── EntryRefused      422  an amount, key or text the ledger cannot keep
├── NotFound
│   ├── AccountNotFound   404  no such wallet
│   ├── GrantNotFound     404  no such grant
│   ├── HoldNotFound      404  no such hold
│   └── TransactionNotFound 404  no such transaction
└── Conflict
    ├── IdempotencyConflict 409  the key was used with other inputs
    ├── AccountArchived   409  the wallet takes no new credits, spends or holds
    ├── HoldNotOpen       409  the hold was captured, released or has expired
    ├── CaptureTooLarge   409  more than the hold holds
    ├── NotReversible     409  this kind of transaction is not undone by `reverse`
    ├── AlreadyGranted    409  the payment has been turned into credits already
    ├── ClawbackTooLarge  409  more than was granted
    └── CreditValueFrozen 409  entries exist that count in another credit value
"""

from __future__ import annotations

from tokenboard.core.errors import Conflict, NotFound, TokenBoardError, ValidationFailed
from tokenboard.core.money import credits_from_micros, json_number


def _credits(micros: int) -> int | float:
    return json_number(credits_from_micros(micros))


class InsufficientCredits(TokenBoardError):
    """Raised before anything is written; `required_micros` is what was asked for."""

    status = 402
    code = "insufficient_credits"

    def __init__(self, *, posted_micros: int, held_micros: int, required_micros: int) -> None:
        available_micros = posted_micros - held_micros
        super().__init__(
            "There are not enough credits for this.",
            balance=_credits(posted_micros),
            balanceMicros=posted_micros,
            available=_credits(available_micros),
            required=_credits(required_micros),
        )
        self.available_micros = available_micros
        self.required_micros = required_micros


class EntryRefused(ValidationFailed):
    """One field that the ledger cannot keep, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__({field: [why]}, why)


class AccountNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such wallet.")


class GrantNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such grant.")


class HoldNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such hold.")


class TransactionNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("There is no such transaction.")


class IdempotencyConflict(Conflict):
    code = "idempotency_conflict"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for something else.")


class AccountArchived(Conflict):
    code = "account_archived"

    def __init__(self) -> None:
        super().__init__("This wallet is archived.")


class HoldNotOpen(Conflict):
    """`state` says how the hold ended."""

    code = "hold_not_open"

    def __init__(self, state: str) -> None:
        super().__init__(f"This hold is {state}.", state=state)
        self.state = state


class CaptureTooLarge(Conflict):
    code = "capture_too_large"

    def __init__(self) -> None:
        super().__init__("A capture takes at most what the hold holds.")


class NotReversible(Conflict):
    code = "not_reversible"

    def __init__(self, kind: str, cure: str) -> None:
        super().__init__(f"A transaction of kind {kind} is not undone this way. {cure}".strip())


class AlreadyGranted(Conflict):
    code = "already_granted"

    def __init__(self) -> None:
        super().__init__("This payment has been turned into credits already.")


class ClawbackTooLarge(Conflict):
    code = "clawback_too_large"

    def __init__(self) -> None:
        super().__init__("No more can be taken back than was granted.")


class CreditValueFrozen(Conflict):
    """The start-up check shows the message as it is."""

    code = "credit_value_frozen"

    def __init__(self, *, frozen: str, asked: str) -> None:
        super().__init__(
            f"CREDIT_VALUE_USD is {asked}, but the ledger's entries count credits of {frozen} USD: "
            f"set CREDIT_VALUE_USD={frozen} again. A new value needs a new ledger."
        )
