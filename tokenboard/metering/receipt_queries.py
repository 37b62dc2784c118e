"""How one request's charge was computed: tokens × price → cost × markup → credits, and where it was rounded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.metering import price_queries, rules
from tokenboard.metering.facts import Price
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.usage_models import UsageRecord
from tokenboard.metering.worth import credit_value_nano


@dataclass(frozen=True, slots=True)
class PricedTokens:
    """One line of the reckoning. `nano_usd` is exact: tokens × price / 1,000,000."""

    words: str
    tokens: int
    nano_per_mtok: int
    nano_usd: Decimal


@dataclass(frozen=True, slots=True)
class UsageReceipt:
    """A request's reckoning, line by line, and who paid."""

    record: UsageRecord
    # None where the charge came from the proxy's own reckoning.
    price: Price | None
    lines: tuple[PricedTokens, ...]
    # The lines together, rounded up to the next nano-USD.
    computed_nano_usd: int
    # LiteLLM told another cost, which was taken instead.
    is_cost_told: bool
    markup: Decimal
    credit_value_nano: int
    # Cost × markup in micro-credits before it was rounded up, once, to the next.
    exact_micros: Decimal
    full_micros: int
    held_micros: int | None

    @property
    def is_waived(self) -> bool:
        """Nothing was delivered, so nothing was charged."""
        return self.record.credits_micros == 0 and self.full_micros > 0

    @property
    def is_capped(self) -> bool:
        """More was used than was held; the house paid the rest."""
        return not self.is_waived and self.record.absorbed_micros > 0


def workspace_of(record_id: str) -> str:
    """Whose request a record is. Raises: NotFound. Access is decided by the caller."""
    found = db.session.scalar(select(UsageRecord.workspace_id).where(UsageRecord.id == record_id))
    if found is None:
        raise NotFound
    return found


def receipt(*, workspace_id: str, record_id: str | None = None, call_id: str | None = None) -> UsageReceipt:
    """By the record's id, or the call's. Raises: NotFound, also for another workspace's."""
    chosen = UsageRecord.id == record_id if record_id else UsageRecord.dedupe_key == f"call:{call_id}"
    found = (
        select(UsageRecord, MeteredCall.held_micros)
        .outerjoin(MeteredCall, MeteredCall.id == UsageRecord.call_id)
        .where(chosen, UsageRecord.workspace_id == workspace_id)
    )
    row = db.session.execute(found).one_or_none()
    if row is None:
        raise NotFound
    record, held_micros = row
    price = price_queries.version(record.price_id) if record.price_id else None
    return _reckoned(record, price, held_micros)


def _reckoned(record: UsageRecord, price: Price | None, held_micros: int | None) -> UsageReceipt:
    lines = _lines(record, price) if price else ()
    computed = -int(-sum((line.nano_usd for line in lines), Decimal(0)) // 1)
    markup, value = Decimal(record.markup or "1"), credit_value_nano()
    exact = Decimal(record.cost_nano_usd) * markup * MICROS_PER_CREDIT / value
    return UsageReceipt(
        record=record,
        price=price,
        lines=lines,
        computed_nano_usd=computed,
        is_cost_told=price is None or computed != record.cost_nano_usd,
        markup=markup,
        credit_value_nano=value,
        exact_micros=exact,
        full_micros=record.credits_micros + record.absorbed_micros,
        held_micros=held_micros,
    )


def _lines(record: UsageRecord, price: Price) -> tuple[PricedTokens, ...]:
    cached_price = price.cached_input_nano_per_mtok
    cached = record.cached_tokens if cached_price is not None else 0
    counted = [
        ("Input", record.prompt_tokens - cached, price.input_nano_per_mtok),
        ("Cached input", cached, cached_price or 0),
        ("Output", record.completion_tokens, price.output_nano_per_mtok),
    ]
    return tuple(
        PricedTokens(words, tokens, nano, Decimal(tokens) * nano / rules.MTOK)
        for words, tokens, nano in counted
        if tokens
    )
