"""The models somebody may choose from, with their prices in credits; which one is chosen; which are cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenboard.chat import queries
from tokenboard.core.errors import ValidationFailed
from tokenboard.metering import price_queries
from tokenboard.metering.facts import Price
from tokenboard.metering.rules import Tariff, charge_micros
from tokenboard.wallet.credits_page import credit_value_nano
from tokenboard.web.filters import credit_amount, tokens

MOST_OFFERED = 200
NOTHING_OFFERED = "No model is offered here yet: an administrator has to set a price first."


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One model. Prices are credits per million tokens, as this house charges them."""

    id: str
    input_price: str
    output_price: str
    context: str
    output_micros: int

    @property
    def price(self) -> str:
        """15 in / 60 out per 1 M."""
        return f"{self.input_price} in / {self.output_price} out per 1 M"

    @property
    def label(self) -> str:
        """As the drop-down shows it."""
        return " · ".join(part for part in (self.id, self.price, self.context) if part)


def choices() -> list[ModelChoice]:
    """What is offered for chatting, by name. A model without a price is not among them."""
    return [_choice(price) for price in price_queries.all_offered("chat")[:MOST_OFFERED]]


def _choice(price: Price) -> ModelChoice:
    tariff = Tariff(price, price_queries.markup_for(price), credit_value_nano())
    output_micros = charge_micros(tariff, price.output_nano_per_mtok)
    return ModelChoice(
        id=price.model,
        input_price=credit_amount(charge_micros(tariff, price.input_nano_per_mtok)),
        output_price=credit_amount(output_micros),
        context=f"reads {tokens(price.max_input_tokens)} tokens" if price.max_input_tokens else "",
        output_micros=output_micros,
    )


def chosen(offered: Sequence[ModelChoice], wanted: Sequence[str | None]) -> ModelChoice | None:
    """The first wish that is offered, else the cheapest model. None: nothing is offered."""
    by_id = {one.id: one for one in offered}
    return next((by_id[name] for name in wanted if name in by_id), None) or cheapest(offered)


def cheapest(offered: Sequence[ModelChoice]) -> ModelChoice | None:
    """By what an answer costs."""
    return min(offered, key=lambda one: (one.output_micros, one.id), default=None)


def required(person_id: str, *wanted: str | None) -> str:
    """The model of a call: the first that was named, offered or not, else the one chosen last, else the cheapest.

    Raises: ValidationFailed when nothing is offered.
    """
    named = next((one for one in wanted if one), None)
    if named:
        return named
    found = chosen(choices(), [queries.last_model(person_id)])
    if found is None:
        raise ValidationFailed({"model": [NOTHING_OFFERED]}, NOTHING_OFFERED)
    return found.id
