"""Writing prices: an administrator's rows, and what the sources tell. A price is a version, never updated in place.

Laws: an administrator's row wins until it is given up; what has no price is kept and not offered; the same price told
again writes nothing. Calls keep the version they began with.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select, update

from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import ValidationFailed
from tokenboard.metering.models import ModelPrice


@dataclass(frozen=True, slots=True)
class PriceWanted:
    """A price as it is to stand from now on. Units: nano-USD per million tokens."""

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


def set_price(*, wanted: PriceWanted, actor: str) -> ModelPrice:
    """An administrator's row: wins over every source. Raises: ValidationFailed.

    Idempotent: the same price again changes nothing.
    """
    checked = _checked(wanted)
    row = write(wanted=checked, actor=actor)
    facts = {"model": row.model, "version": row.version, "is_offered": row.is_offered}
    audit.record("metering.price_set", actor=actor, subject=row.id, facts=facts)
    return row


def _checked(wanted: PriceWanted) -> PriceWanted:
    prices = (wanted.input_nano_per_mtok, wanted.output_nano_per_mtok, wanted.cached_input_nano_per_mtok)
    if wanted.source != "admin" or not wanted.model or len(wanted.model) > 120:
        raise ValidationFailed({"model": ["A model's name has 1 to 120 characters."]})
    if any(price is not None and not 0 <= price <= _MOST_NANO_PER_MTOK for price in prices):
        raise ValidationFailed({"price": ["A price lies between 0 and 1,000,000 USD for a million tokens."]})
    if wanted.is_free and any(prices):
        raise ValidationFailed({"price": ["A model that is free on purpose has a price of 0."]})
    if wanted.is_offered and not wanted.is_free and not _costs_something(wanted):
        raise ValidationFailed({"price": ["Without a price a model is not offered; say that it is free on purpose."]})
    return wanted


_MOST_NANO_PER_MTOK = 10**15


def _costs_something(wanted: PriceWanted) -> bool:
    has_output = bool(wanted.output_nano_per_mtok) or wanted.mode == "embedding"
    return bool(wanted.input_nano_per_mtok) and has_output


def write(*, wanted: PriceWanted, actor: str = "") -> ModelPrice:
    """The model's next version, unless its current one says the same."""
    current = db.session.scalars(
        select(ModelPrice).where(ModelPrice.model == wanted.model, ModelPrice.replaced_at.is_(None)).with_for_update()
    ).one_or_none()
    values = _values(wanted)
    if current is not None and all(getattr(current, name) == value for name, value in values.items()):
        return current
    instant = now()
    if current is not None:
        ending = update(ModelPrice).where(ModelPrice.id == current.id, ModelPrice.replaced_at.is_(None))
        db.session.execute(ending.values(replaced_at=instant))
    last = db.session.scalar(select(func.max(ModelPrice.version)).where(ModelPrice.model == wanted.model)) or 0
    row = ModelPrice(id=new_id(), version=last + 1, valid_from=instant, actor=actor, **values)
    db.session.add(row)
    db.session.flush()
    return row


def _values(wanted: PriceWanted) -> dict[str, object]:
    names = (
        *("model", "source", "input_nano_per_mtok", "output_nano_per_mtok", "cached_input_nano_per_mtok", "mode"),
        *("max_input_tokens", "max_output_tokens", "provider", "is_free", "is_offered", "problem"),
    )
    markup = "" if wanted.markup is None else str(wanted.markup)
    return {name: getattr(wanted, name) for name in names} | {"markup": markup}
