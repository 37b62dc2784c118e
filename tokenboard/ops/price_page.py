"""One model's price in finished texts: as it stands, its versions, and the rehearsal of another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from tokenboard.accounts.queries import people_by_id
from tokenboard.core.clock import today
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.core.settings import settings
from tokenboard.metering import price_queries, rehearsal_queries, rehearsal_rules
from tokenboard.metering.facts import Price
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.price_rules import PriceWanted
from tokenboard.metering.rehearsal_rules import Affected, Proposal, Rehearsal, Worth
from tokenboard.metering.usage_rules import Span
from tokenboard.metering.worth import credit_value_nano
from tokenboard.ops.prices_page import PriceLine, line
from tokenboard.wallet.credits_page import signed
from tokenboard.wallet.rules import value_nano
from tokenboard.web.filters import credit_amount, day_range, number, percent_signed, plural, usd, usd_signed

DAYS = 30
MOST_CUSTOMERS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One sum, before and after."""

    label: str
    before: str
    after: str
    change: str
    tone: str
    note: str


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """One customer of the rehearsal."""

    href: str
    name: str
    before: str
    after: str
    change: str
    ratio: str
    tone: str


@dataclass(frozen=True, slots=True)
class RehearsalView:
    """What the last 30 days would have been."""

    scope: str
    verdict: str
    tone: str
    rows: tuple[Row, ...]
    customers: tuple[CustomerLine, ...]
    more: str
    is_empty: bool


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of the history."""

    line: PriceLine
    by: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class PricePage:
    """Everything on the page."""

    current: PriceLine
    current_id: str
    is_embedding: bool
    is_by_hand: bool
    windows: str
    house_markup: str
    versions: tuple[VersionLine, ...]
    rehearsal: RehearsalView | None


def build(current: ModelPrice, wanted: PriceWanted | None) -> PricePage:
    """Two reads, and one for a rehearsal."""
    versions = price_queries.versions(current.model)
    names = {person_id: one.name for person_id, one in people_by_id({row.actor for row in versions}).items()}
    return PricePage(
        current=line(current),
        current_id=current.id,
        is_embedding=current.mode == "embedding",
        is_by_hand=current.source == "admin",
        windows=_windows(current),
        house_markup=f"{settings().credit_markup.normalize():f}",
        versions=tuple(VersionLine(line(row), _by(row, names), row.id == current.id) for row in versions),
        rehearsal=_view(rehearse(current, wanted)) if wanted else None,
    )


def _by(row: ModelPrice, names: dict[str, str]) -> str:
    if not row.actor:
        return "the sync"
    return names.get(row.actor, "somebody who has left" if or_none(parse_id, row.actor) else row.actor)


def _windows(row: ModelPrice) -> str:
    told = [
        f"{number(count)} tokens {way}"
        for count, way in ((row.max_input_tokens, "in"), (row.max_output_tokens, "out"))
        if count
    ]
    return ", ".join(told)


def rehearse(current: ModelPrice, wanted: PriceWanted) -> Rehearsal:
    """The last 30 UTC days at the wanted price."""
    markup = wanted.markup if wanted.markup is not None else settings().credit_markup
    proposal = Proposal(_price(current, wanted), markup, wanted.is_offered)
    found = rehearsal_queries.used(current.model, span())
    return rehearsal_rules.rehearse(found, proposal, credit_value_nano=credit_value_nano())


def span() -> Span:
    return Span(today() - timedelta(days=DAYS - 1), today())


def _price(current: ModelPrice, wanted: PriceWanted) -> Price:
    return Price(
        id=current.id,
        model=current.model,
        version=current.version,
        mode=current.mode,
        input_nano_per_mtok=wanted.input_nano_per_mtok or 0,
        cached_input_nano_per_mtok=wanted.cached_input_nano_per_mtok,
        output_nano_per_mtok=wanted.output_nano_per_mtok or 0,
        max_input_tokens=None,
        max_output_tokens=None,
        provider=current.provider,
        source="admin",
        markup=wanted.markup,
    )


def _view(found: Rehearsal) -> RehearsalView:
    dates = span()
    before, after = _worth(found.before), _worth(found.after)
    shown = found.customers[:MOST_CUSTOMERS]
    rest = len(found.customers) - len(shown)
    return RehearsalView(
        scope=f"{day_range(dates.first, dates.last)}, UTC days: {plural(found.requests, 'request')} of "
        f"{plural(len(found.customers), 'customer')}. Demo workspaces are left out.",
        verdict=_verdict(found),
        tone="" if found.after == found.before else "warn" if after - found.after.cost_nano_usd < 0 else "ok",
        rows=(
            _row("Revenue", before, after, "credits used, at their worth"),
            _row("Provider cost", found.before.cost_nano_usd, found.after.cost_nano_usd, "at the price above"),
            _row("Margin", before - found.before.cost_nano_usd, after - found.after.cost_nano_usd, "revenue less cost"),
            _row(
                "Margin at old cost",
                before - found.before.cost_nano_usd,
                after - found.before.cost_nano_usd,
                "if the provider goes on charging what it did",
            ),
        ),
        customers=tuple(_customer(one) for one in shown),
        more=f"and {number(rest)} more" if rest else "",
        is_empty=not found.requests,
    )


def _worth(one: Worth) -> int:
    """What was paid, in nano-USD."""
    return value_nano(one.credits_micros, credit_value_nano())


def _verdict(found: Rehearsal) -> str:
    if not found.requests:
        return "Nobody has used this model in the last 30 days"
    change = _worth(found.after) - _worth(found.before)
    who = f"{plural(found.paying_more, 'customer')} would have paid more, {number(found.paying_less)} less"
    return f"{usd_signed(change)} of revenue in 30 days. {who}"


def _row(label: str, before: int, after: int, note: str) -> Row:
    change = after - before
    is_cost = label == "Provider cost"
    tone = "" if not change else "ok" if (change > 0) != is_cost else "bad"
    return Row(label, usd(before), usd(after), usd_signed(change), tone, note)


def _customer(one: Affected) -> CustomerLine:
    before, change = one.before.credits_micros, one.change_micros
    return CustomerLine(
        href=f"/admin/adjust?who={one.workspace_id}",
        name=one.name,
        before=credit_amount(before),
        after=credit_amount(one.after.credits_micros),
        change=signed(change) if change else "±0",
        ratio=percent_signed(Fraction(change, before)) if before else "new",
        tone="warn" if change > 0 else "",
    )
