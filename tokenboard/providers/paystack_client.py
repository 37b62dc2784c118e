"""Paystack, as billing needs it: initialize, verify, M-Pesa charges, refunds, lists, webhooks.

Laws: questions are asked again when the line breaks, acts never are (Paystack has no idempotency keys): our own
reference makes a payment unique, and a refund whose outcome is unknown is looked up before it is tried again. Amounts
are integers in subunits. Every method gives frozen dataclasses or raises a PaymentError.
Source: Paystack's OpenAPI file; reference "Paystack", November 2026.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from tokenboard.providers import paystack_answers as answers, paystack_events
from tokenboard.providers.http import clean_base_url
from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.payments import BadAnswer, PaymentError
from tokenboard.providers.paystack_objects import (
    PaystackCharge,
    PaystackDispute,
    PaystackEvent,
    PaystackRefund,
    PaystackStart,
    PaystackTransaction,
)
from tokenboard.providers.paystack_replies import PROVIDER, Answer, read_reply
from tokenboard.providers.reading import Unreadable, object_of

LIVE_BASE_URL = "https://api.paystack.co"
CHANNELS = ("card", "mobile_money")
_PER_PAGE = 100
_PAGES_MAX = 200

Row = TypeVar("Row")


class PaystackClient:
    """One Paystack account. Holds its key, which also signs the webhooks; never shows it."""

    def __init__(
        self,
        secret_key: str,
        base_url: str = LIVE_BASE_URL,
        wire: PaymentWire | None = None,
        *,
        former_keys: Sequence[str] = (),
        retries: int = 2,
        backoff_seconds: float = 0.5,
    ) -> None:
        if not secret_key.strip() or not secret_key.isascii():
            raise ValueError("Paystack needs a secret key")
        self._secret_key = secret_key
        self._former_keys = tuple(former_keys)
        self._base_url = clean_base_url(base_url)
        self._wire = wire or PaymentWire()
        self._retries = retries
        self._backoff_seconds = backoff_seconds

    def __repr__(self) -> str:
        return f"PaystackClient({self._base_url})"

    def hurried(self) -> PaystackClient:
        """The same account and connections for a person who waits: two tries of eight seconds."""
        return PaystackClient(
            self._secret_key,
            self._base_url,
            self._wire.with_limits(read_seconds=8, answer_seconds=9),
            former_keys=self._former_keys,
            retries=min(1, self._retries),
            backoff_seconds=min(0.3, self._backoff_seconds),
        )

    @property
    def is_live(self) -> bool:
        """Whether the key moves real money."""
        return self._secret_key.startswith("sk_live_")

    def verify_signature(self, raw_body: bytes, header: str | None) -> None:
        """Raises: SecretMissing (503), SignatureRefused (400)."""
        paystack_events.check_signature(raw_body, header, (self._secret_key, *self._former_keys))

    def verify_event(self, raw_body: bytes, header: str | None) -> PaystackEvent:
        """The event in a delivery: a hint to verify the reference. Look at `foreign` before acting on it.

        Raises: SecretMissing (503), SignatureRefused (400), EventUnreadable (400).
        """
        self.verify_signature(raw_body, header)
        return self.read_event(raw_body)

    def read_event(self, raw_body: bytes) -> PaystackEvent:
        """The event in a body that was verified when it was stored. Raises: EventUnreadable."""
        return paystack_events.read_event(raw_body, is_live=self.is_live)

    def initialize(
        self,
        *,
        email: str,
        amount: int,
        currency: str,
        reference: str,
        callback_url: str,
        channels: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> PaystackStart:
        """Begin a payment on Paystack's page. Raises: DuplicateReference (then verify), other PaymentErrors."""
        body: dict[str, object] = {
            "email": email,
            "amount": amount,
            "currency": currency.upper(),
            "reference": reference,
            "callback_url": callback_url,
            "metadata": dict(metadata or {}),
        }
        if channels:
            body["channels"] = list(channels)
        return self._one(answers.start, self._post("/transaction/initialize", body))

    def verify(self, reference: str) -> PaystackTransaction:
        """What became of a payment. Raises: NotFound for a reference nobody began, other PaymentErrors."""
        return self._one(answers.transaction, self._get(f"/transaction/verify/{quote(reference, safe='')}"))

    def charge_mpesa(
        self, *, email: str, amount: int, phone: str, reference: str, metadata: Mapping[str, str] | None = None
    ) -> PaystackCharge:
        """Let a phone ask for the PIN; it has 180 seconds. `phone`: +2547…, amount in KES subunits.

        Raises: DuplicateReference (then check the charge), InvalidRequest for a wrong number, other PaymentErrors.
        """
        body: dict[str, object] = {
            "email": email,
            "amount": amount,
            "currency": "KES",
            "reference": reference,
            "mobile_money": {"phone": phone, "provider": "mpesa"},
            "metadata": dict(metadata or {}),
        }
        return self._one(answers.charge, self._post("/charge", body))

    def check_charge(self, reference: str) -> PaystackCharge:
        """What the phone said; ask at most every ten seconds. Raises: PaymentError."""
        return self._one(answers.charge, self._get(f"/charge/{quote(reference, safe='')}"))

    def create_refund(
        self, reference: str, *, amount: int | None = None, currency: str | None = None, note: str = ""
    ) -> PaystackRefund:
        """Give back `amount`, or all that is left. It begins pending; only `processed` counts.

        Raises: PaymentError. Not idempotent: after `is_outcome_unknown` look at `refunds()` before trying again.
        """
        optional = {"amount": amount, "currency": currency and currency.upper(), "merchant_note": note or None}
        body = {"transaction": reference} | {name: value for name, value in optional.items() if value is not None}
        return self._one(answers.refund, self._post("/refund", body))

    def refund(self, refund_id: str) -> PaystackRefund:
        """Raises: PaymentError."""
        return self._one(answers.refund, self._get(f"/refund/{quote(refund_id, safe='')}"))

    def transactions(
        self, since: datetime, until: datetime, status: str | None = None
    ) -> Iterator[PaystackTransaction]:
        """All payments begun in this time, newest first. Raises: PaymentError."""
        params = {"status": status} if status else {}
        return self._pages(answers.transaction, "/transaction", "per_page", since, until, params)

    def refunds(self, since: datetime, until: datetime) -> Iterator[PaystackRefund]:
        """All refunds made in this time, newest first. Raises: PaymentError."""
        return self._pages(answers.refund, "/refund", "perPage", since, until, {})

    def disputes(self, since: datetime, until: datetime) -> Iterator[PaystackDispute]:
        """All disputes opened in this time, newest first. Raises: PaymentError."""
        return self._pages(answers.dispute, "/dispute", "perPage", since, until, {})

    def _pages(
        self,
        read: Callable[[Mapping[str, Any]], Row],
        path: str,
        size_name: str,
        since: datetime,
        until: datetime,
        params: Mapping[str, str],
    ) -> Iterator[Row]:
        asked = {"from": _iso(since), "to": _iso(until), size_name: str(_PER_PAGE), **params}
        for number in range(1, _PAGES_MAX + 1):
            rows = self._get(f"{path}?{urlencode({**asked, 'page': str(number)})}").rows
            if rows is None:
                raise BadAnswer(PROVIDER, status=200, detail="the answer is not a list")
            for row in rows:
                yield self._read(read, row)
            if len(rows) < _PER_PAGE:
                return
        raise BadAnswer(PROVIDER, status=200, detail="the list does not end")

    def _one(self, read: Callable[[Mapping[str, Any]], Row], answer: Answer) -> Row:
        return self._read(read, answer.about)

    def _read(self, read: Callable[[Mapping[str, Any]], Row], told: object) -> Row:
        try:
            return read(object_of(told, "data"))
        except Unreadable as error:
            raise BadAnswer(PROVIDER, status=200, detail=str(error)) from error

    def _get(self, path: str) -> Answer:
        """Ask, and ask again when that may help. Raises: PaymentError."""
        for attempt in range(1, self._retries + 1):
            try:
                return self._ask("GET", path, None)
            except PaymentError as error:
                if not error.is_transient:
                    raise
                # Looked up late, and not in the signature: by now gevent has put its own sleep in place.
                time.sleep(self._backoff_seconds * 2 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311
        return self._ask("GET", path, None)

    def _post(self, path: str, body: Mapping[str, object]) -> Answer:
        """Act, once. Raises: PaymentError."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> Answer:
        return read_reply(self._wire, method, self._base_url + path, self._secret_key, body)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
