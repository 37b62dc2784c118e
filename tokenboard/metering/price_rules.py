"""Pure decisions about prices: which source is believed, what is offered, where sources disagree.

Order: an administrator's row, then the upstream (LiteLLM's /model/info), then the price list that travels with us.
Laws: no price, or one of 0 or less, is not offered; free is only what an administrator says is free; nothing is
guessed. Units: nano-USD per million tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from tokenboard.core.money import usd_from_nano

LONGEST_MODEL = 120
LONGEST_PROBLEM = 200
UNKNOWN = "No source knows a price."
NOT_POSITIVE = "The upstream says a price of 0: set a price, or say that it is free on purpose."
GONE = "The upstream does not list it any more."
_MODES = {"": "chat", "chat": "chat", "responses": "chat", "completion": "chat", "embedding": "embedding"}


class ModelTold(Protocol):
    """A model as a source tells it (`providers.chat_shapes.ModelInfo` is one)."""

    @property
    def id(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def input_nano_per_mtok(self) -> int | None: ...
    @property
    def cached_input_nano_per_mtok(self) -> int | None: ...
    @property
    def output_nano_per_mtok(self) -> int | None: ...
    @property
    def max_input_tokens(self) -> int | None: ...
    @property
    def max_output_tokens(self) -> int | None: ...
    @property
    def provider(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PriceWanted:
    """A price as it is to stand from now on."""

    model: str
    source: str
    input_nano_per_mtok: int | None
    output_nano_per_mtok: int | None
    cached_input_nano_per_mtok: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    provider: str = ""
    mode: str = "chat"
    markup: Decimal | None = None
    is_free: bool = False
    is_offered: bool = True
    problem: str = ""


def is_metered(told: ModelTold) -> bool:
    """Whether it is a kind of model we can count, with a name we can keep."""
    return told.mode in _MODES and 0 < len(told.id) <= LONGEST_MODEL and told.id.isprintable()


def choose(told: ModelTold, listed: ModelTold | None) -> PriceWanted:
    """The price of a model that the upstream lists: its own, else the list's, else none."""
    mode = _MODES[told.mode]
    if has_price(told, mode):
        return replace(_wanted(told, told, "litellm", mode), problem=difference(told, listed, "genai-prices"))
    if told.input_nano_per_mtok is not None or told.output_nano_per_mtok is not None:
        return _not_offered(told, mode, NOT_POSITIVE)
    if listed is not None and has_price(listed, mode):
        return _wanted(told, listed, "genai-prices", mode)
    return _not_offered(told, mode, UNKNOWN)


def has_price(told: ModelTold, mode: str) -> bool:
    """Input and output cost something; embeddings have no output."""
    output = told.output_nano_per_mtok or 0
    return (told.input_nano_per_mtok or 0) > 0 and (output > 0 or (mode == "embedding" and output == 0))


def _wanted(told: ModelTold, priced: ModelTold, source: str, mode: str) -> PriceWanted:
    cached = priced.cached_input_nano_per_mtok
    return PriceWanted(
        model=told.id,
        source=source,
        input_nano_per_mtok=priced.input_nano_per_mtok,
        output_nano_per_mtok=priced.output_nano_per_mtok or 0,
        # Dearer than plain input or below nothing is a mistake; without a cached price all input costs the same.
        cached_input_nano_per_mtok=cached if cached is not None and _is_discount(cached, priced) else None,
        max_input_tokens=_smaller(told.max_input_tokens, priced.max_input_tokens),
        max_output_tokens=_smaller(told.max_output_tokens, priced.max_output_tokens),
        provider=(told.provider or priced.provider)[:60],
        mode=mode,
    )


def _is_discount(cached: int, priced: ModelTold) -> bool:
    return 0 <= cached <= (priced.input_nano_per_mtok or 0)


def _smaller(one: int | None, other: int | None) -> int | None:
    known = [count for count in (one, other) if count and count > 0]
    return min(known) if known else None


def _not_offered(told: ModelTold, mode: str, problem: str) -> PriceWanted:
    return PriceWanted(
        model=told.id,
        source="litellm",
        input_nano_per_mtok=None,
        output_nano_per_mtok=None,
        provider=told.provider[:60],
        mode=mode,
        is_offered=False,
        problem=problem,
    )


def difference(mine: ModelTold | PriceWanted, other: ModelTold | None, name: str) -> str:
    """What another source says of the price, where it says otherwise; else nothing."""
    if other is None or other.input_nano_per_mtok is None or other.output_nano_per_mtok is None:
        return ""
    if (mine.input_nano_per_mtok, mine.output_nano_per_mtok or 0) == (
        other.input_nano_per_mtok,
        other.output_nano_per_mtok,
    ):
        return ""
    return f"{name} says {usd(other.input_nano_per_mtok)} in, {usd(other.output_nano_per_mtok)} out."


def usd(nano_per_mtok: int | None) -> str:
    """A price for people: US dollars for a million tokens."""
    if nano_per_mtok is None:
        return "–"
    exact = usd_from_nano(nano_per_mtok).normalize()
    return f"${exact:,f}" if exact.as_tuple().exponent < -2 else f"${exact:,.2f}"  # type: ignore[operator]
