"""What billing refuses, and what keeps an event from being handled.

TokenBoardError
├── NotFound
│   └── PriceNotFound         404  not in the catalogue, or not for sale
├── Conflict
│   ├── SubscriptionExists    409  at most one live subscription a workspace
│   ├── CodeNotValid          409  no such promo code, or its time is over
│   ├── CodeUsed              409  this person, or everybody it was for, has used it
│   ├── NotRefundable         409  nothing was paid, or more would go back than came
│   └── NoCustomer            409  nothing to manage yet: no purchase was made
├── UpstreamFailed
│   └── ProviderFailed        502  the provider refused or broke; the order stays and can be tried again
EventUnusable
├── Refused                   not ours, or not what was ordered: 0 credits, seen by the administrator
├── NotYet                    what it builds on has not arrived: again later
└── NeedsAnswer               the provider must be asked first, outside of any transaction
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.core.errors import Conflict, NotFound, UpstreamFailed
from tokenboard.providers.payments import PaymentError


class PriceNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("This is not for sale.")


class SubscriptionExists(Conflict):
    code = "subscription_exists"

    def __init__(self) -> None:
        super().__init__("This workspace has a subscription already. Change or cancel it under Subscription.")


class CodeNotValid(Conflict):
    code = "code_not_valid"

    def __init__(self) -> None:
        super().__init__("This code is not valid, or its time is over.")


class CodeUsed(Conflict):
    code = "code_used"

    def __init__(self) -> None:
        super().__init__("This code has been used.")


class NotRefundable(Conflict):
    code = "not_refundable"


class NoCustomer(Conflict):
    code = "no_customer"

    def __init__(self) -> None:
        super().__init__("There is nothing to manage yet: this workspace has bought nothing through Stripe.")


class ProviderFailed(UpstreamFailed):
    """The buyer sees the provider's own sentence; the order stays, and the same click finds it again."""

    code = "payment_provider_failed"

    def __init__(self, error: PaymentError) -> None:
        super().__init__(error.user_message)


class EventUnusable(Exception):
    """An event could not be acted upon."""


class Refused(EventUnusable):
    """`why` is for the administrator; nothing was written."""

    def __init__(self, why: str, *, payment_id: str | None = None, is_suspicious: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.payment_id = payment_id
        self.is_suspicious = is_suspicious


class NotYet(EventUnusable):
    """Tried again by the sweeper."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something only the provider knows; `kind` names the call, `object_id` what it is about."""

    kind: str
    object_id: str


class NeedsAnswer(EventUnusable):
    def __init__(self, question: Question) -> None:
        super().__init__(f"{question.kind} {question.object_id}")
        self.question = question
