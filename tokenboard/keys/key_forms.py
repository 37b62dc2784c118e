"""What the keys pages send: a name and limits as people type them.

Units: dollars of model usage and days in, micro-credits and instants out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from tokenboard.core.clock import midnight, now
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import clean_text, parse_cents, parse_day, parse_id
from tokenboard.keys import rules
from tokenboard.keys.address_rules import (
    LONGEST_ADDRESS,
    LONGEST_TAG,
    MOST_ADDRESSES,
    MOST_TAGS,
    read_network,
    read_tag,
)
from tokenboard.keys.forms import LARGEST_CENTS, LONGEST_MODEL, LONGEST_NAME, MOST_MODELS
from tokenboard.keys.rules import Limits, Window
from tokenboard.metering.worth import micros_of_cents
from tokenboard.web.forms import Reader, fields, line, one_of

WINDOWS = (("month", "a month"), ("day", "a day"), ("total", "in all"))
LIFETIMES = (("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("0", "Never"))
OVERLAPS = (
    ("0", "Not at all: it ends now"),
    ("60", "One hour"),
    ("1440", "One day"),
    ("10080", "One week"),
    ("until", "Until a time of my own"),
)
_FIELDS = ("name", "budget", "amount", "window", "lifetime", "expires_on", "which", "rpm", "tpm", "allowed_ips", "tags")
_LONGEST_TYPED = {"allowed_ips": MOST_ADDRESSES * (LONGEST_ADDRESS + 2), "tags": MOST_TAGS * (LONGEST_TAG + 2)}
_LONGEST_LINE = 120
LARGEST_RATE = 10**9

Typed = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it was asked for. `form_key` names this sheet of the form: sent twice, it makes one key."""

    name: str
    limits: Limits
    tags: tuple[str, ...]
    form_key: str


def read_new(given: Typed) -> NewKey:
    """Raises: ValidationFailed, naming each field."""
    read = _read(
        given,
        name=line(LONGEST_NAME, 1),
        form_key=parse_id,
        lifetime=one_of(*(days for days, _ in LIFETIMES)),
        expires_on=_expiry(),
        **_limit_readers(given),
    )
    days = int(read["lifetime"])
    end = read["expires_on"] or (now() + timedelta(days=days) if days else None)
    limits = Limits(
        max_budget_micros=read["amount"],
        window=Window(read["window"]),
        models=read["models"],
        rpm_limit=read["rpm"],
        tpm_limit=read["tpm"],
        expires_at=end,
        allowed_ips=read["allowed_ips"],
    )
    return NewKey(read["name"], limits, read["tags"], read["form_key"])


def read_changes(given: Typed, *, expires_at: datetime | None) -> dict[str, Any]:
    """The columns as the form wants them; an end left as shown stays to the second. Raises: ValidationFailed."""
    read = _read(given, name=line(LONGEST_NAME, 1), expires_on=_expiry(expires_at), **_limit_readers(given))
    return {
        "name": read["name"],
        "max_budget_micros": read["amount"],
        "budget_window": Window(read["window"]),
        "models": list(read["models"]),
        "rpm_limit": read["rpm"],
        "tpm_limit": read["tpm"],
        "expires_at": read["expires_on"],
        "allowed_ips": list(read["allowed_ips"]),
        "tags": list(read["tags"]),
    }


def typed(given: Typed) -> dict[str, str]:
    """What stood in each field, to be shown again."""
    return {name: given.get(name, "")[: _LONGEST_TYPED.get(name, _LONGEST_LINE)] for name in _FIELDS}


def _limit_readers(given: Typed) -> dict[str, Reader]:
    return {
        "budget": one_of("limited", "none"),
        "amount": _amount if given.get("budget") == "limited" else lambda _text: None,
        "window": one_of(*(window for window, _ in WINDOWS)),
        "which": one_of("all", "some"),
        "rpm": _rate,
        "tpm": _rate,
        "allowed_ips": _addresses,
        "tags": _tags,
    }


def _read(given: Typed, **readers: Reader) -> dict[str, Any]:
    faults: dict[str, list[str]] = {}
    read: dict[str, Any] = {}
    try:
        read = fields(given, **readers)
    except ValidationFailed as refusal:
        faults |= refusal.fields
    try:
        read["models"] = _models(given.getlist("model")) if given.get("which") == "some" else ()
    except ValueError as error:
        faults["models"] = [str(error)]
    if faults:
        raise ValidationFailed(faults)
    return read


def _amount(text: str) -> int:
    cents = parse_cents(text)
    if not 1 <= cents <= LARGEST_CENTS:
        raise ValueError("A budget lies between $0.01 and $10,000,000.")
    return micros_of_cents(cents)


def _rate(text: str) -> int | None:
    typed = text.strip().replace(",", "")
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit()) or not 1 <= int(typed[:12]) <= LARGEST_RATE:
        raise ValueError("A whole number from 1 on; leave it empty for no limit.")
    return int(typed)


def _addresses(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(read_network(one) for one in text.replace(",", " ").split()[: MOST_ADDRESSES + 1]))
    if len(found) > MOST_ADDRESSES:
        raise ValueError(f"At most {MOST_ADDRESSES} addresses; a network counts as one.")
    return found


def _tags(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(read_tag(one) for one in text.split(",")[: MOST_TAGS + 1] if one.strip()))
    if len(found) > MOST_TAGS:
        raise ValueError(f"At most {MOST_TAGS} tags.")
    return found


def _models(given: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(clean_text(one, longest=LONGEST_MODEL, shortest=1) for one in given))
    if not chosen:
        raise ValueError("Choose at least one model, or let the key use all of them.")
    if len(chosen) > MOST_MODELS:
        raise ValueError(f"At most {MOST_MODELS} models; let the key use all of them instead.")
    return chosen


def _expiry(before: datetime | None = None) -> Callable[[str], datetime | None]:
    def read(text: str) -> datetime | None:
        typed = text.strip()
        if not typed:
            return None
        if before is not None and typed == last_day(before):
            return before
        end = midnight(parse_day(typed)) + timedelta(days=1)
        if end <= now():
            raise ValueError("A key ends in the future. To end it now, revoke it.")
        return end

    return read


def last_day(expires_at: datetime) -> str:
    """The last UTC day on which a key works, as the form shows it."""
    return (expires_at - timedelta(microseconds=1)).date().isoformat()


def read_overlap(given: Typed) -> timedelta:
    """For how long the old secret works on. Raises: ValidationFailed."""
    read = fields(given, overlap=one_of(*(value for value, _ in OVERLAPS)))
    if read["overlap"] != "until":
        return timedelta(minutes=int(read["overlap"]))
    try:
        until = _instant(given.get("until_day", ""), given.get("until_time", ""))
    except ValueError as error:
        raise ValidationFailed({"until": [str(error)]}) from error
    overlap = until - now()
    if not timedelta(0) < overlap <= rules.LONGEST_OVERLAP:
        raise ValidationFailed({"until": [f"From now on, at most {rules.LONGEST_OVERLAP.days} days ahead."]})
    return overlap


def _instant(day: str, clock_time: str) -> datetime:
    try:
        hour = time.fromisoformat(clock_time.strip() or "00:00")
    except ValueError as error:
        raise ValueError("A time is written 17:30.") from error
    return datetime.combine(parse_day(day.strip()), hour.replace(tzinfo=None), tzinfo=UTC)
