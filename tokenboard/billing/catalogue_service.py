"""The catalogue as Stripe tells it: by events, every night, and on demand.

Laws: rows are updated, never deleted (orders name them); an older word never overwrites a newer one; what cannot be
sold is kept with the reason. Changes count for future orders only: an order keeps what it promised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select

from tokenboard.billing.models import Price, Product
from tokenboard.billing.rules import included_credits
from tokenboard.core.db import db, new_id
from tokenboard.core.upsert import insert_once
from tokenboard.providers import stripe_objects as stripe

INTERVALS = ("month", "year")
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Synced:
    """What a synchronisation found."""

    products: int = 0
    prices: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)


def sync(*, prices: Iterable[stripe.Price], at: datetime) -> Synced:
    """Take over everything Stripe lists, and take off the shelf what it lists no more."""
    synced, products, seen = Synced(), set[str](), set[str]()
    for price in prices:
        seen.add(price.id)
        if price.product is not None and price.product_id not in products:
            products.add(price.product_id)
            _skip(synced, price.product_id, learn_product(product=price.product, at=at).problem)
        _skip(synced, price.id, learn_price(price=price, at=at).problem)
    gone = select(Price).where(Price.is_active, Price.provider_id.not_in(seen), Price.told_at < at)
    for missing in db.session.scalars(gone):
        missing.is_active, missing.told_at = False, at
    synced.products, synced.prices = len(products), len(seen)
    return synced


def _skip(synced: Synced, provider_id: str, problem: str) -> None:
    if problem:
        synced.skipped.append({"id": provider_id, "why": problem})


def learn_product(*, product: stripe.Product, at: datetime, is_deleted: bool = False) -> Product:
    """A product as it was at that instant. Nothing changes when something newer is known."""
    fresh = {"id": new_id(), "name": "", "description": "", "problem": "", "is_active": False, "told_at": _NEVER}
    insert_once(Product, unique="provider_id", provider_id=product.id, **fresh)
    wanted = select(Product).where(Product.provider_id == product.id).with_for_update()
    row = db.session.scalars(wanted.execution_options(populate_existing=True)).one()
    if at < row.told_at:
        return row
    row.told_at = at
    row.is_active = product.is_active and not (is_deleted or product.is_deleted)
    if not product.is_deleted:
        row.name, row.description = product.name, (product.description or "")[:500]
        try:
            row.credits, row.problem = included_credits(product.metadata), ""
        except ValueError as error:
            row.credits, row.problem = None, str(error)[:200]
    return row


def learn_price(*, price: stripe.Price, at: datetime, is_deleted: bool = False) -> Price:
    """A price as it was at that instant. Nothing changes when something newer is known."""
    fresh = {"id": new_id(), "product_provider_id": price.product_id, "currency": price.currency, "problem": ""}
    insert_once(
        Price, unique="provider_id", provider_id=price.id, is_active=False, told_at=_NEVER, created_at=at, **fresh
    )
    wanted = select(Price).where(Price.provider_id == price.id).with_for_update()
    row = db.session.scalars(wanted.execution_options(populate_existing=True)).one()
    if at < row.told_at:
        return row
    row.told_at = at
    row.product_provider_id, row.currency = price.product_id, price.currency
    row.unit_amount_minor, row.interval = price.unit_amount, price.interval
    row.is_active = price.is_active and not is_deleted
    row.problem = _problem(price)
    return row


def _problem(price: stripe.Price) -> str:
    """Why a price cannot be sold here; empty when it can."""
    if price.billing_scheme != "per_unit" or price.unit_amount is None:
        return "it has no fixed amount for one"
    if price.unit_amount < 0:
        return "its amount is negative"
    if price.interval is None:
        return ""
    if price.usage_type != "licensed":
        return "it is metered"
    if price.interval not in INTERVALS or price.interval_count != 1:
        return "it is not for one month or one year"
    return ""
