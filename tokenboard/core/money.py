"""Integers for money. `Decimal` at the edges, never a float.

Units: 1 USD = 1,000,000,000 nano-USD (provider cost); 1 credit = 1,000,000 micro-credits; payments in minor units.
Laws: every rounding is named at its place; non-finite amounts are refused; currencies are never mixed.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, Overflow, localcontext

NANO_PER_USD = 1_000_000_000
NANO_PER_CENT = NANO_PER_USD // 100
MICROS_PER_CREDIT = 1_000_000
BIGINT_MAX = 2**63 - 1  # what a BIGINT column holds on PostgreSQL and SQLite alike

# Live amounts carry up to 20 decimals (openai-cookbook, 2025); 60 digits leave room for the largest BIGINT beside them.
_CONTEXT = Context(prec=60, Emin=-999, Emax=999)
_LONGEST_AMOUNT_TEXT = 64
_LARGEST_EXPONENT = 30  # far past any BIGINT; keeps the arithmetic after it inside the context


class AmountError(ValueError):
    """Something that is no amount of money: not a number, not finite, or out of range."""


def decimal_of(value: object) -> Decimal:
    """Read an amount as a provider may send it: an int, a Decimal, or a decimal string.

    Raises: AmountError for bool, float, NaN, Infinity, overlong text and everything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise AmountError(f"an amount is a number or a decimal string, not {type(value).__name__}")
    if isinstance(value, str) and (len(value) > _LONGEST_AMOUNT_TEXT or not value.isascii() or "_" in value):
        raise AmountError("an amount is a plain decimal number")
    try:
        number = _CONTEXT.create_decimal(value)
    except (InvalidOperation, Overflow, ValueError) as error:
        raise AmountError("an amount is a plain decimal number") from error
    if not number.is_finite():
        raise AmountError("an amount is a finite number")
    if number.adjusted() > _LARGEST_EXPONENT:
        raise AmountError("an amount this large is refused")
    return number


def scaled(value: object, units: int, rounding: str) -> int:
    """`value` times `units`, rounded to an integer that fits a BIGINT. Raises: AmountError."""
    with localcontext(_CONTEXT):
        number = decimal_of(value) * units
        if abs(number) > BIGINT_MAX:
            raise AmountError("an amount this large is refused")
        return int(number.to_integral_value(rounding=rounding))


def nano_from_usd(value: object) -> int:
    """USD to nano-USD, rounded half-even once: how a provider's cost row is stored. Raises: AmountError."""
    return scaled(value, NANO_PER_USD, ROUND_HALF_EVEN)


def nano_from_cents(value: object) -> int:
    """US cents (possibly fractional, as Anthropic reports them) to nano-USD, half-even. Raises: AmountError."""
    return scaled(value, NANO_PER_CENT, ROUND_HALF_EVEN)


def micros_from_credits(value: object) -> int:
    """Credits to micro-credits. Raises: AmountError, also for more than six decimals: nothing is lost in silence."""
    with localcontext(_CONTEXT):
        number = decimal_of(value) * MICROS_PER_CREDIT
        if number != number.to_integral_value():
            raise AmountError("credits have at most six decimals")
    return scaled(value, MICROS_PER_CREDIT, ROUND_CEILING)


def usd_from_nano(nano: int) -> Decimal:
    """Nano-USD as exact USD."""
    return Decimal(nano).scaleb(-9)


def credits_from_micros(micros: int) -> Decimal:
    """Micro-credits as exact credits."""
    return Decimal(micros).scaleb(-6)


def json_number(amount: Decimal) -> int | float:
    """An exact decimal as a JSON number.

    A JSON number is text; Python's float writer gives the shortest text that reads back the same, which is exact for
    up to 15 significant digits. Past that the integer field beside it (`…Micros`) is the authority.
    """
    return int(amount) if amount == amount.to_integral_value() else float(amount)
