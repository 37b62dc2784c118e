"""Writing prices: an administrator's rows, and what the sources tell. A price is a version, never updated in place.

Laws: an administrator's row wins until it is given up; what has no price is kept and not offered; the same price told
again writes nothing; a model's own markup outlives its prices. Calls keep the version they began with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import func, select, update

from tokenboard.audit import service as audit
from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import ValidationFailed
from tokenboard.metering import price_rules
from tokenboard.metering.errors import ModelNotOffered
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.price_rules import ModelTold, PriceWanted

__all__ = ["PriceWanted", "Synced", "give_up", "rehearse", "set_markup", "set_price", "sync"]

LARGEST_MARKUP = Decimal(1_000)
MOST_MODELS = 2_000
ALERT_KIND = "metering.models_without_price"
_MOST_NANO_PER_MTOK = 10**15
# What a version says; two versions that agree in all of it are one.
_FACTS = (
    *("source", "input_nano_per_mtok", "output_nano_per_mtok", "cached_input_nano_per_mtok", "mode", "is_free"),
    *("max_input_tokens", "max_output_tokens", "provider", "is_offered", "problem"),
)
_TOLD = (
    *("source", "input_nano_per_mtok", "output_nano_per_mtok", "cached_input_nano_per_mtok", "markup"),
    *("is_free", "is_offered"),
)
Listed = Callable[[str], ModelTold | None]


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync changed, or would change: each model with its old and its new price."""

    models: int
    changed: tuple[tuple[ModelPrice | None, PriceWanted], ...]
    without_price: tuple[str, ...]


def set_price(*, wanted: PriceWanted, actor: str) -> ModelPrice:
    """An administrator's row: wins over every source. Windows and provider stay as known where they are left out.

    Idempotent: the same price again changes nothing. Raises: ValidationFailed.
    """
    checked = _completed(_checked(wanted))
    before = _current(checked.model)
    row = _write(checked, actor)
    facts = {"model": row.model, "version": row.version, "is_offered": row.is_offered}
    audit.record("metering.price_set", actor=actor, subject=row.id, facts=facts | _changes(before, row))
    return row


def _changes(before: ModelPrice | None, row: ModelPrice) -> dict[str, object]:
    """Before and after, of what differs."""
    was = {name: getattr(before, name) if before is not None else None for name in _TOLD}
    return {name: [was[name], getattr(row, name)] for name in _TOLD if was[name] != getattr(row, name)}


def _checked(wanted: PriceWanted) -> PriceWanted:
    prices = (wanted.input_nano_per_mtok, wanted.output_nano_per_mtok, wanted.cached_input_nano_per_mtok)
    if not 0 < len(wanted.model) <= price_rules.LONGEST_MODEL or not wanted.model.isprintable():
        raise ValidationFailed({"model": ["A model's name has 1 to 120 characters."]})
    if any(price is not None and not 0 <= price <= _MOST_NANO_PER_MTOK for price in prices):
        raise ValidationFailed({"price": ["A price lies between 0 and 1,000,000 USD for a million tokens."]})
    if wanted.is_free and any(prices):
        raise ValidationFailed({"price": ["A model that is free on purpose has a price of 0."]})
    if wanted.is_offered and not wanted.is_free and not price_rules.has_price(_Told(wanted), wanted.mode):
        raise ValidationFailed({"price": ["Without a price a model is not offered; say that it is free on purpose."]})
    _check_markup(wanted.markup)
    return replace(wanted, source="admin")


def _completed(wanted: PriceWanted) -> PriceWanted:
    current = _current(wanted.model)
    if current is None:
        return wanted
    return replace(
        wanted,
        max_input_tokens=wanted.max_input_tokens or current.max_input_tokens,
        max_output_tokens=wanted.max_output_tokens or current.max_output_tokens,
        provider=wanted.provider or current.provider,
        mode=current.mode,
    )


def _check_markup(markup: Decimal | None) -> None:
    if markup is not None and not (markup.is_finite() and 0 < markup <= LARGEST_MARKUP and len(str(markup)) <= 20):
        raise ValidationFailed({"markup": ["A markup is more than 0 and at most 1,000."]})


class _Told:
    """A wanted price, looked at as one that a source tells."""

    def __init__(self, wanted: PriceWanted) -> None:
        self.id, self.mode, self.provider = wanted.model, wanted.mode, wanted.provider
        self.input_nano_per_mtok = wanted.input_nano_per_mtok
        self.output_nano_per_mtok = wanted.output_nano_per_mtok
        self.cached_input_nano_per_mtok = wanted.cached_input_nano_per_mtok
        self.max_input_tokens, self.max_output_tokens = wanted.max_input_tokens, wanted.max_output_tokens


def set_markup(*, model: str, markup: Decimal | None, actor: str) -> ModelPrice:
    """Give a model a markup of its own, or (None) the house's again. Raises: ModelNotOffered, ValidationFailed."""
    _check_markup(markup)
    current = _current(model)
    if current is None:
        raise ModelNotOffered(model)
    row = _write(replace(_wanted_of(current), markup=markup), actor)
    audit.record("metering.markup_set", actor=actor, subject=row.id, facts={"model": model, "markup": row.markup})
    return row


def give_up(*, model: str, actor: str) -> None:
    """The administrator's row ends, the next sync writes what the sources say. Raises: ModelNotOffered."""
    current = _current(model)
    if current is None or current.source != "admin":
        raise ModelNotOffered(model)
    _replace(current)
    audit.record("metering.price_given_up", actor=actor, subject=current.id, facts={"model": model})


def sync(*, told: Sequence[ModelTold], listed: Listed) -> Synced:
    """Take over what the upstream lists; `listed` asks the price list. What it lists no more is no longer offered.

    Idempotent: without a change nothing is written.
    """
    found = rehearse(told=told, listed=listed)
    for current, wanted in found.changed:
        _write(wanted, current.actor if current is not None and wanted.source == "admin" else "")
    _tell(found.without_price)
    return found


def rehearse(*, told: Sequence[ModelTold], listed: Listed) -> Synced:
    """What a sync would change, without writing."""
    current = {row.model: row for row in db.session.scalars(select(ModelPrice).where(ModelPrice.replaced_at.is_(None)))}
    metered = [one for one in told[:MOST_MODELS] if price_rules.is_metered(one)]
    wanted = [_decided(one, listed(one.id), current.get(one.id)) for one in metered]
    known = {one.id for one in metered}
    wanted += [_gone(row) for row in current.values() if known and row.model not in known and row.source != "admin"]
    changed = [(current.get(one.model), one) for one in wanted if not _says(current.get(one.model), one)]
    return Synced(len(metered), tuple(changed), tuple(sorted(one.model for one in wanted if one.problem in _MISSING)))


_MISSING = (price_rules.UNKNOWN, price_rules.NOT_POSITIVE)


def _decided(told: ModelTold, listed: ModelTold | None, current: ModelPrice | None) -> PriceWanted:
    chosen = price_rules.choose(told, listed)
    if current is None:
        return chosen
    mine = _wanted_of(current)
    if current.source != "admin":
        return replace(chosen, markup=mine.markup)
    other = "" if mine.is_free else price_rules.difference(mine, _Told(chosen), chosen.source)
    return replace(mine, problem=other)


def _gone(row: ModelPrice) -> PriceWanted:
    return replace(_wanted_of(row), is_offered=False, problem=price_rules.GONE)


def _tell(without_price: Sequence[str]) -> None:
    if not without_price:
        resolve_alert(ALERT_KIND, subject="sync")
        return
    named = ", ".join(without_price[:5]) + (" …" if len(without_price) > 5 else "")
    message = f"{len(without_price)} models have no price and are not offered: {named}."
    raise_alert(ALERT_KIND, subject="sync", severity="warning", message=message)


def _current(model: str) -> ModelPrice | None:
    """Locked: of two writers the second sees what the first wrote."""
    found = select(ModelPrice).where(ModelPrice.model == model, ModelPrice.replaced_at.is_(None)).with_for_update()
    return db.session.scalars(found, execution_options={"populate_existing": True}).one_or_none()


def _write(wanted: PriceWanted, actor: str) -> ModelPrice:
    """The model's next version, unless its current one says the same."""
    current = _current(wanted.model)
    if current is not None and _says(current, wanted):
        return current
    if current is not None:
        _replace(current)
    last = db.session.scalar(select(func.max(ModelPrice.version)).where(ModelPrice.model == wanted.model)) or 0
    values = {name: getattr(wanted, name) for name in _FACTS} | {"markup": _markup_text(wanted)}
    row = ModelPrice(id=new_id(), model=wanted.model, version=last + 1, valid_from=now(), actor=actor, **values)
    db.session.add(row)
    db.session.flush()
    return row


def _replace(current: ModelPrice) -> None:
    ending = update(ModelPrice).where(ModelPrice.id == current.id, ModelPrice.replaced_at.is_(None))
    db.session.execute(ending.values(replaced_at=now()))


def _says(row: ModelPrice | None, wanted: PriceWanted) -> bool:
    return (
        row is not None
        and all(getattr(row, name) == getattr(wanted, name) for name in _FACTS)
        and row.markup == _markup_text(wanted)
    )


def _markup_text(wanted: PriceWanted) -> str:
    return "" if wanted.markup is None else str(wanted.markup)


def _wanted_of(row: ModelPrice) -> PriceWanted:
    values = {name: getattr(row, name) for name in _FACTS}
    return PriceWanted(model=row.model, markup=Decimal(row.markup) if row.markup else None, **values)
