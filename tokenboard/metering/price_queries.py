"""Prices as they stand: the current version of each model, and what is offered."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from flask import current_app
from sqlalchemy import bindparam, select

from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.metering.errors import ModelNotOffered
from tokenboard.metering.facts import Price
from tokenboard.metering.models import ModelPrice

_MOST_KNOWN = 2_048  # versions in a process's memory
_PRICE = ModelPrice.__table__.c
# Built once: it is asked for every call. What the version says is remembered.
_CURRENT = select(_PRICE.id, _PRICE.is_offered).where(_PRICE.model == bindparam("asked"), _PRICE.replaced_at.is_(None))


def offered(model: str) -> Price:
    """A model's current price. Raises: ModelNotOffered when there is none, or it is taken off."""
    row = db.session.execute(_CURRENT, {"asked": model}).one_or_none()
    if row is None or not row.is_offered:
        raise ModelNotOffered(model)
    return version(row.id)


def all_offered(mode: str | None = None) -> list[Price]:
    """Everything that may be asked, by name."""
    chosen = [ModelPrice.replaced_at.is_(None), ModelPrice.is_offered]
    chosen += [ModelPrice.mode == mode] if mode else []
    return [price_of(row) for row in db.session.scalars(select(ModelPrice).where(*chosen).order_by(ModelPrice.model))]


def current() -> list[ModelPrice]:
    """Every model's current version, offered or not, by name: for administrators."""
    found = select(ModelPrice).where(ModelPrice.replaced_at.is_(None)).order_by(ModelPrice.model)
    return list(db.session.scalars(found))


def versions(model: str, *, limit: int = 50) -> list[ModelPrice]:
    """A model's versions, the newest first."""
    found = select(ModelPrice).where(ModelPrice.model == model).order_by(ModelPrice.version.desc()).limit(limit)
    return list(db.session.scalars(found))


def known(models: Iterable[str]) -> dict[str, Price]:
    """The current prices of these models, offered or not, by name; one without a price is missing."""
    current = select(ModelPrice).where(ModelPrice.model.in_(sorted(set(models))), ModelPrice.replaced_at.is_(None))
    priced = current.where(ModelPrice.input_nano_per_mtok.is_not(None))
    return {row.model: price_of(row) for row in db.session.scalars(priced)}


def version(price_id: str) -> Price:
    """The very version a call was made with, also when it has been replaced. A version never changes: it is kept."""
    known = _known().get(price_id)
    return known if known is not None else _remembered(price_of(db.session.get_one(ModelPrice, price_id)))


def _known() -> dict[str, Price]:
    found: dict[str, Price] = current_app.extensions.setdefault("known_prices", {})
    return found


def _remembered(price: Price) -> Price:
    known = _known()
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[price.id] = price
    return price


def price_of(row: ModelPrice) -> Price:
    """A row as a fact. Only for rows with a price."""
    assert row.input_nano_per_mtok is not None, "what is offered has a price"
    return Price(
        id=row.id,
        model=row.model,
        version=row.version,
        mode=row.mode,
        input_nano_per_mtok=row.input_nano_per_mtok,
        cached_input_nano_per_mtok=row.cached_input_nano_per_mtok,
        output_nano_per_mtok=row.output_nano_per_mtok or 0,
        max_input_tokens=row.max_input_tokens,
        max_output_tokens=row.max_output_tokens,
        provider=row.provider,
        source=row.source,
        markup=Decimal(row.markup) if row.markup else None,
    )


def markup_for(price: Price) -> Decimal:
    """The model's own markup, else the house's."""
    return price.markup if price.markup is not None else settings().credit_markup


def largest_markup() -> Decimal:
    """The largest markup in use: what a credit pays for at least, wherever it is spent."""
    texts = select(ModelPrice.markup).where(
        ModelPrice.replaced_at.is_(None), ModelPrice.is_offered, ModelPrice.markup != ""
    )
    own = [Decimal(text) for text in db.session.scalars(texts.distinct())]
    return max([settings().credit_markup, *own])
