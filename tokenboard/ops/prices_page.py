"""Every model's price in finished texts: what it costs, what customers pay, where the price comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from tokenboard.core.parsing import clean_text, or_none
from tokenboard.core.settings import settings
from tokenboard.metering import price_queries
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.price_rules import usd
from tokenboard.ops.payments_page import Choice
from tokenboard.web.filters import number

PATH = "/admin/prices"
SHOWS = {"": "All", "offered": "Offered", "off": "Not offered", "hand": "By hand", "trouble": "Worth a look"}
SOURCE_WORDS = {"litellm": "LiteLLM", "genai-prices": "price list", "admin": "by hand"}
LONGEST_TEXT, MOST_SHOWN = 120, 500


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One model."""

    href: str
    model: str
    provider: str
    input: str
    output: str
    cached: str
    markup: str
    source: str
    state: str
    tone: str
    icon: str
    problem: str
    version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PricesPage:
    """Everything on the page."""

    text: str
    show: str
    lines: tuple[PriceLine, ...]
    shows: tuple[Choice, ...]
    more: str
    house_markup: str
    is_filtered: bool


def build(given: Mapping[str, str]) -> PricesPage:
    """One read."""
    text = or_none(lambda typed: clean_text(typed, longest=LONGEST_TEXT), given.get("q", "")) or ""
    show = given.get("show", "")
    show = show if show in SHOWS else ""
    rows = price_queries.current()
    named = [row for row in rows if text.casefold() in row.model.casefold()]
    found = [row for row in named if _is_shown(row, show)]
    return PricesPage(
        text=text,
        show=show,
        lines=tuple(line(row) for row in found[:MOST_SHOWN]),
        shows=tuple(_choice(one, label, text, show, named) for one, label in SHOWS.items()),
        more=f"and {number(len(found) - MOST_SHOWN)} more: name one above" if len(found) > MOST_SHOWN else "",
        house_markup=markup_words(""),
        is_filtered=bool(text or show),
    )


def _is_shown(row: ModelPrice, show: str) -> bool:
    return {
        "": True,
        "offered": row.is_offered,
        "off": not row.is_offered,
        "hand": row.source == "admin",
        "trouble": bool(row.problem),
    }[show]


def _choice(one: str, label: str, text: str, show: str, named: list[ModelPrice]) -> Choice:
    query = urlencode({name: value for name, value in (("q", text), ("show", one)) if value})
    count = sum(_is_shown(row, one) for row in named)
    return Choice(f"{label} {number(count)}", f"{PATH}?{query}" if query else PATH, one == show)


def line(row: ModelPrice) -> PriceLine:
    """A version in words."""
    state, tone, icon = state_words(row)
    return PriceLine(
        href=f"{PATH}/{row.id}",
        model=row.model,
        provider=row.provider,
        input=usd(row.input_nano_per_mtok),
        output=usd(row.output_nano_per_mtok),
        cached="" if row.cached_input_nano_per_mtok is None else usd(row.cached_input_nano_per_mtok),
        markup=markup_words(row.markup),
        source=SOURCE_WORDS[row.source],
        state=state,
        tone=tone,
        icon=icon,
        problem=row.problem,
        version=number(row.version),
        at=row.valid_from,
    )


def state_words(row: ModelPrice) -> tuple[str, str, str]:
    """Whether it can be asked: word, tone, icon."""
    if row.is_free:
        return ("free", "accent", "sparkles") if row.is_offered else ("not offered", "", "x")
    return ("offered", "ok", "check") if row.is_offered else ("not offered", "", "x")


def markup_words(own: str) -> str:
    """A model's own markup, else the house's."""
    return f"× {own}" if own else f"× {settings().credit_markup.normalize():f}"
