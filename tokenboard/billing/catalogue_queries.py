"""Reads of what is for sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, and_, or_, select

from tokenboard.billing.errors import PriceNotFound
from tokenboard.billing.models import Price, Product
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id

MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A price with its product."""

    price: Price
    product: Product

    @property
    def is_for_sale(self) -> bool:
        return self.price.is_active and self.product.is_active and not self.price.problem and bool(self.product.credits)

    @property
    def amount_minor(self) -> int:
        assert self.price.unit_amount_minor is not None, "a price for sale has an amount"
        return self.price.unit_amount_minor

    @property
    def credits(self) -> int:
        assert self.product.credits is not None, "a product for sale has credits"
        return self.product.credits


def _offers() -> Select[Price, Product]:
    return select(Price, Product).join(Product, Product.provider_id == Price.product_provider_id)


def _offer(row: Row[Price, Product] | None) -> Offer | None:
    return None if row is None else Offer(row[0], row[1])


def for_sale() -> list[Offer]:
    """Packs first, the smallest first, then plans."""
    wanted = _offers().where(
        and_(Price.is_active, Product.is_active, Price.problem == "", Product.credits.is_not(None))
    )
    ordered = wanted.order_by(Price.interval.is_not(None), Price.interval, Price.unit_amount_minor, Price.provider_id)
    return [Offer(price, product) for price, product in db.session.execute(ordered.limit(200))]


def offer(wanted: str) -> Offer:
    """What is for sale under our id, or under Stripe's. Raises: PriceNotFound."""
    own = or_none(parse_id, wanted)
    named = or_(Price.provider_id == wanted, Price.id == own) if own else Price.provider_id == wanted
    found = _offer(db.session.execute(_offers().where(named)).first())
    if found is None or not found.is_for_sale:
        raise PriceNotFound
    return found


def known_price(provider_id: str) -> Offer | None:
    """Also when it is not for sale any more: open checkouts and running plans keep their price."""
    return _offer(db.session.execute(_offers().where(Price.provider_id == provider_id)).first())


def everything() -> tuple[Sequence[Product], Sequence[Price]]:
    """All products, by name, and all prices, the smallest first: sold or not."""
    products = db.session.scalars(select(Product).order_by(Product.name, Product.provider_id).limit(MOST_LISTED)).all()
    order = (Price.interval.is_not(None), Price.interval, Price.currency, Price.unit_amount_minor, Price.provider_id)
    return products, db.session.scalars(select(Price).order_by(*order).limit(MOST_LISTED)).all()
