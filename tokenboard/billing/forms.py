"""What programs send to billing's doors: shapes and limits. Amounts and credits are never taken from here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from tokenboard.billing.rules import minor_units
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.money import AmountError, decimal_of
from tokenboard.core.parsing import parse_amount, parse_id
from tokenboard.core.settings import settings
from tokenboard.wallet.forms import Credits, Key
from tokenboard.web.api import Body, Query
from tokenboard.web.forms import fields
from tokenboard.web.security import local_path

MOST, USUAL = 200, 50
_PHONE = re.compile(r"(?:\+?254|0)([17][0-9]{8})", re.ASCII)
_DOLLARS_SCHEMA = {"type": "number", "minimum": 1, "maximum": 1000, "description": "US dollars, two decimals"}


def _cents(value: object) -> int:
    """US cents of a JSON number of dollars."""
    if isinstance(value, str):
        raise ValueError("Write the amount as a number, such as 12.50.")
    try:
        cents = decimal_of(value) * 100
    except AmountError as error:
        raise ValueError("Write the amount as a number, such as 12.50.") from error
    if cents != cents.to_integral_value() or not 0 < cents <= 10**9:
        raise ValueError("An amount in dollars has at most two decimals.")
    return int(cents)


def phone_number(text: str) -> str:
    """A Kenyan mobile number as Paystack wants it: +2547…"""
    found = _PHONE.fullmatch("".join(one for one in text if one not in " -()"))
    if found is None:
        raise ValueError("Write a Kenyan mobile number, such as 0712 345 678.")
    return f"+254{found[1]}"


Dollars = Annotated[int, PlainValidator(_cents), WithJsonSchema(_DOLLARS_SCHEMA)]
Phone = Annotated[str, Field(max_length=30, examples=["0712 345 678"]), AfterValidator(phone_number)]
Named = Annotated[str, Field(min_length=1, max_length=255)]


class OwnQuery(Query):
    workspace_id: str | None = None


class CheckoutBody(Body):
    package_id: Named
    workspace_id: str | None = None
    idempotency_key: Key | None = None


class SessionBody(Body):
    price_id: Named
    success_url: str | None = Field(None, max_length=2_000)
    cancel_url: str | None = Field(None, max_length=2_000)
    quantity: int = Field(1, ge=1, le=100)
    workspace_id: str | None = None
    idempotency_key: Key | None = None


class BuyBody(Body):
    package_id: Named
    provider: Literal["stripe", "paystack"] = "stripe"
    workspace_id: str | None = None
    idempotency_key: Key | None = None


class StartBody(Body):
    package_id: Named | None = None
    amount_usd: Dollars | None = None
    currency: Literal["USD", "KES"] | None = None
    return_url: str | None = Field(None, max_length=2_000)
    workspace_id: str | None = None
    idempotency_key: Key | None = None


class MpesaBody(Body):
    package_id: Named | None = None
    amount_usd: Dollars | None = None
    phone: Phone
    workspace_id: str | None = None
    idempotency_key: Key | None = None


class PortalBody(Body):
    workspace_id: str | None = None


class RedeemBody(Body):
    code: str = Field(min_length=1, max_length=60)
    workspace_id: str | None = None


class TopUpBody(Body):
    enabled: bool
    threshold_credits: Credits
    package_id: Named
    monthly_cap_cents: int = Field(ge=100, le=10_000_000)
    workspace_id: str | None = None


class RefundBody(Body):
    amount_cents: int | None = Field(None, ge=1, le=10**12)
    idempotency_key: Key | None = None


class InboxQuery(Query):
    limit: int = Field(USUAL, ge=1, le=MOST)
    cursor: str | None = Field(None, max_length=200)
    state: Literal["new", "retry", "done", "ignored", "dead"] | None = None
    provider: Literal["stripe", "paystack"] | None = None
    type: str | None = Field(None, max_length=80)


class CallbackQuery(Query):
    reference: str = Field("", max_length=100)
    trxref: str = Field("", max_length=100)


def read_refund_amount(text: str, currency: str) -> int:
    """A typed amount in the currency's smallest unit. Raises: ValidationFailed."""
    try:
        minor = minor_units(parse_amount(text.replace(",", "").lstrip("$€£¥ ").strip()), currency)
    except ValueError as error:
        raise ValidationFailed({"amount": [str(error)]}) from error
    if minor <= 0:
        raise ValidationFailed({"amount": ["More than nothing must go back."]})
    return minor


@dataclass(frozen=True, slots=True)
class RefundForm:
    """What the button said, and the key that was made with the page."""

    amount_minor: int
    form_key: str


def read_refund(given: Mapping[str, str]) -> RefundForm:
    """Raises: ValidationFailed."""
    read = fields(given, amount_minor=_whole, form_key=parse_id)
    return RefundForm(read["amount_minor"], read["form_key"])


def _whole(text: str) -> int:
    """A number that a page of ours wrote into its form."""
    if not re.fullmatch("[0-9]{1,13}", text, re.ASCII) or int(text) == 0:
        raise ValueError("The page was too old. Look again.")
    return int(text)


def read_replays(given: Mapping[str, str]) -> int:
    """How many dead events the button said. Raises: ValidationFailed."""
    return int(fields(given, count=_whole)["count"])


def own_url(url: str | None, field: str) -> str:
    """An address on this site, or a path of it; empty for none. Raises: ValidationFailed."""
    if not url:
        return ""
    base, given = urlsplit(settings().base_url), urlsplit(url)
    if url.startswith("/") and local_path(url, "") == url:
        return f"{settings().base_url}{url}"
    if (given.scheme, given.netloc) != (base.scheme, base.netloc) or "\\" in url or not url.isprintable():
        raise ValidationFailed({field: ["The address must be on this site."]})
    return url


def own_path(url: str | None, field: str) -> str:
    """As `own_url`, without the site."""
    return own_url(url, field).removeprefix(settings().base_url)
