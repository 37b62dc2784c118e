"""The public price list: the live catalogue in the chosen currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.price_words import EACH_WORDS, INTERVAL_WORDS, credits_words, price
from tokenboard.billing.shop_page import Counter, amount_in, bonus, rate_words
from tokenboard.core.config import Settings
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.wallet.credits_page import Choice

PATH = "/pricing"


@dataclass(frozen=True, slots=True)
class PriceTile:
    """A pack or a plan with its price."""

    title: str
    bonus: str
    price: str
    every: str
    note: str
    href: str


@dataclass(frozen=True, slots=True)
class Prices:
    """Everything the page prints."""

    packs: tuple[PriceTile, ...]
    plans: tuple[PriceTile, ...]
    takes_amounts: bool
    currencies: tuple[Choice, ...]
    rate: str
    is_signed_in: bool


def prices(
    offers: Sequence[Offer], modes: dict[str, str], here: Settings, *, currency: str, is_signed_in: bool
) -> Prices:
    """The list; a currency that is not sold in shows the site's own."""
    counter = Counter(offers, modes, here)
    chosen = currency if currency in counter.currencies else counter.own_currency
    plans = [one for one in offers if one.price.interval] if counter.is_on("stripe") else []
    choices = tuple(Choice(one, f"{PATH}?currency={one}", one == chosen) for one in counter.currencies)
    return Prices(
        packs=tuple(_pack(one, chosen, here, is_signed_in) for one in counter.packs(chosen)) if counter.is_open else (),
        plans=tuple(_plan(one, is_signed_in) for one in plans),
        takes_amounts=counter.is_open,
        currencies=choices if len(choices) > 1 else (),
        rate=rate_words(here) if chosen == "KES" else "",
        is_signed_in=is_signed_in,
    )


def _pack(offer: Offer, currency: str, here: Settings, is_signed_in: bool) -> PriceTile:
    return PriceTile(
        title=credits_words(offer.credits * MICROS_PER_CREDIT),
        bonus=bonus(offer.credits, here.credit_purchase_multiplier),
        price=price(*amount_in(offer, currency, here)),
        every="",
        note=offer.product.description,
        href=_href({"pack": offer.price.id, "currency": currency}, is_signed_in),
    )


def _plan(offer: Offer, is_signed_in: bool) -> PriceTile:
    interval = offer.price.interval or ""
    brings = f"{credits_words(offer.credits * MICROS_PER_CREDIT)} {EACH_WORDS[interval]}"
    return PriceTile(
        title=offer.product.name,
        bonus="",
        price=price(offer.amount_minor, offer.price.currency),
        every=INTERVAL_WORDS[interval],
        note=f"{brings}. {offer.product.description}".strip(),
        href=_href({"buy": "plans"}, is_signed_in),
    )


def _href(query: dict[str, str], is_signed_in: bool) -> str:
    """To the checkout's form; who has no account makes one on the way."""
    onward = f"/credits?{urlencode(query)}"
    return onward if is_signed_in else f"/register?{urlencode({'next': onward})}"
