"""What administrators send about a model's price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tokenboard.core.errors import ValidationFailed
from tokenboard.core.money import AmountError, nano_from_usd
from tokenboard.core.parsing import parse_amount
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.price_rules import PriceWanted
from tokenboard.web.forms import fields, one_of

STATES = ("offered", "free", "off")
FIELDS = ("input", "cached", "output", "markup", "state")


@dataclass(frozen=True, slots=True)
class PriceForm:
    """A proposed price: nano-USD for a million tokens."""

    input_nano: int | None
    cached_nano: int | None
    output_nano: int | None
    markup: Decimal | None
    state: str


def read_price(given: Mapping[str, str]) -> PriceForm:
    """Raises: ValidationFailed, naming each field."""
    read = fields(given, input=_usd, cached=_usd, output=_usd, markup=_markup, state=one_of(*STATES))
    form = PriceForm(read["input"], read["cached"], read["output"], read["markup"], read["state"])
    if form.state == "offered" and not form.input_nano:
        raise ValidationFailed({"input": ["What is offered costs something; else say that it is free on purpose."]})
    if form.cached_nano is not None and form.input_nano is not None and form.cached_nano > form.input_nano:
        raise ValidationFailed({"cached": ["Cached input costs at most what other input does."]})
    return form


def _usd(text: str) -> int | None:
    typed = text.strip().removeprefix("$").replace(",", "")
    if not typed:
        return None
    try:
        return nano_from_usd(parse_amount(typed))
    except AmountError as error:
        raise ValueError("Write an amount as 12 or 12.50.") from error


def _markup(text: str) -> Decimal | None:
    typed = text.strip().removeprefix("×").strip()
    if not typed:
        return None
    markup = parse_amount(typed)
    if not 0 < markup <= 1_000:
        raise ValueError("A markup is more than 0 and at most 1,000.")
    return markup


def wanted(form: PriceForm, current: ModelPrice) -> PriceWanted:
    """The form as a price of this model."""
    is_free = form.state == "free"
    return PriceWanted(
        model=current.model,
        source="admin",
        input_nano_per_mtok=0 if is_free else form.input_nano,
        output_nano_per_mtok=0 if is_free else form.output_nano or (0 if form.input_nano is not None else None),
        cached_input_nano_per_mtok=None if is_free else form.cached_nano,
        mode=current.mode,
        markup=form.markup,
        is_free=is_free,
        is_offered=form.state != "off",
    )


def typed_of(current: ModelPrice) -> dict[str, str]:
    """The form's fields as they stand."""
    return {
        "input": _typed(current.input_nano_per_mtok),
        "cached": _typed(current.cached_input_nano_per_mtok),
        "output": _typed(current.output_nano_per_mtok),
        "markup": current.markup,
        "state": "free" if current.is_free else "offered" if current.is_offered else "off",
    }


def _typed(nano: int | None) -> str:
    return "" if nano is None else f"{Decimal(nano).scaleb(-9).normalize():f}"
