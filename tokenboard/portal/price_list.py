"""The public list of models: what a million tokens cost here, in credits and dollars, markup included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from tokenboard.metering import price_queries
from tokenboard.metering.facts import Price
from tokenboard.metering.rules import Tariff, charge_micros
from tokenboard.wallet.credits_page import Choice, credit_value_nano, exact, price
from tokenboard.web.filters import credit_amount, number, tokens

PATH = "/models"
MOST_SHOWN = 500
LONGEST_SEARCH = 80
FEW = 4  # on the front page
_MODES = {"chat": "Chat", "embedding": "Embeddings"}


@dataclass(frozen=True, slots=True)
class Cost:
    """A price for a million tokens."""

    credits: str
    usd: str
    exact: str


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model."""

    name: str
    provider: str
    kind: str
    input: Cost
    cached: Cost | None
    output: Cost | None
    context: str
    context_exact: str
    answer: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """Everything the page prints."""

    lines: tuple[ModelLine, ...]
    kinds: tuple[Choice, ...]
    search: str
    kind: str
    offered: int


def price_list(*, search: str, kind: str) -> PriceList:
    """What is offered now, by name; a search looks in names and providers."""
    offered = price_queries.all_offered()
    chosen = kind if kind in _MODES else ""
    wanted = search.strip().lower()[:LONGEST_SEARCH]
    found = [
        one for one in offered if (not chosen or one.mode == chosen) and wanted in f"{one.model} {one.provider}".lower()
    ]
    return PriceList(
        lines=tuple(map(_line, found[:MOST_SHOWN])),
        kinds=_kinds(offered, chosen, wanted),
        search=wanted,
        kind=chosen,
        offered=len(offered),
    )


def a_few() -> tuple[ModelLine, ...]:
    """Some chat models for the front page: the cheapest, the dearest, and what lies evenly between."""
    by_price = sorted(price_queries.all_offered("chat"), key=lambda one: (one.output_nano_per_mtok, one.model))
    last = len(by_price) - 1
    places = sorted({last * step // (FEW - 1) for step in range(FEW)}) if by_price else []
    return tuple(_line(by_price[place]) for place in places)


def _kinds(offered: Sequence[Price], chosen: str, wanted: str) -> tuple[Choice, ...]:
    """A filter, where there is more than one kind to choose from."""
    there = [mode for mode in _MODES if any(one.mode == mode for one in offered)]
    if len(there) < 2:
        return ()
    every = [("", "All"), *((mode, _MODES[mode]) for mode in there)]
    return tuple(Choice(label, _href(mode, wanted), mode == chosen) for mode, label in every)


def _href(kind: str, search: str) -> str:
    query = {name: value for name, value in (("kind", kind), ("q", search)) if value}
    return f"{PATH}?{urlencode(query)}" if query else PATH


def _line(one: Price) -> ModelLine:
    cached = one.cached_input_nano_per_mtok
    has_output = one.mode != "embedding"
    return ModelLine(
        name=one.model,
        provider=one.provider,
        kind=_MODES.get(one.mode, one.mode),
        input=_cost(one, one.input_nano_per_mtok),
        cached=None if cached is None else _cost(one, cached),
        output=_cost(one, one.output_nano_per_mtok) if has_output else None,
        context=tokens(one.max_input_tokens) if one.max_input_tokens else "",
        context_exact=f"{number(one.max_input_tokens)} tokens" if one.max_input_tokens else "",
        answer=tokens(one.max_output_tokens) if has_output and one.max_output_tokens else "",
    )


def _cost(one: Price, nano_per_mtok: int) -> Cost:
    tariff = Tariff(one, price_queries.markup_for(one), credit_value_nano())
    micros = charge_micros(tariff, nano_per_mtok)
    return Cost(credit_amount(micros), price(micros), exact(micros))
