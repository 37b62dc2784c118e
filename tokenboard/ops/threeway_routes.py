"""The control room's three-way books: a month, its file, its close; and what the proxy reports that nobody pays for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core.clock import Month, this_month
from tokenboard.core.db import at_one_moment, db
from tokenboard.core.errors import Conflict, ValidationFailed
from tokenboard.core.money import credits_from_micros, usd_from_nano
from tokenboard.core.parsing import parse_month
from tokenboard.ops import control_room, foreign_page, threeway_page, threeway_queries, threeway_service
from tokenboard.ops.threeway_page import CLOSE_PATH, COLUMNS, CSV_PATH, FOREIGN_PATH, PATH
from tokenboard.ops.threeway_queries import Books
from tokenboard.web.forms import fields
from tokenboard.web.fragments import page, see_other
from tokenboard.web.spreadsheets import csv_answer

blueprint = Blueprint("threeway", __name__)

control_room.furnish(blueprint)


def _month() -> Month:
    """The month of the address. Raises: ValidationFailed."""
    text = request.args.get("month", "")
    if not text:
        return this_month()
    month: Month = fields(request.args, month=parse_month)["month"]
    if month > this_month():
        raise ValidationFailed({"month": ["This month has not begun."]})
    return month


@blueprint.get(PATH)
def books_of_month() -> Response:
    return page("ops/threeway.html", fragments=("threeway",), books=threeway_page.build(_month()))


@blueprint.get(CSV_PATH)
def books_csv() -> Response:
    month = _month()
    frozen = threeway_queries.closed(month)
    found = frozen.books if frozen else threeway_queries.books(month)
    return csv_answer(f"tokenboard-books-{month}.csv", _rows(found))


def _rows(found: Books) -> Iterator[list[str | Decimal]]:
    """Every day and model to the last digit, then everything together."""
    yield ["Day (UTC)", "Model", "Requests", *(f"{label} USD" for _, label in COLUMNS), "Paid credits"]
    for name, model, line in [
        *((str(day), of, one) for (day, of), one in found.lines.items()),
        ("Total", "", found.total),
    ]:
        amounts = (usd_from_nano(getattr(line, measure)) for measure, _ in COLUMNS)
        yield [name, model, Decimal(line.requests), *amounts, credits_from_micros(line.paid_micros)]


@blueprint.post(CLOSE_PATH)
def close_month() -> BaseResponse:
    month = fields(request.form, month=parse_month)["month"]
    at_one_moment()
    try:
        threeway_service.close(month=month, actor=current_person().id, anyway=bool(request.form.get("anyway")))
    except (Conflict, ValidationFailed) as refusal:
        db.session.rollback()
        flash(refusal.message, "error")
    else:
        db.session.commit()
        flash(f"{month} is closed.", "success")
    return see_other(threeway_page.href(month))


@blueprint.get(FOREIGN_PATH)
def foreign_spend() -> Response:
    view = foreign_page.build(foreign_page.days_of(request.args.get("days", "")))
    return page("ops/foreign.html", fragments=("foreign",), view=view)
