"""How amounts, counts and times are written on pages. Display only: nothing here is read back.

Laws: money keeps two decimals from $1 on and four below; rounding is half-up, as people expect of a printed sum; a
non-zero amount is never shown as zero. Times are UTC. Names of days and months are English and do not depend on the
machine's locale. The minus is U+2212, as wide as the plus; a number and its unit are held by a no-break space.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from tokenboard.core import clock
from tokenboard.core.clock import Month
from tokenboard.core.money import credits_from_micros, usd_from_nano

if TYPE_CHECKING:
    from flask import Flask

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MAGNITUDES = ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "B"))
_CENT, _BASIS_POINT = Decimal("0.01"), Decimal("0.0001")


# Money


def usd(nano: int) -> str:
    """$1,284.10 from a dollar on, $0.0042 below, <$0.0001 for the rest."""
    return _sign(nano) + _dollars(nano)


def usd_signed(nano: int) -> str:
    """A change: +$212.00, −$3.10, ±$0.00."""
    return (_sign(nano) or ("+" if nano else "±")) + _dollars(nano)


def usd_exact(nano: int) -> str:
    """Every digit there is, at least cents: $0.000000125."""
    return _sign(nano) + "$" + _exact(usd_from_nano(abs(nano)))


def usd_whole(nano: int) -> str:
    """Whole dollars, for a headline estimate or a legend; as `usd` below a dollar."""
    rounded = usd_from_nano(abs(nano)).quantize(Decimal(1), ROUND_HALF_UP)
    return f"{_sign(nano)}${rounded:,}" if rounded else usd(nano)


def credit_amount(micros: int) -> str:
    """1,000 · 975.10 · 0.0042: whole credits without decimals, then two, below one credit four."""
    amount = credits_from_micros(abs(micros))
    if amount == amount.to_integral_value():
        return f"{_sign(micros)}{int(amount):,}"
    return _sign(micros) + ("<0.0001" if amount < _BASIS_POINT / 2 else _two_or_four(amount))


def credits_exact(micros: int) -> str:
    """Every digit there is of a credit amount."""
    text = f"{credits_from_micros(abs(micros)):,f}"
    return _sign(micros) + (text.rstrip("0").rstrip(".") if "." in text else text)


def money(minor: int, currency: str) -> str:
    """A payment in its own currency, from minor units: $12.50, KES 1,500.00."""
    symbol = "$" if currency.upper() == "USD" else currency.upper() + NBSP
    return f"{_sign(minor)}{symbol}{Decimal(abs(minor)).scaleb(-2):,.2f}"


def _sign(amount: int) -> str:
    return MINUS if amount < 0 else ""


def _dollars(nano: int) -> str:
    amount = usd_from_nano(abs(nano))
    if 0 < amount < _BASIS_POINT / 2:
        return "<$0.0001"
    return "$" + _two_or_four(amount)


def _two_or_four(amount: Decimal) -> str:
    fine = amount.quantize(_BASIS_POINT, ROUND_HALF_UP)
    if fine == 0 or fine >= 1:
        return f"{amount.quantize(_CENT, ROUND_HALF_UP):,}"
    return f"{fine}"


def _exact(amount: Decimal) -> str:
    whole, _, decimals = f"{amount:,.9f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


# Counts and shares


def number(count: int) -> str:
    """182,904."""
    return f"{count:,}".replace("-", MINUS)


def tokens(count: int) -> str:
    """1,204 · 12.4 k · 1.2 M · 3.0 B; the exact count belongs in the title beside it."""
    if abs(count) < 10_000:
        return number(count)
    tenths = [
        ((Decimal(abs(count)) / size).quantize(Decimal("0.1"), ROUND_HALF_UP), unit) for size, unit in _MAGNITUDES
    ]
    # Chosen after rounding, so that 999,950 is 1.0 M and not 1,000.0 k.
    amount, unit = next((one for one in tenths if one[0] < 1000), tenths[-1])
    return f"{_sign(count)}{amount:,}{NBSP}{unit}"


def percent(ratio: Decimal | Fraction | int, digits: int = 0) -> str:
    """38 % of a ratio of 0.38; a share that is there but rounds to nothing is <1 %."""
    share = _hundredfold(ratio)
    rounded = share.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if share and not rounded:
        return f"<{Decimal(1).scaleb(-digits):f}{NBSP}%"
    return f"{MINUS if share < 0 else ''}{abs(rounded):,}{NBSP}%"


def percent_signed(ratio: Decimal | Fraction | int, digits: int = 0) -> str:
    """A change: +18 %, −4 %, ±0 %."""
    rounded = _hundredfold(ratio).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else "±"
    return f"{sign}{abs(rounded):,}{NBSP}%"


def _hundredfold(ratio: Decimal | Fraction | int) -> Decimal:
    exact = Fraction(ratio) * 100
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def plural(count: int, one: str, many: str | None = None) -> str:
    """1 key, 3 keys."""
    return f"{number(count)}{NBSP}{one if count == 1 else many or one + 's'}"


# Days and instants


def day(value: date) -> str:
    """17 Nov."""
    return f"{value.day}{NBSP}{MONTHS[value.month - 1]}"


def day_long(value: date) -> str:
    """Tue 17 Nov 2026."""
    return f"{WEEKDAYS[value.weekday()]} {value.day} {MONTHS[value.month - 1]} {value.year}"


def day_range(first: date, last: date) -> str:
    """1–31 Oct 2026 · 28 Oct – 3 Nov 2026 · 30 Dec 2026 – 2 Jan 2027."""
    if first == last:
        return f"{day(first)} {first.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last)} {last.year}"
    start = day(first) if first.year == last.year else f"{day(first)} {first.year}"
    return f"{start} – {day(last)} {last.year}"


def month_name(value: Month | date) -> str:
    """November 2026."""
    month = value if isinstance(value, Month) else Month.of(value)
    return f"{MONTH_NAMES[month.number - 1]} {month.year}"


def instant(value: datetime) -> str:
    """20 Nov 2026, 14:05 UTC."""
    moment = _in_utc(value)
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"


def iso(value: datetime | date) -> str:
    """What the `datetime` attribute of a time element wants."""
    return clock.iso(value) if isinstance(value, datetime) else value.isoformat()


def ago(value: datetime, now: datetime | None = None) -> str:
    """just now, 12 min ago, 3 h ago, 2 days ago, in 5 min; the date itself past a fortnight."""
    seconds = int(((now or clock.now()) - _in_utc(value)).total_seconds())
    if abs(seconds) < 45:
        return "just now"
    span = _span(abs(seconds))
    if span is None:
        return f"{day(_in_utc(value).date())} {_in_utc(value).year}"
    return f"{span} ago" if seconds > 0 else f"in {span}"


def _span(seconds: int) -> str | None:
    """A length of time in its largest fitting unit; None past 14 days, where a date says more."""
    if seconds < 3600:
        return f"{max(1, round(Fraction(seconds, 60)))}{NBSP}min"
    if seconds < 86_400:
        return f"{seconds // 3600}{NBSP}h"
    days = seconds // 86_400
    return plural(days, "day") if days <= 14 else None


def _in_utc(value: datetime) -> datetime:
    """A naive instant is taken as UTC: SQLite keeps no zone."""
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def milliseconds(value: int) -> str:
    """840 ms, 2.1 s, 3 min 20 s."""
    if value < 1000:
        return f"{value}{NBSP}ms"
    if value < 60_000:
        return f"{Decimal(value).scaleb(-3).quantize(Decimal('0.1'), ROUND_HALF_UP)}{NBSP}s"
    minutes, seconds = divmod(value // 1000, 60)
    return f"{minutes}{NBSP}min {seconds}{NBSP}s"


FILTERS: dict[str, Callable[..., str]] = {
    rule.__name__: rule
    for rule in (
        *(usd, usd_signed, usd_exact, usd_whole, credits_exact, money),
        *(number, tokens, percent, percent_signed, plural),
        *(day, day_long, day_range, month_name, instant, iso, ago, milliseconds),
    )
} | {"credits": credit_amount}


def register(app: Flask) -> None:
    """Give the templates every filter of this module."""
    app.jinja_env.filters.update(FILTERS)
