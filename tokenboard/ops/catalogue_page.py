"""The catalogue in finished texts: products with their prices as Stripe last told them, and why one is not sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.billing import catalogue_queries
from tokenboard.billing.models import Price, Product
from tokenboard.billing.rules import order_micros, price_text
from tokenboard.core.settings import settings
from tokenboard.web.filters import credit_amount, number, plural

PATH = "/admin/catalogue"
_UNSOLD_NOTE = (
    "Kept because past orders may name them. A product is sold when its metadata has includedCredits, a whole number, "
    "and it has a plain price."
)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One way to pay for a product."""

    id: str
    amount: str
    each: str
    brings: str
    why_not: str
    told_at: datetime


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product with its prices."""

    id: str
    name: str
    credits: str
    why_not: str
    told_at: datetime
    prices: tuple[PriceRow, ...]

    @property
    def is_sold(self) -> bool:
        """Whether any of its prices is."""
        return any(not price.why_not for price in self.prices)


@dataclass(frozen=True, slots=True)
class Group:
    """Products that are sold, or that are not."""

    title: str
    note: str
    rows: tuple[ProductRow, ...]


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """Everything on the page."""

    groups: tuple[Group, ...]
    summary: str
    multiplier: str
    newest_at: datetime | None


def build() -> CataloguePage:
    """Two reads."""
    products, prices = catalogue_queries.everything()
    rows = [
        _product(one, [price for price in prices if price.product_provider_id == one.provider_id]) for one in products
    ]
    known = {one.provider_id for one in products}
    rows += [_unknown(price) for price in prices if price.product_provider_id not in known]
    sold = tuple(row for row in rows if row.is_sold)
    count = sum(not price.why_not for row in sold for price in row.prices)
    groups = (
        Group("For sale", "What buyers see.", sold),
        Group("Not for sale", _UNSOLD_NOTE, tuple(row for row in rows if not row.is_sold)),
    )
    multiplier = settings().credit_purchase_multiplier
    return CataloguePage(
        groups=tuple(group for group in groups if group.rows),
        summary=f"{plural(count, 'price')} of {plural(len(sold), 'product')} for sale",
        multiplier="" if multiplier == 1 else f"{multiplier:f}",
        newest_at=max([one.told_at for one in products] + [one.told_at for one in prices], default=None),
    )


def _product(product: Product, prices: list[Price]) -> ProductRow:
    why_not = _why_not_product(product)
    return ProductRow(
        id=product.provider_id,
        name=product.name or product.provider_id,
        credits=number(product.credits) if product.credits else "",
        why_not=why_not or ("" if prices else "it has no price"),
        told_at=product.told_at,
        prices=tuple(_price(one, product, why_not) for one in prices),
    )


def _why_not_product(product: Product) -> str:
    if product.problem:
        return product.problem
    return "" if product.is_active else "it is archived at Stripe"


def _unknown(price: Price) -> ProductRow:
    """A price whose product has not been told of yet."""
    row = PriceRow(price.provider_id, _amount(price), _each(price), "", "its product is not known yet", price.told_at)
    return ProductRow(
        id=price.product_provider_id,
        name=price.product_provider_id,
        credits="",
        why_not="it has not been told of yet",
        told_at=price.told_at,
        prices=(row,),
    )


def _price(price: Price, product: Product, why_not_product: str) -> PriceRow:
    why_not = why_not_product or price.problem or ("" if price.is_active else "it is archived at Stripe")
    return PriceRow(price.provider_id, _amount(price), _each(price), _brings(price, product), why_not, price.told_at)


def _amount(price: Price) -> str:
    return "–" if price.unit_amount_minor is None else price_text(price.unit_amount_minor, price.currency)


def _each(price: Price) -> str:
    return f"every {price.interval}" if price.interval else "once"


def _brings(price: Price, product: Product) -> str:
    """What one brings: a pack is multiplied, a plan is not."""
    if not product.credits:
        return ""
    if price.interval:
        return number(product.credits)
    return credit_amount(order_micros(product.credits, 1, settings().credit_purchase_multiplier))
