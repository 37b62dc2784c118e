"""Promo codes in finished texts: batches with what is left of them, one batch with its codes while they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.queries import people_by_id
from tokenboard.billing import catalogue_queries, promo_queries, promo_service
from tokenboard.billing.catalogue_queries import Offer
from tokenboard.billing.promo_models import PromoBatch
from tokenboard.billing.promo_queries import BatchLine, Redemption
from tokenboard.billing.promo_rules import MOST_CODES
from tokenboard.billing.rules import price_text
from tokenboard.web.filters import credit_amount, number, plural

PATH = "/admin/promo-codes"
LINES = 30
_TONES = {"open": ("ok", "check"), "used up": ("", "check"), "expired": ("", "clock"), "ended": ("", "x")}


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch."""

    href: str
    name: str
    gives: str
    codes: str
    redeemed: str
    left: str
    used: int
    possible: int
    expires_at: datetime | None
    made_at: datetime
    by: str
    state: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class PromoPage:
    """The list and what the form offers."""

    rows: tuple[BatchRow, ...]
    plans: tuple[tuple[str, str], ...]
    older_href: str
    newest_href: str
    most_codes: str


@dataclass(frozen=True, slots=True)
class BatchPage:
    """One batch."""

    id: str
    row: BatchRow
    facts: str
    codes: tuple[str, ...]
    codes_until: datetime
    redemptions: list[Redemption]
    end_words: str
    end_question: str


def build(*, cursor: str) -> PromoPage:
    """Three reads, and one for the cursor."""
    lines = promo_queries.batches(limit=LINES + 1, before=cursor or None)
    shown = lines[:LINES]
    return PromoPage(
        rows=_rows(shown),
        plans=_plans(),
        older_href=f"{PATH}?cursor={shown[-1].batch.id}" if len(lines) > LINES else "",
        newest_href=PATH if cursor else "",
        most_codes=number(MOST_CODES),
    )


def _plans() -> tuple[tuple[str, str], ...]:
    found = [offer for offer in catalogue_queries.for_sale() if offer.price.interval]
    return tuple((offer.price.id, _plan_words(offer)) for offer in found)


def _plan_words(offer: Offer) -> str:
    costs = f"{price_text(offer.amount_minor, offer.price.currency)} a {offer.price.interval}"
    return f"{offer.product.name}: {number(offer.credits)} credits, costs {costs}"


def _rows(lines: list[BatchLine]) -> tuple[BatchRow, ...]:
    names = {one: person.name for one, person in people_by_id({line.batch.actor for line in lines}).items()}
    plans = _plan_names([line.batch for line in lines])
    return tuple(_row(line, names, plans) for line in lines)


def _plan_names(batches: list[PromoBatch]) -> dict[str, str]:
    wanted = {batch.plan_price_provider_id for batch in batches if batch.plan_price_provider_id}
    return {one: offer.product.name for one in wanted if (offer := catalogue_queries.known_price(one))}


def _row(line: BatchLine, names: dict[str, str], plans: dict[str, str]) -> BatchRow:
    batch, (tone, icon) = line.batch, _TONES[line.state]
    return BatchRow(
        href=f"{PATH}/{batch.id}",
        name=batch.name,
        gives=_gives(batch, plans),
        codes=number(line.codes),
        redeemed=number(line.redeemed),
        left=number(max(0, line.possible - line.redeemed)),
        used=line.redeemed,
        possible=max(1, line.possible),
        expires_at=batch.expires_at,
        made_at=batch.created_at,
        by="the command line" if batch.actor == "cli" else names.get(batch.actor, "somebody who has left"),
        state=line.state,
        tone=tone,
        icon=icon,
    )


def _gives(batch: PromoBatch, plans: dict[str, str]) -> str:
    if batch.plan_price_provider_id:
        return f"one period of {plans.get(batch.plan_price_provider_id, 'a plan that is gone')}"
    return f"{credit_amount(batch.credits_micros)} credits"


def batch_page(line: BatchLine, *, me: str) -> BatchPage:
    """Four reads."""
    batch, left = line.batch, line.possible - line.redeemed
    row = _rows([line])[0]
    return BatchPage(
        id=batch.id,
        row=row,
        facts=_facts(line),
        codes=tuple(promo_service.shown_codes(batch, me)),
        codes_until=batch.created_at + promo_service.CODES_SHOWN,
        redemptions=promo_queries.redemptions(batch.id),
        end_words=f"End {batch.name}" if line.state == "open" else "",
        end_question=f"{plural(left, 'use')} will be worth nothing. What was redeemed stays.",
    )


def _facts(line: BatchLine) -> str:
    batch = line.batch
    many = f"{plural(line.codes, 'code')} for {plural(batch.uses_each, 'person', 'people')} each."
    if batch.plan_price_provider_id:
        return f"{many} The credits live for one period."
    live = f"live for {plural(batch.credits_live_days, 'day')}" if batch.credits_live_days else "do not expire"
    return f"{many} The credits {live}."
