"""How much an administrator may do alone. Source: reference/security.md, 8, item 17; OWASP ASVS 5.0 2.3.5."""

from __future__ import annotations

from tokenboard.core.money import MICROS_PER_CREDIT

# At a credit of one cent: $100 at once and $500 a day; more needs a second administrator.
ALONE_MICROS = 10_000 * MICROS_PER_CREDIT
DAILY_CAP_MICROS = 50_000 * MICROS_PER_CREDIT
# The admin key belongs to a program, such as a shop's till, and has no second one to ask: $100,000 a day.
KEY_DAILY_CAP_MICROS = 10_000_000 * MICROS_PER_CREDIT
KEY_ACTOR = "admin-key"
SHORTEST_REASON = 3
LONGEST_REASON = 200


def needs_second(amount_micros: int) -> bool:
    """Whether an adjustment waits for another administrator."""
    return abs(amount_micros) > ALONE_MICROS


def daily_cap_micros(actor: str) -> int:
    """The most this actor may give and take alone on one UTC day."""
    return KEY_DAILY_CAP_MICROS if actor == KEY_ACTOR else DAILY_CAP_MICROS
