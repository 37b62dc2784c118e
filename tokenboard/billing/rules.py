"""Pure decisions about payments: what an order is worth, what a refund or dispute takes back, how states follow.

Units: `*_minor` is the currency's smallest unit (cents, yen), `*_micros` integer micro-credits. What is sold rounds
down to the micro-credit, what is taken back rounds up, and a full refund takes exactly what was granted.
Source: reference "Stripe", section 7, cases 6, 7, 16, 17, 18.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum

from tokenboard.core.money import MICROS_PER_CREDIT

CREDITS_KEY = "includedCredits"
MOST_CREDITS = 10**9
MOST_QUANTITY = 100
CUSTOM_LEAST_CENTS, CUSTOM_MOST_CENTS = 100, 100_000  # $1 to $1,000

_OPEN, _UNDONE = frozenset({"pending", "requires_action"}), frozenset({"failed", "canceled"})
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)
_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
_THREE_DECIMAL = frozenset("bhd iqd jod kwd lyd omr tnd".split())
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


class PaymentState(StrEnum):
    """Where a payment is. Money that has come always wins over what was said before."""

    STARTED = "started"  # ours; the buyer may be at the provider's page
    PENDING = "pending"  # the provider waits for the money: bank debit, M-Pesa prompt
    PAID = "paid"  # the money is there, the credits are not yet
    CREDITED = "credited"
    FAILED = "failed"
    EXPIRED = "expired"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"  # the bank holds the money; the credits are taken until it decides
    LOST = "lost"  # the bank has decided for the buyer


OPEN_STATES = (PaymentState.STARTED, PaymentState.PENDING, PaymentState.PAID)
CREDITED_STATES = (
    PaymentState.CREDITED,
    PaymentState.PARTLY_REFUNDED,
    PaymentState.REFUNDED,
    PaymentState.DISPUTED,
    PaymentState.LOST,
)


class PaymentKind(StrEnum):
    """What was ordered."""

    PACK = "pack"  # credits of the catalogue, once
    CUSTOM = "custom"  # an amount the buyer typed
    PLAN = "plan"  # the checkout that begins a subscription; its invoices bring the credits
    INVOICE = "invoice"  # one paid invoice of a subscription
    TOP_UP = "top_up"  # bought by itself, with a saved card


def included_credits(metadata: Mapping[str, str]) -> int:
    """The credits a product promises. Raises: ValueError with why it cannot be sold."""
    told = metadata.get(CREDITS_KEY)
    if told is None:
        raise ValueError(f"its metadata has no {CREDITS_KEY}")
    if not _DIGITS.fullmatch(told) or not 1 <= int(told) <= MOST_CREDITS:
        raise ValueError(f"its {CREDITS_KEY} is not a whole number from 1 to 1,000,000,000")
    return int(told)


def order_micros(credits_each: int, quantity: int, multiplier: Decimal) -> int:
    """What an order brings, frozen on it. Rounds down to the micro-credit."""
    exact = Decimal(credits_each * quantity * MICROS_PER_CREDIT) * multiplier
    return int(exact.to_integral_value(ROUND_FLOOR))


def paid_share_micros(micros: int, came_minor: int, asked_minor: int) -> int:
    """What of a promise was paid for; all of it when at least as much came as was asked for. Rounds down."""
    return micros if came_minor >= asked_minor else micros * came_minor // asked_minor


def custom_micros(amount_usd_cents: int, credit_value_usd: Decimal, multiplier: Decimal) -> int:
    """Credits for an amount in dollars: what it buys at one credit's value, times the multiplier. Rounds down."""
    exact = Decimal(amount_usd_cents) / 100 / credit_value_usd * MICROS_PER_CREDIT * multiplier
    return int(exact.to_integral_value(ROUND_FLOOR))


def kes_minor(usd_cents: int, usd_to_kes: Decimal) -> int:
    """Dollars in Kenyan cents, half up: the amount that is shown and charged."""
    return int((Decimal(usd_cents) * usd_to_kes).to_integral_value(ROUND_HALF_UP))


def currency_decimals(currency: str) -> int:
    """How many decimals an amount of this currency is written with."""
    code = currency.lower()
    return 0 if code in _ZERO_DECIMAL else 3 if code in _THREE_DECIMAL else 2


def money_text(amount_minor: int, currency: str) -> str:
    """An amount as people read it: `9.99 USD`, `1500 JPY`."""
    return f"{Decimal(amount_minor).scaleb(-currency_decimals(currency)):,f} {currency.upper()}"


def price_text(amount_minor: int, currency: str) -> str:
    """An amount on a page: `$4.20`, `¥1,500`, `KES 1,500.00`."""
    code = currency.upper()
    sign = _SIGNS.get(code, f"{code}\N{NO-BREAK SPACE}")
    minus = "\N{MINUS SIGN}" if amount_minor < 0 else ""
    return f"{minus}{sign}{Decimal(abs(amount_minor)).scaleb(-currency_decimals(currency)):,f}"


def minor_units(amount: Decimal, currency: str) -> int:
    """A typed amount in the currency's smallest unit. Raises: ValueError for more decimals than the currency has."""
    decimals = currency_decimals(currency)
    exact = amount.scaleb(decimals)
    if exact != exact.to_integral_value():
        many = f"at most {decimals}" if decimals else "no"
        raise ValueError(f"An amount in {currency.upper()} has {many} decimals.")
    return int(exact)


@dataclass(frozen=True, slots=True)
class RefundFact:
    """One refund as the provider last told it, and when it was begun there."""

    amount_minor: int
    state: str  # pending, requires_action, succeeded, failed, canceled
    begun_at: datetime
    told_at: datetime


def refunded_minor(refunds: Iterable[RefundFact], sum_minor: int, sum_told_at: datetime | None) -> int:
    """How much has really gone back, from single refunds and from the charge's own running sum, whichever came.

    The sum knows the refunds begun before it was told: also those still pending, and those that failed only later.
    """
    known = list(refunds)
    succeeded = sum(one.amount_minor for one in known if one.state == "succeeded")
    if sum_told_at is None:
        return succeeded
    really = sum_minor
    for one in known:
        is_in_sum = one.begun_at <= sum_told_at
        if one.state == "succeeded" and not is_in_sum:
            really += one.amount_minor
        elif is_in_sum and (one.state in _OPEN or (one.state in _UNDONE and one.told_at >= sum_told_at)):
            really -= one.amount_minor
    return max(succeeded, really, 0)


def clawback_target_micros(granted_micros: int, reversed_minor: int, charged_minor: int) -> int:
    """What of a grant must be back for so much money: its share, rounded up, at most all of it."""
    if reversed_minor <= 0 or charged_minor <= 0:
        return 0
    share = Decimal(granted_micros) * min(reversed_minor, charged_minor) / charged_minor
    credits_up = (share / MICROS_PER_CREDIT).to_integral_value(ROUND_CEILING) * MICROS_PER_CREDIT
    return min(granted_micros, int(credits_up))


REFUNDS_UNDER_WAY = ("requested", "pending", "requires_action")
TAKEN_DISPUTES = frozenset({"needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review"})


def takes_money(dispute_state: str) -> bool:
    """Whether the bank holds or keeps the money. Inquiries (`warning_…`), `won` and `prevented` do not."""
    return dispute_state in TAKEN_DISPUTES


FINAL_DISPUTES = frozenset({"won", "lost", "warning_closed", "prevented"})


def is_final_dispute(dispute_state: str) -> bool:
    return dispute_state in FINAL_DISPUTES


def state_after(*, charged_minor: int, gone_back_minor: int, disputed_minor: int, is_lost: bool) -> PaymentState:
    """A credited payment's state, from what has happened to its money since."""
    if is_lost:
        return PaymentState.LOST
    if disputed_minor:
        return PaymentState.DISPUTED
    if gone_back_minor <= 0:
        return PaymentState.CREDITED
    return PaymentState.REFUNDED if gone_back_minor >= charged_minor else PaymentState.PARTLY_REFUNDED


LIVE_SUBSCRIPTIONS = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused")
ENDED_SUBSCRIPTIONS = ("canceled", "incomplete_expired")


def waits_after(attempts: int, jitter_percent: int) -> timedelta | None:
    """How long an event waits after so many failed attempts; None: it is dead. About ten hours in all."""
    steps = (10, 60, 300, 1_800, 7_200, 21_600)
    if attempts > len(steps):
        return None
    return timedelta(seconds=steps[attempts - 1] * (100 + jitter_percent) / 100)


def check_again_after(checks: int) -> timedelta | None:
    """When an open order is asked about again: 2, 4, 8 … minutes, at most 6 hours apart; None after about 3 days."""
    if checks >= 20:
        return None
    return timedelta(minutes=min(2 ** (checks + 1), 360))
