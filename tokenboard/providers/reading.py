"""Small, strict readers of a provider's JSON. Each gives a clean value or raises Unreadable with words about the field.

Laws: what a database would choke on (NUL, lone surrogates, endless text, integers past BIGINT) stops here.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from tokenboard.core import clock
from tokenboard.core.money import BIGINT_MAX, AmountError, decimal_of

_TEXT_LENGTH_MAX = 255
# A name that turns the reading direction around could pass for another one; those of white space become one space.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CURRENCY_LENGTH = 3  # ISO 4217
_UNIX_MIN, _UNIX_MAX = 946_684_800, 4_102_444_800  # 2000-01-01 and 2100-01-01


class Unreadable(ValueError):
    """A field of a provider's answer is not what it must be."""


@lru_cache(maxsize=65_536)
def _clean(text: str) -> str:
    # Cached: a page repeats the same few hundred ids and names tens of thousands of times.
    kept = _UNWANTED.sub("", text).encode("utf-8", "ignore").decode("utf-8")
    return " ".join(kept.split())[:_TEXT_LENGTH_MAX]


def text_of(value: object, name: str) -> str | None:
    """One line without control characters, direction overrides and surrogates, at most 255 long; None for empty."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Unreadable(f"{name} is not text")
    return _clean(value) or None


def id_of(value: object, name: str) -> str:
    """An id that must be there."""
    found = text_of(value, name)
    if found is None:
        raise Unreadable(f"{name} is missing")
    return found


def count_of(value: object, name: str) -> int:
    """A count: a whole number of zero or more; null and absent are 0."""
    if type(value) is int and 0 <= value <= BIGINT_MAX:
        return value
    if value is None:
        return 0
    if isinstance(value, Decimal) and value.is_finite() and 0 <= value <= BIGINT_MAX and value == int(value):
        return int(value)
    raise Unreadable(f"{name} is not a count")


def quantity_of(value: object, name: str) -> Decimal | None:
    """A quantity as an exact decimal; null and empty are None."""
    if value is None or value == "":
        return None
    try:
        quantity = decimal_of(value)
    except AmountError as error:
        raise Unreadable(f"{name}: {error}") from error
    if abs(quantity) > BIGINT_MAX:
        raise Unreadable(f"{name} is too large")
    return quantity


def object_of(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is not an object")
    return value


def list_of(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise Unreadable(f"{name} is not a list")
    return value


def unix_of(value: object, name: str) -> int:
    """A unix time between 2000 and 2100; older answers write it with a fraction."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not _UNIX_MIN <= value <= _UNIX_MAX:
        raise Unreadable(f"{name} is not a time")
    return int(value)


def instant_of(value: object, name: str) -> datetime | None:
    """A unix time as an instant; null and 0 are None."""
    if value is None or value == 0:
        return None
    return datetime.fromtimestamp(unix_of(value, name), UTC)


def day_of_unix(value: object, name: str) -> date:
    return clock.day_of(unix_of(value, name))


def day_of_text(value: object, name: str) -> date:
    """The UTC day of an RFC 3339 instant."""
    if not isinstance(value, str) or len(value) > 40:
        raise Unreadable(f"{name} is not a time")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise Unreadable(f"{name} is not a time") from error
    if instant.tzinfo is None:
        raise Unreadable(f"{name} has no time zone")
    return instant.astimezone(UTC).date()


def currency_of(value: object) -> str:
    """An ISO code in lower case. Specs let it be absent; the providers bill in US dollars."""
    code = (text_of(value, "currency") or "usd").lower()
    if len(code) != _CURRENCY_LENGTH or not (code.isascii() and code.isalpha()):
        raise Unreadable("currency is not a three-letter code")
    return code
