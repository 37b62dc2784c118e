"""Stripe without a network: the real client for signatures and events, answers that a test lays ready."""

from __future__ import annotations

from typing import Any

from tokenboard.providers.payments import NotFound
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.stripe_client import StripeClient

STRIPE_SECRET = "whsec_" + "n7Rk2QbX"
PAYSTACK_KEY = "sk_test_" + "w4Jc9ZtP"


class StandInStripe(StripeClient):
    """Knows what `things` holds by (kind, id); anything else does not exist. Counts what it was asked."""

    def __init__(self, secrets: tuple[str, ...] = (STRIPE_SECRET,)) -> None:
        super().__init__("sk_test_standin", "http://127.0.0.1:9", secrets)
        self.things: dict[tuple[str, str], Any] = {}
        self.asked: list[tuple[str, str]] = []

    def hurried(self) -> StandInStripe:
        return self

    def _give(self, kind: str, object_id: str) -> Any:
        self.asked.append((kind, object_id))
        found = self.things.get((kind, object_id))
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise NotFound("stripe")
        return found

    def subscription(self, subscription_id: str) -> Any:
        return self._give("subscription", subscription_id)

    def price(self, price_id: str) -> Any:
        return self._give("price", price_id)

    def checkout_session(self, session_id: str) -> Any:
        return self._give("session", session_id)

    def invoice_of_payment(self, payment_intent_id: str) -> Any:
        return self._give("invoice_of_payment", payment_intent_id)


class StandInPaystack(PaystackClient):
    """As StandInStripe, for Paystack."""

    def __init__(self) -> None:
        super().__init__(PAYSTACK_KEY, "http://127.0.0.1:9")
        self.verified: dict[str, Any] = {}
        self.listed_refunds: list[Any] = []

    def hurried(self) -> StandInPaystack:
        return self

    def verify(self, reference: str) -> Any:
        found = self.verified.get(reference)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise NotFound("paystack")
        return found

    def refunds(self, since: Any, until: Any) -> Any:
        return iter(self.listed_refunds)

    def transactions(self, since: Any, until: Any, status: str | None = None) -> Any:
        return iter(self.verified.values())

    def disputes(self, since: Any, until: Any) -> Any:
        return iter(())


class StandIns:
    """What `web.clients.clients()` gives in these tests."""

    def __init__(self) -> None:
        self._stripe, self._paystack = StandInStripe(), StandInPaystack()

    def stripe(self) -> StandInStripe:
        return self._stripe

    def paystack(self) -> StandInPaystack:
        return self._paystack

    def mode(self, provider: str) -> str:
        return "sandbox"
