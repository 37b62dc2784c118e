"""JSON doors to the three-way books, for administrators: a month, its close, and what nobody here pays for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint
from pydantic import Field

from tokenboard.accounts.guards import require_admin
from tokenboard.core.clock import Month, now, this_month
from tokenboard.core.db import at_one_moment, db
from tokenboard.core.money import credits_from_micros, usd_from_nano
from tokenboard.costs.report_forms import MonthText
from tokenboard.keys import foreign_queries, spend_queries
from tokenboard.ops import (
    threeway_queries,
    threeway_rules as rules,
    threeway_service,
    threeway_shapes as shapes,
)
from tokenboard.ops.threeway_queries import Books, Closed
from tokenboard.ops.threeway_rules import Gaps
from tokenboard.web.api import Answer, Body, Query, operation
from tokenboard.web.shapes import Day, Instant, MonthName

blueprint = Blueprint("threeway_api", __name__)

_TAG = "Operator"
_BOOKS = {
    "month": MonthName,
    "settled_to": Day | None,
    "closed_at": Instant | None,
    "total": shapes.BookGaps,
    "models": list[shapes.BookModel],
    "days": list[shapes.BookDay],
    "ledger": shapes.BookLedger,
    "since": shapes.BookSince | None,
}


class BooksQuery(Query):
    """Which month; the one under way when none is named."""

    month: MonthText | None = None


class CloseBody(Body):
    """`anyway`: also while the provider may still change its bill."""

    month: MonthText
    anyway: bool = False


class ForeignQuery(Query):
    days: int = Field(30, ge=1, le=366)


@blueprint.get("/api/admin/books")
@operation(
    "The provider's bill, the meter and what customers paid, for a month",
    query=BooksQuery,
    answer=_BOOKS,
    errors=(404,),
    tag=_TAG,
)
def month_books(query: BooksQuery) -> Answer:
    require_admin()
    return books_answer(query.month or this_month())


@blueprint.post("/api/admin/books/close")
@operation("Close a month: freeze what its books say", body=CloseBody, answer=_BOOKS, errors=(404, 409), tag=_TAG)
def close_books(body: CloseBody) -> Answer:
    actor = require_admin().id
    at_one_moment()
    threeway_service.close(month=body.month, actor=actor, anyway=body.anyway)
    db.session.commit()
    return books_answer(body.month)


@blueprint.get("/api/admin/books/foreign")
@operation(
    "What the proxy reports that nobody here pays for, and price differences",
    query=ForeignQuery,
    answer={
        "kinds": list[shapes.SpendKindSum],
        "foreign": list[shapes.ForeignSpend],
        "prices": list[shapes.PriceGap],
    },
    errors=(404,),
    tag=_TAG,
)
def foreign_spend(query: ForeignQuery) -> Answer:
    require_admin()
    since = now() - timedelta(days=query.days)
    return {
        "kinds": [
            {"kind": one.kind, "requests": one.requests, "usd": usd_from_nano(one.cost_nano)}
            for one in spend_queries.sums(since)
        ],
        "foreign": [
            {
                "kind": one.kind,
                "keyHash": one.key_hash,
                "customer": one.end_user,
                "model": one.model,
                "requests": one.requests,
                "usd": usd_from_nano(one.cost_nano),
                "latestAt": one.latest_at,
            }
            for one in foreign_queries.foreign(since)
        ],
        "prices": [
            {
                "model": one.model,
                "requests": one.requests,
                "usd": usd_from_nano(one.cost_nano),
                "expectedUsd": None if one.expected_nano is None else usd_from_nano(one.expected_nano),
            }
            for one in foreign_queries.price_differences(since)
        ],
    }


def books_answer(month: Month) -> dict[str, Any]:
    """A month; a closed one as it was closed, with what came since under `since`."""
    current, frozen = threeway_queries.books(month), threeway_queries.closed(month)
    shown = frozen.books if frozen else current
    return {
        "month": month,
        "settledTo": shown.settled_on,
        "closedAt": frozen.closed_at if frozen else None,
        "total": gaps_answer(shown.total),
        "models": [{"model": model} | gaps_answer(line) for model, line in rules.by_model(shown.lines).items()],
        "days": [{"date": day} | gaps_answer(line) for day, line in rules.by_day(shown.lines).items()],
        "ledger": _ledger(shown),
        "since": _since(current, frozen) if frozen else None,
    }


def gaps_answer(line: Gaps) -> dict[str, Any]:
    """One line: US dollars, and credits where customers paid."""
    return {
        "requests": line.requests,
        "billUsd": usd_from_nano(line.bill_nano),
        "meteredUsd": usd_from_nano(line.metered_nano),
        "foreignUsd": usd_from_nano(line.foreign_nano),
        "unpricedUsd": usd_from_nano(line.unpriced_nano),
        "outsideUsd": usd_from_nano(line.outside_nano),
        "discountUsd": usd_from_nano(line.discount_nano),
        "lateUsd": usd_from_nano(line.late_nano),
        "paidUsd": usd_from_nano(line.paid_nano),
        "paidCredits": credits_from_micros(line.paid_micros),
        "markupUsd": usd_from_nano(line.markup_nano),
        "shrinkageUsd": usd_from_nano(line.shrinkage_nano),
    }


def _ledger(shown: Books) -> dict[str, Any]:
    return {
        "meteredCredits": credits_from_micros(shown.taken_metered_micros),
        "otherCredits": credits_from_micros(shown.taken_other_micros),
        "bookedLateCredits": credits_from_micros(shown.booked_late_micros),
    }


def _since(current: Books, frozen: Closed) -> dict[str, Any]:
    changes = rules.changed(current.lines, frozen.books.lines)
    return {
        "total": gaps_answer(rules.difference(current.total, frozen.books.total)),
        "lines": [{"date": day, "model": model} | gaps_answer(line) for (day, model), line in changes.items()],
    }
