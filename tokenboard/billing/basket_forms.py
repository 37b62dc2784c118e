"""What the forms of /credits send: a basket, an automatic top-up, a promo code. Amounts are checked, never believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenboard.core.parsing import parse_cents
from tokenboard.wallet.rules import read_typed_credits
from tokenboard.web.forms import fields, line

CUSTOM = "custom"  # an amount of one's own in the place of a pack
CURRENCIES = ("USD", "KES")
LONGEST_CODE = 60
LEAST_CAP_CENTS, MOST_CAP_CENTS = 100, 10_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody means to buy, as a form or an address says it. Nothing of it has been checked."""

    what: str = ""  # a price's id, or `custom`
    seen: str = ""  # the amount its tile showed, in minor units
    amount: str = ""  # as typed, in US dollars
    currency: str = ""
    method: str = ""
    phone: str = ""
    total: str = ""  # of a typed amount: what was shown last, in minor units
    key: str = ""


def read_wish(given: Mapping[str, str]) -> Wish:
    """The basket's fields, cut to what they could be."""
    what, _, seen = given.get("pack", "")[:300].partition(":")
    currency = given.get("currency", "").upper()
    return Wish(
        what=what,
        seen=seen[:20],
        amount=given.get("amount", "").strip()[:20],
        currency=currency if currency in CURRENCIES else "",
        method=given.get("method", "")[:20],
        phone=given.get("phone", "").strip()[:30],
        total=given.get("total", "")[:20],
        key=given.get("key", "")[:20],
    )


def typed_cents(text: str) -> int:
    """US cents of an amount people type, such as 12.50 or 1,000. Raises: ValueError."""
    return parse_cents(text.replace(",", ""))


@dataclass(frozen=True, slots=True)
class TopUpForm:
    """The automatic top-up as typed into the page, read."""

    is_enabled: bool
    threshold_micros: int
    price: str
    monthly_cap_cents: int


def read_top_up(given: Mapping[str, str]) -> TopUpForm:
    """Raises: ValidationFailed, naming each field."""
    read: dict[str, Any] = fields(
        given, topup_below=read_typed_credits, topup_pack=line(255, shortest=1), topup_cap=_cap_cents
    )
    return TopUpForm(given.get("topup_on") == "1", read["topup_below"], read["topup_pack"], read["topup_cap"])


def _cap_cents(text: str) -> int:
    cents = typed_cents(text)
    if not LEAST_CAP_CENTS <= cents <= MOST_CAP_CENTS:
        raise ValueError("From $1 to $100,000 a month.")
    return cents


def read_code(given: Mapping[str, str]) -> str:
    """A promo code as typed. Raises: ValidationFailed."""
    code: str = fields(given, code=line(LONGEST_CODE, shortest=1))["code"]
    return code
