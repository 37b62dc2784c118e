"""*Add credits* in finished texts: packs, an amount of one's own, plans, ways to pay, and the total before one leaves.

Law: what is shown is priced by the function that makes the order, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tokenboard.billing import basket_service
from tokenboard.billing.basket_forms import CUSTOM, Wish
from tokenboard.billing.basket_service import MPESA, PAYSTACK, STRIPE
from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.models import Subscription
from tokenboard.billing.order_service import Basket
from tokenboard.billing.price_words import EACH_WORDS, INTERVAL_WORDS, credits_words, price, rate
from tokenboard.billing.rules import CUSTOM_LEAST_CENTS, CUSTOM_MOST_CENTS, kes_minor, order_micros
from tokenboard.core.config import Settings
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.wallet.credits_page import Choice
from tokenboard.web.filters import credit_amount

_METHOD_WORDS = {
    STRIPE: ("Card", "On Stripe's page. Tax, if any, is added there."),
    PAYSTACK: ("Card, through Paystack", "On Paystack's page."),
    MPESA: ("M-Pesa prompt", "Your phone asks for the PIN; you stay on this site."),
}
_PAYSTACK_IN_SHILLINGS = ("Card or M-Pesa", "On Paystack's page.")
_PLACES = {STRIPE: "Pay {total} with Stripe", PAYSTACK: "Pay {total} with Paystack", MPESA: "Ask my phone for {total}"}
_SETTINGS = {STRIPE: "STRIPE_SECRET_KEY", PAYSTACK: "PAYSTACK_SECRET_KEY"}
_AMOUNT_HINT = f"Another amount is in US dollars, from ${CUSTOM_LEAST_CENTS // 100:,} to ${CUSTOM_MOST_CENTS // 100:,}."
_WHAT_IS_OFF = {
    STRIPE: "Packs and plans by card through Stripe are off",
    PAYSTACK: "Card through Paystack and M-Pesa are off",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A pack. `bonus` stands only where the site multiplies purchases."""

    value: str
    title: str
    bonus: str
    price: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class PlanTile:
    """A plan with what each of its periods brings."""

    value: str
    name: str
    price: str
    every: str
    brings: str
    note: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay."""

    value: str
    label: str
    hint: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Total:
    """What will be asked for, and what it brings; without an amount `text` says what is missing."""

    text: str
    brings: str
    button: str
    minor: str


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything the block prints. `why_not`: who looks may not buy, and why."""

    is_open: bool
    why_not: str
    missing: tuple[str, ...]
    shows_plans: bool
    tabs: tuple[Choice, ...]
    currencies: tuple[Choice, ...]
    wish: Wish
    tiles: tuple[Tile, ...]
    amount_hint: str
    rate: str
    methods: tuple[Method, ...]
    plans: tuple[PlanTile, ...]
    has_plan: bool
    total: Total


@dataclass(frozen=True, slots=True)
class Counter:
    """What is known of a shop when somebody comes in."""

    offers: Sequence[Offer]
    modes: dict[str, str]
    here: Settings
    subscription: Subscription | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything can be bought: where a provider is on, at least an amount of one's own."""
        return self.is_on(STRIPE) or self.is_on(PAYSTACK)

    def packs(self, currency: str) -> list[Offer]:
        """What is sold once in a currency: prices in dollars everywhere, others among the dollars through Stripe."""
        also_foreign = currency == "USD" and self.is_on(STRIPE)
        return [one for one in self.offers if not one.price.interval and (one.price.currency == "usd" or also_foreign)]

    def is_on(self, provider: str) -> bool:
        return self.modes[provider] != "off"

    @property
    def currencies(self) -> tuple[str, ...]:
        return ("USD", "KES") if self.is_on(PAYSTACK) else ("USD",)

    @property
    def own_currency(self) -> str:
        """What a page begins with: dollars where Stripe is on, else what the Paystack account charges in."""
        return "USD" if self.is_on(STRIPE) or not self.is_on(PAYSTACK) else self.here.paystack_currency


def completed(wish: Wish, counter: Counter) -> Wish:
    """The basket with what was not said yet: the site's currency, its first method, the smallest pack."""
    currency = wish.currency if wish.currency in counter.currencies else counter.own_currency
    allowed = basket_service.methods(currency, counter.modes)
    method = wish.method if wish.method in allowed else next(iter(allowed), "")
    packs = counter.packs(currency)
    known = next((one for one in packs if wish.what in (one.price.id, one.price.provider_id)), None)
    chosen = known or (None if wish.what == CUSTOM else next(iter(packs), None))
    what = chosen.price.id if chosen else CUSTOM
    return replace(wish, what=what, currency=currency, method=method)


def shop(
    counter: Counter, wish: Wish, *, shows_plans: bool, why_not: str, is_operator: bool, links: dict[str, Choice]
) -> Shop:
    """The block for a completed basket."""
    plans = tuple(_plan(one, counter) for one in counter.offers if one.price.interval) if counter.is_on(STRIPE) else ()
    return Shop(
        is_open=counter.is_open,
        why_not=why_not,
        missing=_missing(counter) if is_operator else (),
        shows_plans=shows_plans and bool(plans),
        tabs=(links["packs"], links["plans"]) if plans else (),
        currencies=tuple(links[one] for one in counter.currencies) if len(counter.currencies) > 1 else (),
        wish=wish,
        tiles=tuple(_tile(one, wish, counter) for one in counter.packs(wish.currency)),
        amount_hint=_AMOUNT_HINT,
        rate=rate_words(counter.here) if wish.currency == "KES" else "",
        methods=_methods(wish, counter),
        plans=plans,
        has_plan=counter.subscription is not None,
        total=total(wish, counter),
    )


def rate_words(here: Settings) -> str:
    """How shillings are made from dollars."""
    return rate(f"{here.usd_to_kes_rate:f}")


def _missing(counter: Counter) -> tuple[str, ...]:
    """What the operator has to set; told to administrators only."""
    off = [f"{words}: set {_SETTINGS[name]}." for name, words in _WHAT_IS_OFF.items() if not counter.is_on(name)]
    if counter.is_on(STRIPE) and not counter.offers:
        off.append("Stripe's catalogue is empty here: run `flask billing sync-prices`.")
    return tuple(off)


def _tile(offer: Offer, wish: Wish, counter: Counter) -> Tile:
    minor, currency = amount_in(offer, wish.currency, counter.here)
    return Tile(
        value=f"{offer.price.id}:{minor}",
        title=credits_words(offer.credits * MICROS_PER_CREDIT),
        bonus=bonus(offer.credits, counter.here.credit_purchase_multiplier),
        price=price(minor, currency),
        name=offer.product.name,
        is_chosen=wish.what == offer.price.id,
    )


def amount_in(offer: Offer, currency: str, here: Settings) -> tuple[int, str]:
    """A price as it is asked for in a currency; prices that are not in dollars stay what they are."""
    if currency == "KES" and offer.price.currency == "usd":
        return kes_minor(offer.amount_minor, here.usd_to_kes_rate), "kes"
    return offer.amount_minor, offer.price.currency


def bonus(credits_each: int, multiplier: Decimal) -> str:
    """+ 100 bonus; empty where a pack brings what it says."""
    more = order_micros(credits_each, 1, multiplier) - credits_each * MICROS_PER_CREDIT
    return f"+ {credit_amount(more)} bonus" if more > 0 else ""


def _methods(wish: Wish, counter: Counter) -> tuple[Method, ...]:
    found = basket_service.methods(wish.currency, counter.modes)
    words = _METHOD_WORDS | ({PAYSTACK: _PAYSTACK_IN_SHILLINGS} if wish.currency == "KES" else {})
    return tuple(Method(one, *words[one], one == wish.method) for one in found)


def _plan(offer: Offer, counter: Counter) -> PlanTile:
    interval = offer.price.interval or ""
    own = counter.subscription
    return PlanTile(
        value=offer.price.id,
        name=offer.product.name,
        price=price(offer.amount_minor, offer.price.currency),
        every=INTERVAL_WORDS[interval],
        brings=f"{credits_words(offer.credits * MICROS_PER_CREDIT)} {EACH_WORDS[interval]}",
        note=offer.product.description,
        is_current=own is not None and own.price_provider_id == offer.price.provider_id,
    )


def total(wish: Wish, counter: Counter) -> Total:
    """The sum of a completed basket, by the function that makes the order."""
    known = next((one for one in counter.offers if one.price.id == wish.what), None)
    if wish.what == CUSTOM and not wish.amount:
        return Total("Write an amount.", "", "Go to the payment page", "")
    try:
        basket = basket_service.priced(wish, known)
    except ValidationFailed as refusal:
        return Total(next(iter(refusal.fields.values()))[0], "", "Go to the payment page", "")
    return _sum(basket, wish)


def _sum(basket: Basket, wish: Wish) -> Total:
    text = price(basket.amount_minor, basket.currency)
    button = _PLACES[wish.method].format(total=text)
    return Total(text, credits_words(basket.credits_micros), button, str(basket.amount_minor))
