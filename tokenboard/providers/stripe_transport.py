"""The official Stripe library over our own wire, and its errors as our named facts.

Laws: retries are the library's (no answer, 409, 5xx; the same idempotency key every time), bounded by us; no
telemetry, no marks of this machine in the headers.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import stripe

from tokenboard.providers.errors import cleaned
from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.payments import (
    AuthenticationRequired,
    BadAnswer,
    CardDeclined,
    IdempotencyMismatch,
    InvalidRequest,
    KeyRefused,
    NotFound,
    PaymentError,
    RateLimited,
    Unavailable,
)

PROVIDER = "stripe"
_BACKOFF_MAX_SECONDS = 5.0
_TELLTALE_HEADERS = frozenset(("X-Stripe-Client-User-Agent", "X-Stripe-Client-Telemetry"))


class StripeTransport(stripe.HTTPClient):
    """How the library reaches Stripe."""

    name = "tokenboard"

    def __init__(self, wire: PaymentWire, backoff_seconds: float) -> None:
        super().__init__()
        self._wire = wire
        self._backoff_seconds = backoff_seconds

    def request(  # type: ignore[override]  # the base class offers more than the library uses
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: str | bytes | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        sent = {name: value for name, value in (headers or {}).items() if name not in _TELLTALE_HEADERS}
        sent["User-Agent"] = "TokenBoard"
        try:
            reply = self._wire.send(PROVIDER, method, url, sent, post_data)
        except PaymentError as error:
            # Only the library's own error makes it try again; what really happened travels as its cause.
            raise stripe.APIConnectionError(error.detail, should_retry=True) from error  # type: ignore[no-untyped-call]
        return reply.body, reply.status, reply.headers

    def _sleep_time_seconds(self, num_retries: int) -> float:
        seconds: float = min(self._backoff_seconds * 2 ** (num_retries - 1), _BACKOFF_MAX_SECONDS)
        return seconds * (0.5 + random.random() / 2)  # noqa: S311 - jitter, not secrecy

    def close(self) -> None:
        """The wire is shared; whoever made it closes it."""


def payment_error(error: stripe.StripeError, secret: str) -> PaymentError:
    """The named fact behind the library's error."""
    if isinstance(error.__cause__, PaymentError):
        return error.__cause__
    kind = _kind(error)
    told = error.error
    code = str(error.code or "")
    facts = {
        "status": error.http_status,
        "detail": cleaned(str(error.user_message or ""), secret),
        "request_id": str(error.request_id or ""),
    }
    if issubclass(kind, CardDeclined):
        intent = getattr(told, "payment_intent", None)
        decline = str(getattr(told, "decline_code", None) or code)
        return kind(PROVIDER, code=decline, payment_intent_id=str(getattr(intent, "id", "") or ""), **facts)
    return kind(PROVIDER, code=code, **facts)  # type: ignore[arg-type]


def _kind(error: stripe.StripeError) -> type[PaymentError]:
    if isinstance(error, stripe.CardError):
        return AuthenticationRequired if error.code == "authentication_required" else CardDeclined
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        return KeyRefused
    if isinstance(error, stripe.RateLimitError):
        return RateLimited
    if isinstance(error, stripe.IdempotencyError):
        return IdempotencyMismatch
    if isinstance(error, stripe.InvalidRequestError):
        is_missing = error.http_status == 404 or error.code == "resource_missing"
        return NotFound if is_missing else InvalidRequest
    if isinstance(error, stripe.APIConnectionError):
        return Unavailable
    is_down = error.http_status is not None and (error.http_status >= 500 or error.http_status == 409)
    return Unavailable if is_down else BadAnswer
