"""How StripeClient speaks through the official library: one place for options, errors, paging and reading.

Laws: every list is read page by page up to a limit; every write carries our idempotency key; what comes back is read
or refused, never handed on half understood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import stripe

from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.payments import BadAnswer
from tokenboard.providers.reading import Unreadable
from tokenboard.providers.stripe_events import API_VERSION
from tokenboard.providers.stripe_transport import PROVIDER, StripeTransport, payment_error

Row = TypeVar("Row")
Params = dict[str, Any]

LIST_MAX = 20_000  # objects of one list; more is a fault of ours or of Stripe's
PAGE_LIMIT = 100
_LIVE_PREFIXES = ("sk_live_", "rk_live_")


class StripeCalls:
    """The official client, its key, and what every call has in common."""

    def __init__(
        self, secret_key: str, api_base: str, wire: PaymentWire | None, retries: int, backoff_seconds: float
    ) -> None:
        if not secret_key.strip() or not secret_key.isascii():
            raise ValueError("Stripe needs a secret key")
        # The library knows this switch for the whole process only; on, it writes a file into the home directory.
        stripe.enable_telemetry = False
        self._secret_key = secret_key
        self._api_base = api_base
        self._retries = retries
        self._backoff_seconds = backoff_seconds
        self._wire = wire or PaymentWire()
        self._v1 = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=retries,
            http_client=StripeTransport(self._wire, backoff_seconds),
        ).v1

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._api_base or 'https://api.stripe.com'})"

    @property
    def is_live(self) -> bool:
        """Whether the key moves real money."""
        return self._secret_key.startswith(_LIVE_PREFIXES)

    def _call(self, act: Callable[..., Any], *ids: str, params: Params, key: str | None = None) -> Any:
        """One call of the library. Raises: PaymentError."""
        options = {"idempotency_key": key} if key else {}
        try:
            return act(*ids, params=params, options=options)
        except stripe.StripeError as error:
            raise payment_error(error, self._secret_key) from error
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            # The library takes for granted that an answer is an object; one that is none ends here.
            raise BadAnswer(PROVIDER, detail="the answer is not an object") from error

    def _one(self, read: Callable[[Mapping[str, Any]], Row], answer: Any) -> Row:
        """The answer as what it must be. Raises: BadAnswer."""
        try:
            return read(plain(answer))
        except Unreadable as error:
            raise BadAnswer(PROVIDER, status=200, detail=str(error)) from error

    def _many(
        self, read: Callable[[Mapping[str, Any]], Row], act: Callable[..., Any], *ids: str, params: Params
    ) -> Iterator[Row]:
        """All objects of a list, page after page. Raises: PaymentError, after what whole pages gave."""
        cursor: dict[str, str] = {}
        seen = 0
        while True:
            answer = self._call(act, *ids, params={"limit": PAGE_LIMIT, **params, **cursor})
            page = plain(answer)
            rows = page.get("data")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise BadAnswer(PROVIDER, status=200, detail="the answer is not a list")
            for row in rows:
                yield self._one(read, row)
            seen += len(rows)
            if page.get("has_more") is not True:
                return
            last = str(rows[-1].get("id")) if rows else ""
            if not last or cursor.get("starting_after") == last or seen >= LIST_MAX:
                raise BadAnswer(PROVIDER, status=200, detail="the list does not end")
            cursor = {"starting_after": last}


def plain(answer: Any) -> dict[str, Any]:
    """The library's object as plain JSON. Raises: BadAnswer."""
    if isinstance(answer, dict):
        return answer
    if not isinstance(answer, stripe.StripeObject):
        raise BadAnswer(PROVIDER, status=200, detail="the answer is not an object")
    return answer.to_dict(for_json=True)
