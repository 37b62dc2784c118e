"""Questions to a provider that turn up while an event is handled.

Law: nobody asks a provider inside a transaction: on SQLite every other writer would wait for it. The handler raises
NeedsAnswer, the door rolls back, asks, and begins anew with the answer at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from tokenboard.billing.errors import NeedsAnswer, Question
from tokenboard.core.clock import now
from tokenboard.providers.payments import NotFound
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.paystack_objects import PaystackRefund
from tokenboard.providers.stripe_client import StripeClient

MOST_QUESTIONS = 6  # of one event


class Providers(Protocol):
    """Where the payment clients come from (`web.clients.clients()`)."""

    def stripe(self) -> StripeClient: ...

    def paystack(self) -> PaystackClient: ...


@dataclass(slots=True)
class Answers:
    """What has been asked so far. Calling it gives the answer, None for an object the provider does not know."""

    known: dict[Question, Any] = field(default_factory=dict)

    def __call__(self, kind: str, object_id: str) -> Any:
        """Raises: NeedsAnswer."""
        question = Question(kind, object_id)
        if question not in self.known:
            raise NeedsAnswer(question)
        return self.known[question]

    def learn(self, question: Question, providers: Providers) -> None:
        """Ask. Raises: PaymentError."""
        try:
            self.known[question] = _CALLS[question.kind](providers, question.object_id)
        except NotFound:
            self.known[question] = None


def _refunds_of(providers: Providers, reference_and_day: str) -> list[PaystackRefund]:
    reference, _, since = reference_and_day.partition("|")
    return paystack_refunds(providers, reference, datetime.fromtimestamp(int(since), UTC))


def paystack_refunds(providers: Providers, reference: str, since: datetime) -> list[PaystackRefund]:
    """What Paystack lists of a payment's refunds. Some of its lists name the payment by its number only.

    Raises: PaymentError.
    """
    client = providers.paystack()
    listed = list(client.refunds(since - timedelta(days=1), now() + timedelta(days=1)))
    named = [one for one in listed if one.reference == reference]
    numbered = [one for one in listed if one.reference is None]
    number = client.verify(reference).id if numbered else None
    return named + [one for one in numbered if one.transaction_id == number]


_CALLS: dict[str, Callable[[Providers, str], Any]] = {
    "stripe.subscription": lambda providers, found: providers.stripe().subscription(found),
    "stripe.invoice_lines": lambda providers, found: providers.stripe().invoice_lines(found),
    "stripe.invoice_of_payment": lambda providers, found: providers.stripe().invoice_of_payment(found),
    "stripe.session": lambda providers, found: providers.stripe().checkout_session(found),
    "stripe.price": lambda providers, found: providers.stripe().price(found),
    "paystack.verify": lambda providers, found: providers.paystack().verify(found),
    "paystack.refunds": _refunds_of,
}


def refunds_question(reference: str, since: datetime) -> tuple[str, str]:
    """Paystack lists refunds by time; this names the question."""
    return "paystack.refunds", f"{reference}|{int(since.timestamp())}"
