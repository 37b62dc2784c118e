"""Reads Paystack's objects, from answers and from events alike: plain JSON in, frozen dataclasses out.

Traps, all in Paystack's own samples: refunds' amounts are text until they fail; `metadata` is an object, text, `""`,
0 or null; ids pass 32 bits; dates come under several names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tokenboard.core.money import BIGINT_MAX
from tokenboard.providers.paystack_objects import (
    PaystackCharge,
    PaystackDispute,
    PaystackRefund,
    PaystackStart,
    PaystackStatus,
    PaystackTransaction,
)
from tokenboard.providers.reading import Unreadable, currency_of, id_of, object_of, text_of
from tokenboard.providers.stripe_answers import needed_url

Json = Mapping[str, Any]

_METADATA_LENGTH_MAX = 10_000
_STATUSES = {
    "success": PaystackStatus.SUCCEEDED,
    "failed": PaystackStatus.FAILED,
    "abandoned": PaystackStatus.ABANDONED,
    "reversed": PaystackStatus.REVERSED,
}


def status_of(raw: str) -> PaystackStatus:
    """pending, ongoing, processing, queued, send_otp, pay_offline … are all on their way, and so is a new word."""
    return _STATUSES.get(raw.lower(), PaystackStatus.PENDING)


def subunits_of(value: object, name: str) -> int:
    """An amount, as a number or as digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    if type(value) is int and 0 <= value <= BIGINT_MAX:
        return value
    raise Unreadable(f"{name} is not an amount")


def number_of(value: object, name: str) -> int:
    if type(value) is not int or not 0 < value <= BIGINT_MAX:
        raise Unreadable(f"{name} is not a number")
    return value


def time_of(told: Json, *names: str) -> datetime | None:
    """The first of these dates that is there; None when none is."""
    for name in names:
        value = told.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str) or len(value) > 40:
            raise Unreadable(f"{name} is not a time")
        try:
            instant = datetime.fromisoformat(value)
        except ValueError as error:
            raise Unreadable(f"{name} is not a time") from error
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return None


def code_of(value: object) -> str:
    """A currency that must be there, in lower case."""
    return currency_of(id_of(value, "currency"))


def metadata_of(value: object) -> dict[str, Any]:
    """What came along, if it is an object or the JSON of one; never to be relied upon."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or not value.startswith("{") or len(value) > _METADATA_LENGTH_MAX:
        return {}
    try:
        read = json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def is_live(told: Json) -> bool:
    domain = told.get("domain")
    if domain not in ("test", "live"):
        raise Unreadable("domain is neither test nor live")
    return bool(domain == "live")


def start(told: Json) -> PaystackStart:
    return PaystackStart(
        reference=id_of(told.get("reference"), "reference"),
        authorization_url=needed_url(told.get("authorization_url"), "authorization_url"),
        access_code=id_of(told.get("access_code"), "access_code"),
    )


def transaction(told: Json) -> PaystackTransaction:
    raw_status = id_of(told.get("status"), "status")
    amount = subunits_of(told.get("amount"), "amount")
    asked = told.get("requested_amount")
    customer = object_of(told.get("customer") or {}, "customer")
    return PaystackTransaction(
        id=number_of(told.get("id"), "id"),
        reference=id_of(told.get("reference"), "reference"),
        status=status_of(raw_status),
        raw_status=raw_status,
        is_live=is_live(told),
        amount=amount,
        requested_amount=amount if asked is None else subunits_of(asked, "requested_amount"),
        currency=code_of(told.get("currency")),
        channel=text_of(told.get("channel"), "channel"),
        gateway_response=text_of(told.get("gateway_response"), "gateway_response"),
        paid_at=time_of(told, "paid_at", "paidAt"),
        created_at=time_of(told, "created_at", "createdAt"),
        fees=0 if told.get("fees") is None else subunits_of(told.get("fees"), "fees"),
        email=text_of(customer.get("email"), "email"),
        metadata=metadata_of(told.get("metadata")),
    )


def charge(told: Json) -> PaystackCharge:
    raw_status = id_of(told.get("status"), "status")
    return PaystackCharge(
        reference=id_of(told.get("reference"), "reference"),
        status=status_of(raw_status),
        raw_status=raw_status,
        display_text=text_of(told.get("display_text"), "display_text"),
        message=text_of(told.get("message"), "message") or text_of(told.get("gateway_response"), "gateway_response"),
    )


def refund(told: Json) -> PaystackRefund:
    about, own_id = told.get("transaction"), told.get("id")
    if isinstance(about, dict):
        reference, numbered = text_of(about.get("reference"), "reference"), about.get("id")
    else:
        reference, numbered = text_of(told.get("transaction_reference"), "transaction_reference"), about
    return PaystackRefund(
        id=None if own_id is None else str(own_id)[:255],
        reference=reference,
        transaction_id=None if numbered is None else number_of(numbered, "transaction"),
        status=id_of(told.get("status"), "status"),
        amount=subunits_of(told.get("amount"), "amount"),
        currency=code_of(told.get("currency")),
        refund_reference=text_of(told.get("refund_reference"), "refund_reference"),
        created_at=time_of(told, "createdAt", "created_at"),
    )


def dispute(told: Json) -> PaystackDispute:
    about = object_of(told.get("transaction"), "transaction")
    amount, currency = told.get("refund_amount"), told.get("currency")
    return PaystackDispute(
        id=number_of(told.get("id"), "id"),
        reference=id_of(about.get("reference"), "reference"),
        transaction_id=number_of(about.get("id"), "transaction"),
        transaction_status=status_of(id_of(about.get("status"), "transaction status")),
        status=id_of(told.get("status"), "status"),
        resolution=text_of(told.get("resolution"), "resolution"),
        amount=None if amount is None else subunits_of(amount, "refund_amount"),
        currency=None if currency is None else code_of(currency),
        due_at=time_of(told, "dueAt"),
    )
