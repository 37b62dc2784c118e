"""The three books of a month side by side, as they are now and as they were when the month was closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from tokenboard.core.clock import Month
from tokenboard.core.db import db
from tokenboard.costs.period_rules import month_period
from tokenboard.keys import foreign_queries
from tokenboard.ledger import usage_totals
from tokenboard.ledger.usage_totals import Taken
from tokenboard.metering import house_queries, price_queries
from tokenboard.metering.usage_rules import Span
from tokenboard.metering.worth import credit_value_nano
from tokenboard.ops import threeway_bill, threeway_rules as rules
from tokenboard.ops.threeway_bill import Source
from tokenboard.ops.threeway_models import BooksClose, BooksDay, BooksLine
from tokenboard.ops.threeway_rules import MEASURES, Facts, Gaps, Key
from tokenboard.wallet.rules import value_nano

# How the ledger's sources of metered requests begin: calls made here, and requests that the spend feeds brought.
METERED = ("metering:", "litellm:")
MOST_CLOSED = 12


@dataclass(frozen=True, slots=True)
class Books:
    """A month: every day and model with its gaps, and what the ledger took, by the day it was booked."""

    month: Month
    lines: Mapping[Key, Gaps]
    taken: Mapping[date, Taken]
    settled_on: date | None
    sources: tuple[Source, ...] = ()

    @property
    def total(self) -> Gaps:
        return rules.added(self.lines.values())

    @property
    def taken_metered_micros(self) -> int:
        return sum(one.metered_micros for one in self.taken.values())

    @property
    def taken_other_micros(self) -> int:
        return sum(one.other_micros for one in self.taken.values())

    @property
    def booked_late_micros(self) -> int:
        """What was booked in this month for use of another, less this month's use that was booked in another."""
        return self.taken_metered_micros - self.total.paid_micros


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed month as it was frozen."""

    books: Books
    closed_by: str
    closed_at: datetime


def books(month: Month) -> Books:
    """As they are now. Demo workspaces stand outside."""
    found = threeway_bill.bill(month_period(month))
    facts = _facts(month)
    for key, nano in found.nano.items():
        facts[key]["bill_nano"] += nano
    maker = {rules.plain_model(row.model): row.provider for row in price_queries.current()}
    lines = {
        (day, model): rules.explained(Facts(**told, is_bill_final=found.is_final(day, maker.get(model))))
        for (day, model), told in sorted(facts.items())
    }
    taken = usage_totals.taken_by_day(month.first_day, month.last_day, metered=METERED)
    return Books(month, lines, taken, found.settled_on, found.sources)


def _facts(month: Month) -> defaultdict[Key, defaultdict[str, int]]:
    """What meter, house and proxy say, by day and model."""
    span, value = Span(month.first_day, month.last_day), credit_value_nano()
    facts: defaultdict[Key, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for use in house_queries.by_day_and_model(span):
        told = facts[use.day, rules.plain_model(use.model)]
        told["metered_nano"] += use.cost_nano
        told["paid_micros"] += use.credits_micros
        told["requests"] += use.requests
        told["tokens"] += use.tokens
    absorbed: defaultdict[Key, int] = defaultdict(int)
    for (day, model), micros in house_queries.absorbed(span).items():
        absorbed[day, rules.plain_model(model)] += micros
    for key, micros in absorbed.items():
        facts[key]["absorbed_nano"] = value_nano(micros, value)
    for (day, model), nano in foreign_queries.unpaid_by_day_and_model(span.first, span.last).items():
        facts[day, rules.plain_model(model)]["foreign_nano"] += nano
    for told in facts.values():
        told["paid_nano"] = value_nano(told["paid_micros"], value)
    return facts


def closed(month: Month) -> Closed | None:
    """As a month was closed; None while it is open. Three queries."""
    row = db.session.scalar(select(BooksClose).where(BooksClose.month == str(month)))
    if row is None:
        return None
    lines = {
        (one.day_on, one.model): Gaps(**{name: getattr(one, name) for name in MEASURES})
        for one in db.session.scalars(select(BooksLine).where(BooksLine.close_id == row.id))
    }
    taken = {
        one.day_on: Taken(one.metered_micros, one.other_micros)
        for one in db.session.scalars(select(BooksDay).where(BooksDay.close_id == row.id))
    }
    return Closed(Books(month, dict(sorted(lines.items())), taken, row.settled_on), row.closed_by, row.closed_at)


def closed_months() -> list[Month]:
    """Which months are closed, the newest first."""
    wanted = select(BooksClose.month).order_by(BooksClose.month.desc()).limit(MOST_CLOSED)
    return [Month.parse(month) for month in db.session.scalars(wanted)]
