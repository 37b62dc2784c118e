"""One call of Paystack's API: the envelope `{status, message, data}` read, refusals as our named facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from tokenboard.providers.errors import cleaned
from tokenboard.providers.payment_wire import PaymentWire, Reply
from tokenboard.providers.payments import (
    BadAnswer,
    DuplicateReference,
    InvalidRequest,
    KeyRefused,
    NotFound,
    PaymentError,
    RateLimited,
    Unavailable,
)

PROVIDER = "paystack"
_UNKNOWN_WORDS = ("transaction reference is invalid", "not found", "reference not found")


@dataclass(frozen=True, slots=True)
class Answer:
    """What stood in `data`: an object, or the rows of a list."""

    about: dict[str, Any] | None
    rows: list[Any] | None


def read_reply(wire: PaymentWire, method: str, url: str, secret_key: str, body: Mapping[str, object] | None) -> Answer:
    """The answer to one call. Raises: PaymentError."""
    headers = {"Authorization": f"Bearer {secret_key}", "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    reply = wire.send(PROVIDER, method, url, headers, None if body is None else json.dumps(body).encode())
    told = _envelope(reply)
    if reply.status >= 400 or (told is not None and told.get("status") is False):
        raise _refusal(reply, told or {}, secret_key)
    if told is None or told.get("status") is not True or reply.status not in (200, 201):
        raise BadAnswer(PROVIDER, status=reply.status, detail="the answer is not Paystack's")
    about = told.get("data")
    return Answer(about if isinstance(about, dict) else None, about if isinstance(about, list) else None)


def _envelope(reply: Reply) -> dict[str, Any] | None:
    try:
        told = json.loads(reply.body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation):
        return None
    return told if isinstance(told, dict) else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _refusal(reply: Reply, told: Mapping[str, Any], secret_key: str) -> PaymentError:
    words, code = str(told.get("message") or ""), str(told.get("code") or "")
    kind = _kind(reply.status, words.lower(), code)
    return kind(PROVIDER, status=reply.status, code=code[:64], detail=cleaned(words, secret_key))


def _kind(status: int, words: str, code: str) -> type[PaymentError]:
    if status in (401, 403):
        return KeyRefused
    if status == 429:
        return RateLimited
    if status >= 500:
        return Unavailable
    if code == "duplicate_reference" or "duplicate transaction reference" in words:
        return DuplicateReference
    if status == 404 or any(said in words for said in _UNKNOWN_WORDS):
        return NotFound
    return InvalidRequest
