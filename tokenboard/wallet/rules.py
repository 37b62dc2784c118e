"""Pure decisions of the wallet: what an amount is, which e-mails are one person's, how long credits last.

Units: `*_micros` is integer micro-credits, `*_nano` integer nano-USD.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from tokenboard.core.money import MICROS_PER_CREDIT, AmountError, micros_from_credits
from tokenboard.core.parsing import parse_amount

LARGEST_AMOUNT_MICROS = 10**15  # a billion credits: the most the ledger takes in one entry
MOST_DIGITS = 24
LATEST_EXPIRY_YEAR = 2199
PACE_DAYS = 14  # long enough to hold two weekends
LONGEST_RUNWAY_DAYS = 365
SIGNUP_KEY = "signup"
EXAMPLE_PRICE_MICROS = MICROS_PER_CREDIT

# What each kind of transaction is called on pages; the keys are the ledger's kinds.
KIND_WORDS = {
    "grant": "Added",
    "spend": "Spent",
    "capture": "Settled",
    "late_spend": "Usage reported late",
    "release": "Hold released",
    "hold_expiry": "Hold ended",
    "expiry": "Expired",
    "reversal": "Reversed",
    "clawback": "Taken back",
    "restoration": "Given back",
    "cover": "Debt covered",
}
# Those a statement shows by themselves: the others change no balance.
FILTER_KINDS = ("grant", "spend", "capture", "expiry", "reversal", "clawback")

_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_DOTLESS_HOSTS = {"gmail.com", "googlemail.com"}
_NOT_A_NUMBER = "Write an amount in credits as a number, such as 12 or 0.25."


def read_credits(value: object) -> int:
    """Micro-credits of a JSON number of credits. Raises: ValueError for text, bools, too much, too little, too fine."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError(_NOT_A_NUMBER)
    if isinstance(value, Decimal) and len(value.as_tuple().digits) > MOST_DIGITS:
        raise ValueError("An amount has at most six decimals.")
    try:
        micros = micros_from_credits(value)
    except AmountError as error:
        raise ValueError(f"{str(error).capitalize()}.") from error
    return _in_range(micros)


def read_typed_credits(text: str) -> int:
    """Micro-credits of an amount people type, such as 1,000 or 12.50. Raises: ValueError."""
    return _in_range(micros_from_credits(parse_amount(text.strip().replace(",", ""))))


def read_signed_credits(text: str) -> int:
    """As `read_typed_credits`, with a minus in front for taking. Raises: ValueError."""
    typed = text.strip().replace("\N{MINUS SIGN}", "-")
    return -read_typed_credits(typed[1:]) if typed.startswith("-") else read_typed_credits(typed.removeprefix("+"))


def _in_range(micros: int) -> int:
    if not 0 < micros <= LARGEST_AMOUNT_MICROS:
        raise ValueError("An amount is more than nothing and at most a billion credits.")
    return micros


def read_key(value: object) -> str:
    """An idempotency key: the caller's name for an act. Raises: ValueError."""
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise ValueError("A key has 1 to 255 printable ASCII characters.")
    return value


def read_expiry(value: object, at: datetime) -> datetime:
    """An instant in the future; a bare day counts to its end. Raises: ValueError."""
    if not isinstance(value, str) or not value.isascii() or len(value) > 40:
        raise ValueError("An instant is written 2027-01-31T12:00:00Z, a day 2027-01-31.")
    try:
        instant = _end_of(date.fromisoformat(value)) if len(value) == 10 else datetime.fromisoformat(value)
    except (ValueError, OverflowError) as error:
        raise ValueError("An instant is written 2027-01-31T12:00:00Z, a day 2027-01-31.") from error
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if not aware > at or aware.year > LATEST_EXPIRY_YEAR:
        raise ValueError("Credits expire in the future, before the year 2200.")
    return aware.astimezone(UTC)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC) + timedelta(days=1)


def normalised_email(email: str) -> str:
    """One spelling for the addresses that reach one mailbox: no +tag, no dots and one host name at Gmail."""
    local, _, host = email.strip().casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if host in _DOTLESS_HOSTS:
        local, host = local.replace(".", ""), "gmail.com"
    return f"{local}@{host}"


def value_nano(micros: int, credit_value_nano: int) -> int:
    """What credits are worth, for showing beside them; rounded half-even to the nano-dollar."""
    exact = Decimal(micros) * credit_value_nano / MICROS_PER_CREDIT
    return int(exact.to_integral_value(ROUND_HALF_EVEN))


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a wallet is used: so much in so many days."""

    spent_micros: int
    days: int


def pace(spent: Mapping[date, int], today: date) -> Pace | None:
    """The use of the last 14 days, or of fewer where the first use is younger. None: nothing was used."""
    first = today - timedelta(days=PACE_DAYS - 1)
    counted = {day: micros for day, micros in spent.items() if first <= day <= today and micros > 0}
    if not counted:
        return None
    return Pace(sum(counted.values()), (today - min(counted)).days + 1)


def runway_days(available_micros: int, found: Pace | None) -> int | None:
    """How many whole days the available credits last at this pace; None while there is no pace."""
    if found is None or found.spent_micros <= 0:
        return None
    return max(0, available_micros) * found.days // found.spent_micros


def runway_words(days: int | None) -> str:
    """The runway as people say it."""
    if days is None:
        return "Nothing used in the last 14 days"
    if days > LONGEST_RUNWAY_DAYS:
        return "More than a year at your pace"
    if days < 1:
        return "Less than a day at your pace"
    return f"About {days} {'day' if days == 1 else 'days'} at your pace"


def has_crossed(*, posted_micros: int, threshold_micros: int) -> bool:
    """Whether a balance is low. What is held counts as there: a hold that comes back is no crossing."""
    return posted_micros < threshold_micros
