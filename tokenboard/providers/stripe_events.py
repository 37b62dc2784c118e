"""Stripe's webhooks: is it Stripe's, is it now, is it ours.

Laws: signed over the raw bytes, never over JSON written again; no secret, no event; several secrets while one is being
exchanged; 300 seconds in both directions (Stripe's library lets the future pass); whatever is signed and odd is told,
not believed: `foreign` for another API version, mode or account.
Source: docs.stripe.com/webhooks; stripe-python 16.1.0 `_webhook.py`, whose traps the reference measured (2026-11).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from tokenboard.providers.payments import EventUnreadable, SecretMissing, SignatureRefused
from tokenboard.providers.reading import Unreadable, id_of, instant_of, object_of, text_of
from tokenboard.providers.stripe_answers import flag_of
from tokenboard.providers.stripe_objects import StripeEvent

API_VERSION = "2026-10-28.endive"
TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 1024 * 1024
_HEADER_LENGTH_MAX = 4_096
_TIME = re.compile(r"[0-9]{1,12}")
_MARK = re.compile(r"[0-9a-f]{64}")


def usable_secrets(secrets: Sequence[str]) -> tuple[str, ...]:
    """The secrets that are some: blanks verify forgeries."""
    return tuple(secret.strip() for secret in secrets if secret.strip())


def check_signature(raw_body: bytes, header: str | None, secrets: Sequence[str], now: datetime) -> None:
    """Raises: SecretMissing, SignatureRefused."""
    usable = usable_secrets(secrets)
    if not usable:
        raise SecretMissing("no webhook secret is configured")
    moment, marks = _parts(header)
    signed = f"{moment}.".encode() + raw_body
    # Every secret and every mark is compared, so that the time taken says nothing about which one fits.
    is_ours = False
    for secret in usable:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for mark in marks:
            is_ours |= hmac.compare_digest(expected, mark)
    if not is_ours:
        raise SignatureRefused("no signature matches the body")
    age_seconds = now.timestamp() - moment
    if abs(age_seconds) > TOLERANCE_SECONDS:
        words = "old" if age_seconds > 0 else "early"
        raise SignatureRefused(f"signed {abs(round(age_seconds))} s too {words}: is a clock wrong?")


def _parts(header: str | None) -> tuple[int, list[str]]:
    """The time and the marks of scheme v1. Raises: SignatureRefused."""
    if not header or len(header) > _HEADER_LENGTH_MAX:
        raise SignatureRefused("no signature, or one too long")
    pairs = [piece.strip().partition("=") for piece in header.split(",")]
    times = [value for name, _, value in pairs if name == "t" and _TIME.fullmatch(value)]
    marks = [value for name, _, value in pairs if name == "v1" and _MARK.fullmatch(value)]
    if len(times) != 1 or not marks:
        raise SignatureRefused("the signature has no time, or none of scheme v1")
    return int(times[0]), marks


def read_event(raw_body: bytes, *, is_live: bool) -> StripeEvent:
    """The event in a body whose signature was checked, now or when it was stored. Raises: EventUnreadable."""
    if len(raw_body) > BODY_BYTES_MAX:
        raise EventUnreadable("the body is too large")
    try:
        told = json.loads(raw_body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise EventUnreadable("the body is not JSON") from error
    return event_of(told, is_live=is_live)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def event_of(told: object, *, is_live: bool) -> StripeEvent:
    """An event from its JSON. `is_live`: whether our own key is a live one. Raises: EventUnreadable."""
    try:
        return _event(object_of(told, "the body"), is_live)
    except Unreadable as error:
        raise EventUnreadable(str(error)) from error


def _event(told: dict[str, Any], is_live: bool) -> StripeEvent:
    if told.get("object") != "event":
        raise Unreadable("the body is not an event of this API")
    around = object_of(told.get("data"), "data")
    about = object_of(around.get("object"), "data.object")
    created_at = instant_of(told.get("created"), "created")
    if created_at is None:
        raise Unreadable("created is missing")
    return StripeEvent(
        id=id_of(told.get("id"), "id"),
        type=id_of(told.get("type"), "type"),
        created_at=created_at,
        is_live=flag_of(told.get("livemode"), "livemode"),
        api_version=text_of(told.get("api_version"), "api_version"),
        object=about,
        object_id=text_of(about.get("id"), "data.object.id"),
        previous=object_of(around.get("previous_attributes") or {}, "previous_attributes"),
        foreign=_foreign(told, is_live),
        payload=told,
    )


def _foreign(told: Mapping[str, Any], is_live: bool) -> str | None:
    """Why this event is not for us, although it is signed for us."""
    if told.get("account"):
        return "it belongs to a connected account"
    if told.get("livemode") is not is_live:
        return "it is a live event at a test key" if told.get("livemode") else "it is a test event at a live key"
    if told.get("api_version") != API_VERSION:
        return f"its API version is not {API_VERSION}: create the webhook endpoint with that version"
    return None
