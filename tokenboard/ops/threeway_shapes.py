"""Shapes of the answers about the three-way books, for the OpenAPI document. The gaps: threeway_rules.py."""

from __future__ import annotations

from typing import Annotated

from tokenboard.web.shapes import Count, Credits, Day, Instant, ModelName, Shape, Usd, words

Kind = Annotated[str, words("charge", "reconcile", "refused", "foreign", "odd")]


class BookGaps(Shape):
    """One line or sum: bill = metered + foreign + unpriced + outside + discount + late; paid = metered + markup
    - shrinkage.
    """

    requests: Count
    bill_usd: Usd
    metered_usd: Usd
    foreign_usd: Usd
    unpriced_usd: Usd
    outside_usd: Usd
    discount_usd: Usd
    late_usd: Usd
    paid_usd: Usd
    paid_credits: Credits
    markup_usd: Usd
    shrinkage_usd: Usd


class BookModel(BookGaps):
    """One model's month."""

    model: ModelName


class BookDay(BookGaps):
    """One day of all models."""

    date: Day


class BookLine(BookGaps):
    """What has come to one day and model since the close."""

    date: Day
    model: ModelName


class BookLedger(Shape):
    """What the ledger took from wallets, by the day of booking."""

    metered_credits: Credits
    other_credits: Credits
    booked_late_credits: Credits


class BookSince(Shape):
    """What has changed since a month was closed."""

    total: BookGaps
    lines: list[BookLine]


class SpendKindSum(Shape):
    """Requests of one kind, and what LiteLLM says they cost."""

    kind: Kind
    requests: Count
    usd: Usd


class ForeignSpend(Shape):
    """What a key or customer that nobody knows here has cost."""

    kind: Kind
    key_hash: str
    customer: str
    model: ModelName
    requests: Count
    usd: Usd
    latest_at: Instant


class PriceGap(Shape):
    """A model at LiteLLM's price and at ours; null where it has none here."""

    model: ModelName
    requests: Count
    usd: Usd
    expected_usd: Usd | None
