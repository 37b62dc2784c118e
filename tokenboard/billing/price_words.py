"""Amounts, rates and periods as buyers read them. Pure."""

from __future__ import annotations

from decimal import Decimal

from tokenboard.billing.rules import currency_decimals
from tokenboard.web.filters import NBSP, credit_amount

INTERVAL_WORDS = {"month": "a month", "year": "a year"}
EACH_WORDS = {"month": "each month", "year": "each year"}


def price(minor: int, currency: str) -> str:
    """$9.99 · KES 1,290.00 · JPY 1,500."""
    symbol = "$" if currency.lower() == "usd" else currency.upper() + NBSP
    return f"{symbol}{Decimal(minor).scaleb(-currency_decimals(currency)):,f}"


def rate(shillings: str | Decimal, currency: str = "kes") -> str:
    """1 USD = 129 KES."""
    return f"1{NBSP}USD = {shillings}{NBSP}{currency.upper()}"


def credits_words(micros: int) -> str:
    """100 credits."""
    return f"{credit_amount(micros)}{NBSP}{'credit' if credit_amount(micros) == '1' else 'credits'}"
