"""The books page in finished texts: lamps, the house's accounts, what is owed to customers."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.ledger import totals
from tokenboard.ledger.accounts import House
from tokenboard.ops import books_queries
from tokenboard.ops.books_queries import Verdict
from tokenboard.ops.models import BooksLamp
from tokenboard.wallet.credits_page import money
from tokenboard.web.filters import credit_amount, credits_exact, number

_WORDS = {
    House.SALES_STRIPE: ("Sold through Stripe", "credits given for payments"),
    House.SALES_PAYSTACK: ("Sold through Paystack", "credits given for payments"),
    House.PROMOTIONS: ("Given away", "sign-up, gifts, codes"),
    House.ADJUSTMENTS: ("Put right", "corrections by administrators"),
    House.USAGE: ("Used", "what wallets have spent"),
    House.EXPIRED: ("Expired", "ran out of time"),
    House.CLAWBACK: ("Taken back", "after refunds and disputes"),
    House.SHRINKAGE: ("Absorbed", "what the house bears"),
}
_CATEGORY_WORDS = {"promotional": "gifts", "included": "included in plans", "paid": "paid"}


@dataclass(frozen=True, slots=True)
class HouseLine:
    """One of the house's accounts."""

    name: str
    account: str
    note: str
    amount: str
    exact: str
    money: str


@dataclass(frozen=True, slots=True)
class Owed:
    """Credits outstanding: what customers may still use."""

    amount: str
    exact: str
    money: str
    wallets: str
    held: str
    owed_back: str
    by_category: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class BooksPage:
    """Everything on the page."""

    verdict: Verdict
    lamps: list[BooksLamp]
    houses: tuple[HouseLine, ...]
    outstanding: Owed


def build() -> BooksPage:
    """Four queries; the sums read every entry."""
    lamps = books_queries.lamps()
    sums = totals.house_totals()
    houses = tuple(_house(house, micros) for house, micros in sums.items())
    return BooksPage(books_queries.verdict(lamps), lamps, houses, _owed())


def _house(house: House, micros: int) -> HouseLine:
    name, note = _WORDS[house]
    exact = f"{credits_exact(micros)} credits"
    return HouseLine(name, house.value, note, credit_amount(micros), exact, money(micros))


def _owed() -> Owed:
    found = totals.credits_outstanding()
    parts = [(category, found.by_category.get(category, 0)) for category in _CATEGORY_WORDS]
    return Owed(
        amount=credit_amount(found.posted_micros),
        exact=f"{credits_exact(found.posted_micros)} credits",
        money=money(found.posted_micros),
        wallets=number(found.wallets),
        held=credit_amount(found.held_micros),
        owed_back=credit_amount(found.owed_micros) if found.owed_micros else "",
        by_category=tuple((_CATEGORY_WORDS[one], credit_amount(micros), money(micros)) for one, micros in parts),
    )
