"""What the proxy reports that nobody here pays for, and where its prices and ours differ, in finished texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tokenboard.core.clock import now
from tokenboard.keys import foreign_queries, spend_queries
from tokenboard.keys.foreign_queries import ForeignSpend, PriceDifference
from tokenboard.keys.spend_rules import is_different
from tokenboard.ops.threeway_page import FOREIGN_PATH, Cell
from tokenboard.web.filters import number, percent_signed, usd, usd_exact

DAYS = (7, 30, 90)
USUAL_DAYS = 30
KIND_WORDS = {
    "charge": ("Paid from credits", "keys and people of ours, straight at LiteLLM"),
    "reconcile": ("Made here", "calls that were held and settled here; LiteLLM's word stands beside ours"),
    "refused": ("Refused", "failed and cost nothing"),
    "foreign": ("Foreign", "a key and a person that nobody knows here: the house pays"),
    "odd": ("Odd", "numbers that cannot be: kept and not charged"),
}


@dataclass(frozen=True, slots=True)
class KindRow:
    """What became of reported requests."""

    name: str
    note: str
    requests: str
    cost: Cell


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """A key or customer that nobody knows here."""

    who: str
    customer: str
    model: str
    requests: str
    cost: Cell
    latest_at: datetime
    is_odd: bool


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One model at the proxy's price and at ours."""

    model: str
    requests: str
    told: Cell
    expected: Cell
    difference: str
    tone: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A span as a link."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ForeignPage:
    """Everything on the page."""

    spans: tuple[Choice, ...]
    kinds: tuple[KindRow, ...]
    foreign: tuple[ForeignRow, ...]
    prices: tuple[PriceRow, ...]
    is_empty: bool


def build(days: int) -> ForeignPage:
    """Three queries."""
    since = now() - timedelta(days=days)
    kinds = spend_queries.sums(since)
    return ForeignPage(
        spans=tuple(Choice(f"{one} days", f"{FOREIGN_PATH}?days={one}", one == days) for one in DAYS),
        kinds=tuple(KindRow(*KIND_WORDS[one.kind], number(one.requests), _cell(one.cost_nano)) for one in kinds),
        foreign=tuple(_foreign(one) for one in foreign_queries.foreign(since)),
        prices=tuple(_price(one) for one in foreign_queries.price_differences(since)),
        is_empty=not kinds,
    )


def days_of(text: str) -> int:
    """A span of the address; one that does not exist is the usual one."""
    return next((one for one in DAYS if str(one) == text), USUAL_DAYS)


def _cell(nano: int) -> Cell:
    return Cell(usd(nano), usd_exact(nano))


def _foreign(one: ForeignSpend) -> ForeignRow:
    who = f"{one.key_hash[:12]}…" if one.key_hash else "no key"
    is_odd = one.kind == "odd"
    return ForeignRow(who, one.end_user, one.model, number(one.requests), _cell(one.cost_nano), one.latest_at, is_odd)


def _price(one: PriceDifference) -> PriceRow:
    if one.expected_nano is None:
        return PriceRow(one.model, number(one.requests), _cell(one.cost_nano), Cell("no price", ""), "–", "warn")
    is_far = is_different(cost_nano=one.cost_nano, expected_nano=one.expected_nano)
    gap = one.cost_nano - one.expected_nano
    ratio = percent_signed(Fraction(gap, one.expected_nano), 1) if one.expected_nano else usd(gap)
    told, expected = _cell(one.cost_nano), _cell(one.expected_nano)
    return PriceRow(one.model, number(one.requests), told, expected, ratio, "bad" if is_far else "")
