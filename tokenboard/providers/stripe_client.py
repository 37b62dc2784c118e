"""Stripe, as billing needs it: catalogue, customers, checkout, portal, payments, refunds, disputes, events.

Over the official library, API version pinned. Laws: every method gives frozen dataclasses or raises a PaymentError;
every write takes an idempotency key made from a row of ours; every call ends within its time-outs and bounded retries.
`hurried()` is for a person who waits (one retry, short time-outs), the client itself for jobs.
Source: reference "Stripe", stripe-python 16.1.0, API version 2026-10-28.endive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from tokenboard.providers import stripe_answers as answers, stripe_billing_answers as billing_answers, stripe_events
from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.stripe_calls import Params
from tokenboard.providers.stripe_money import StripeMoney
from tokenboard.providers.stripe_objects import (
    CheckoutSession,
    Customer,
    LineItem,
    Price,
    Product,
    StripeEvent,
    Subscription,
)
from tokenboard.providers.stripe_requests import CheckoutRequest, checkout_params

_EVENT_TYPES_MAX = 20  # of one call


class StripeClient(StripeMoney):
    """One Stripe account. Holds the key and the webhook secrets; never shows them."""

    def __init__(
        self,
        secret_key: str,
        api_base: str = "",
        webhook_secrets: Sequence[str] = (),
        *,
        wire: PaymentWire | None = None,
        retries: int = 2,
        backoff_seconds: float = 0.5,
    ) -> None:
        super().__init__(secret_key, api_base, wire, retries, backoff_seconds)
        self._webhook_secrets = tuple(webhook_secrets)

    def hurried(self) -> StripeClient:
        """The same account and connections for a person who waits: two tries of eight seconds."""
        return StripeClient(
            self._secret_key,
            self._api_base,
            self._webhook_secrets,
            wire=self._wire.with_limits(read_seconds=8, answer_seconds=9),
            retries=min(1, self._retries),
            backoff_seconds=min(0.3, self._backoff_seconds),
        )

    # Events

    @property
    def can_verify(self) -> bool:
        """Whether there is any webhook secret."""
        return bool(stripe_events.usable_secrets(self._webhook_secrets))

    def verify_event(self, raw_body: bytes, signature_header: str | None, now: datetime) -> StripeEvent:
        """The event in a delivery. Look at `foreign` before acting on it.

        Raises: SecretMissing (503), SignatureRefused (400), EventUnreadable (400).
        """
        stripe_events.check_signature(raw_body, signature_header, self._webhook_secrets, now)
        return stripe_events.read_event(raw_body, is_live=self.is_live)

    def read_event(self, raw_body: bytes) -> StripeEvent:
        """The event in a body that was verified when it was stored. Raises: EventUnreadable."""
        return stripe_events.read_event(raw_body, is_live=self.is_live)

    def event(self, event_id: str) -> StripeEvent:
        """Raises: PaymentError, EventUnreadable."""
        return self._event(self._call(self._v1.events.retrieve, event_id, params={}))

    def events(
        self, since: datetime, types: Sequence[str] = (), *, only_undelivered: bool = False
    ) -> list[StripeEvent]:
        """What happened since then, oldest first; Stripe keeps 30 days. Raises: PaymentError, EventUnreadable."""
        found: dict[str, StripeEvent] = {}
        for start in range(0, max(1, len(types)), _EVENT_TYPES_MAX):
            params: Params = {"created": {"gte": int(since.timestamp())}}
            if types:
                params["types"] = list(types[start : start + _EVENT_TYPES_MAX])
            if only_undelivered:
                params["delivery_success"] = False
            newest_first = list(self._many(self._event, self._v1.events.list, params=params))
            found |= {event.id: event for event in reversed(newest_first)}
        # A stable sort: within one second the order Stripe gave stays.
        return sorted(found.values(), key=lambda event: event.created_at)

    def _event(self, told: object) -> StripeEvent:
        from_library = told if isinstance(told, dict) else self._one(dict, told)
        return stripe_events.event_of(from_library, is_live=self.is_live)

    # Catalogue

    def prices(self, *, is_active: bool | None = None) -> Iterator[Price]:
        """All prices with their products; archived ones only when asked for. Raises: PaymentError."""
        wanted = [True, False] if is_active is None else [is_active]
        for active in wanted:
            params: Params = {"active": active, "expand": ["data.product"]}
            yield from self._many(answers.price, self._v1.prices.list, params=params)

    def price(self, price_id: str) -> Price:
        """With its product. Raises: PaymentError."""
        params: Params = {"expand": ["product"]}
        return self._one(answers.price, self._call(self._v1.prices.retrieve, price_id, params=params))

    def products(self) -> Iterator[Product]:
        """All products, archived ones too. Raises: PaymentError."""
        for active in (True, False):
            yield from self._many(answers.product, self._v1.products.list, params={"active": active})

    # Customers

    def create_customer(
        self, *, email: str | None, name: str | None = None, metadata: Mapping[str, str], idempotency_key: str
    ) -> Customer:
        """Raises: PaymentError. Idempotent: by the key, for at least 24 hours."""
        params: Params = {"metadata": dict(metadata)}
        params |= {key: value for key, value in (("email", email), ("name", name)) if value}
        made = self._call(self._v1.customers.create, params=params, key=idempotency_key)
        return self._one(answers.customer, made)

    def customer(self, customer_id: str) -> Customer:
        """A deleted one has `is_deleted`. Raises: PaymentError."""
        return self._one(answers.customer, self._call(self._v1.customers.retrieve, customer_id, params={}))

    def update_customer(
        self,
        customer_id: str,
        *,
        email: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Customer:
        """Change what is given. Raises: PaymentError."""
        fields = (("email", email), ("name", name), ("metadata", None if metadata is None else dict(metadata)))
        params: Params = {key: value for key, value in fields if value is not None}
        changed = self._call(self._v1.customers.update, customer_id, params=params, key=idempotency_key)
        return self._one(answers.customer, changed)

    def portal_url(self, customer_id: str, return_url: str) -> str:
        """Where the customer manages card, plan and cancellation; valid for minutes. Raises: PaymentError."""
        params: Params = {"customer": customer_id, "return_url": return_url}
        made = self._call(self._v1.billing_portal.sessions.create, params=params)
        return self._one(lambda told: answers.needed_url(told.get("url"), "portal url"), made)

    # Checkout

    def create_checkout(self, wanted: CheckoutRequest, *, idempotency_key: str) -> CheckoutSession:
        """A new session with its line items. Raises: PaymentError. Idempotent: by the key, for at least 24 hours."""
        made = self._call(self._v1.checkout.sessions.create, params=checkout_params(wanted), key=idempotency_key)
        return self._one(answers.checkout_session, made)

    def checkout_session(self, session_id: str) -> CheckoutSession:
        """With its line items. Raises: PaymentError."""
        params: Params = {"expand": ["line_items"]}
        found = self._call(self._v1.checkout.sessions.retrieve, session_id, params=params)
        return self._one(answers.checkout_session, found)

    def line_items(self, session_id: str) -> list[LineItem]:
        """Everything a session sells: events do not say. Raises: PaymentError."""
        act = partial(self._v1.checkout.sessions.line_items.list, session_id)
        return list(self._many(answers.line_item, act, params={}))

    def expire_checkout(self, session_id: str) -> CheckoutSession:
        """Close an open session. Raises: InvalidRequest when it is not open any more."""
        return self._one(answers.checkout_session, self._call(self._v1.checkout.sessions.expire, session_id, params={}))

    def checkout_sessions(
        self, *, since: datetime | None = None, payment_intent_id: str | None = None, customer_id: str | None = None
    ) -> Iterator[CheckoutSession]:
        """Newest first. Raises: PaymentError."""
        params: Params = {} if since is None else {"created": {"gte": int(since.timestamp())}}
        named = (("payment_intent", payment_intent_id), ("customer", customer_id))
        params |= {name: value for name, value in named if value}
        yield from self._many(answers.checkout_session, self._v1.checkout.sessions.list, params=params)

    # Subscriptions

    def subscription(self, subscription_id: str) -> Subscription:
        """Raises: PaymentError."""
        found = self._call(self._v1.subscriptions.retrieve, subscription_id, params={})
        return self._one(billing_answers.subscription, found)

    def subscriptions(self, customer_id: str) -> list[Subscription]:
        """All of a customer, ended ones too, newest first. Raises: PaymentError."""
        params: Params = {"customer": customer_id, "status": "all"}
        return list(self._many(billing_answers.subscription, self._v1.subscriptions.list, params=params))

    def cancel_at_period_end(
        self, subscription_id: str, is_wanted: bool = True, *, idempotency_key: str | None = None
    ) -> Subscription:
        """End with the period that is paid for, or take that back. Raises: PaymentError."""
        params: Params = {"cancel_at_period_end": is_wanted}
        changed = self._call(self._v1.subscriptions.update, subscription_id, params=params, key=idempotency_key)
        return self._one(billing_answers.subscription, changed)

    def cancel_now(self, subscription_id: str) -> Subscription:
        """End at once, without refund. Raises: PaymentError; NotFound when it has ended already."""
        return self._one(
            billing_answers.subscription, self._call(self._v1.subscriptions.cancel, subscription_id, params={})
        )
