"""Strict readers for what people and programs send: text, e-mail addresses, amounts, ids, months, days, JSON.

Laws: ASCII digits only, no NaN, no duplicate keys, bounded length and depth, no NUL and no lone surrogate: PostgreSQL
refuses both, SQLite does not, and the answer must not depend on the database. Every refusal is a `ValueError` whose
text is a sentence for a person.
Source: reference/security.md, 3.1 (measured on Python 3.11).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import UUID

from tokenboard.core.clock import Month

T = TypeVar("T")

LONGEST_EMAIL = 254  # RFC 5321
DEEPEST_JSON = 32  # levels; our own bodies need three

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_EMAIL = re.compile(r"(?!\.)[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}(?<!\.)@[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def clean_text(text: str, *, longest: int, shortest: int = 0, single_line: bool = True) -> str:
    """Text as we keep it: NFC, trimmed, no control characters, no direction overrides."""
    cleaned = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8")).strip()
    if _UNWANTED.search(text) or (single_line and ("\n" in cleaned or "\r" in cleaned)):
        raise ValueError("This text has characters that cannot be kept.")
    if len(cleaned) > longest:
        raise ValueError(f"At most {longest} characters.")
    if len(cleaned) < shortest:
        raise ValueError("Please fill this in." if not cleaned else f"At least {shortest} characters.")
    return cleaned


def parse_email(text: str) -> str:
    """An e-mail address in lower case: the identity key of a person. Full-width letters are read as plain ones; others
    beyond ASCII are refused and not folded, since straße and strasse are two people.
    """
    address = unicodedata.normalize("NFKC", text).strip().lower()
    if len(address) > LONGEST_EMAIL or not _EMAIL.fullmatch(address) or ".." in address:
        raise ValueError("This is not an e-mail address.")
    return address


def parse_amount(text: str) -> Decimal:
    """An amount people type: up to 12 digits before the point and 6 after it, no sign, no exponent."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError("Write an amount as 12 or 12.50.")
    return Decimal(text)


def parse_cents(text: str) -> int:
    """An amount of money people type, in cents. More than two decimals are refused, not rounded."""
    cents = parse_amount(text.strip().removeprefix("$")) * 100
    if cents != cents.to_integral_value():
        raise ValueError("At most two decimals.")
    return int(cents)


def parse_id(text: object) -> str:
    """An id as we write it. Any other text raises, so that it never reaches a query."""
    if not isinstance(text, str) or len(text) != 36:
        raise ValueError("This is not an id.")
    canonical = str(UUID(text))
    if canonical != text.lower():
        raise ValueError("This is not an id.")
    return canonical


def parse_month(text: str) -> Month:
    """A month as `YYYY-MM`."""
    return Month.parse(text)


def parse_day(text: str) -> date:
    """A day as `YYYY-MM-DD`, or the UTC day of an ISO instant that begins with one: some clients send instants."""
    head = text[:10]
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", head, re.ASCII) or (len(text) > 10 and text[10] != "T") or len(text) > 40:
        raise ValueError("A day is written YYYY-MM-DD.")
    day = date.fromisoformat(head)
    if not 2000 <= day.year <= 2199:
        raise ValueError("A day lies between 2000 and 2199.")
    return day


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number.")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("A JSON object names a key twice.")
    return read


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses; brackets inside strings only make this stricter."""
    depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            if depth > DEEPEST_JSON:
                raise ValueError(f"JSON nested deeper than {DEEPEST_JSON} levels is refused.")
        elif character in "]}":
            depth = max(0, depth - 1)


def parse_json(body: bytes) -> Any:
    """A JSON body from outside: UTF-8, no duplicate keys, no NaN, bounded depth, `Decimal` for fractions."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("The body is not UTF-8.") from error
    _check_depth(text)
    try:
        return json.loads(
            text,
            parse_float=_fraction,
            parse_constant=_no_constant,
            object_pairs_hook=_no_duplicates,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"The body is not JSON: {error.msg} at character {error.pos}.") from error


def _integer(digits: str) -> int:
    if len(digits) > 40:
        raise ValueError("A number this long is refused.")
    return int(digits)


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation as error:  # an exponent past any that decimal can keep
        raise ValueError("A number this large is refused.") from error


def or_none(reader: Callable[[str], T], text: str) -> T | None:
    """Read, or None where the text cannot be read: for optional filters in a page's address."""
    try:
        return reader(text)
    except ValueError:
        return None
