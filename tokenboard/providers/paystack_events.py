"""Paystack's webhooks: is it Paystack's, is it ours, and which resends are the same event.

Laws: HMAC-SHA512 of the raw body under the secret key (there is no other secret, and no time: a captured delivery
stays valid for ever, so that an event is a hint and `verify` the truth); no key, no event.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from tokenboard.providers.payments import EventUnreadable, SecretMissing, SignatureRefused
from tokenboard.providers.paystack_answers import is_live as told_live
from tokenboard.providers.paystack_objects import PaystackEvent
from tokenboard.providers.reading import Unreadable, id_of, object_of, text_of

BODY_BYTES_MAX = 1024 * 1024
_MARK = re.compile(r"[0-9a-f]{128}")


def check_signature(raw_body: bytes, header: str | None, keys: Sequence[str]) -> None:
    """Raises: SecretMissing, SignatureRefused."""
    usable = [key.strip() for key in keys if key.strip()]
    if not usable:
        raise SecretMissing("no secret key is configured")
    mark = (header or "").strip().lower()
    if not _MARK.fullmatch(mark):
        raise SignatureRefused("no signature, or none of the right form")
    is_ours = False
    for key in usable:
        expected = hmac.new(key.encode(), raw_body, hashlib.sha512).hexdigest()
        is_ours |= hmac.compare_digest(expected, mark)
    if not is_ours:
        raise SignatureRefused("the signature does not match the body")


def read_event(raw_body: bytes, *, is_live: bool) -> PaystackEvent:
    """The event in a body whose signature was checked. `is_live`: whether our own key is. Raises: EventUnreadable."""
    if len(raw_body) > BODY_BYTES_MAX:
        raise EventUnreadable("the body is too large")
    try:
        told = json.loads(raw_body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)
        return _event(object_of(told, "the body"), raw_body, is_live)
    except Unreadable as error:
        raise EventUnreadable(str(error)) from error
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise EventUnreadable("the body is not JSON") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _event(told: dict[str, Any], raw_body: bytes, is_live: bool) -> PaystackEvent:
    kind, about = id_of(told.get("event"), "event"), object_of(told.get("data"), "data")
    is_theirs = told_live(about)
    return PaystackEvent(
        key=_key(kind, about, raw_body),
        type=kind,
        reference=_reference(kind, about),
        object_id=_object_id(about),
        is_live=is_theirs,
        object=about,
        foreign=None if is_theirs is is_live else f"it is a {'live' if is_theirs else 'test'} event at another key",
    )


def _reference(kind: str, about: dict[str, Any]) -> str | None:
    """The transaction an event is about."""
    if kind.startswith("refund."):
        return text_of(about.get("transaction_reference"), "transaction_reference")
    if kind.startswith("charge.dispute."):
        return text_of(object_of(about.get("transaction"), "transaction").get("reference"), "reference")
    return text_of(about.get("reference"), "reference")


def _object_id(about: dict[str, Any]) -> str | None:
    value = about.get("id")
    return str(value)[:64] if isinstance(value, (int, str)) and not isinstance(value, bool) else None


def _key(kind: str, about: dict[str, Any], raw_body: bytes) -> str:
    """One event, one key. Where Paystack gives nothing to tell it by, its bytes do: a resend has the same ones."""
    if kind.startswith("refund."):
        named = _object_id(about) or text_of(about.get("refund_reference"), "refund_reference")
    else:
        named = _object_id(about)
    if named is None:
        named = f"sha256-{hashlib.sha256(raw_body).hexdigest()}"
    status = text_of(about.get("status"), "status") or ""
    return f"{kind}:{named}:{status}"[:255]
