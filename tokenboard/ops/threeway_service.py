"""Closing a month: what the three books say is frozen, once. What comes later is told as late, and changes nothing."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from tokenboard.audit import service as audit
from tokenboard.core.clock import Month, today
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import Conflict, ValidationFailed
from tokenboard.ops import threeway_queries
from tokenboard.ops.threeway_models import BooksClose, BooksDay, BooksLine
from tokenboard.ops.threeway_queries import Books
from tokenboard.ops.threeway_rules import MEASURES


def close(*, month: Month, actor: str, anyway: bool = False) -> Books:
    """Freeze a month as it is now. Its doors read at one moment (`core/db.py`): a request that settles between two
    of the questions must not stand in one book and miss in another.

    `anyway`: also while the provider may still change its bill.
    Raises: Conflict (closed before), ValidationFailed (not over yet, or its bill still moves).
    """
    _check(month)
    found = threeway_queries.books(month)
    if not anyway:
        _check_bill(found)
    try:
        with db.session.begin_nested():
            _freeze(found, actor)
    except IntegrityError as error:
        raise _closed_before(month) from error  # two pressed at once: the first has closed it
    total = found.total
    facts = {"month": str(month), "bill_nano": total.bill_nano, "metered_nano": total.metered_nano}
    audit.record("ops.books_closed", actor=actor, subject=str(month), facts=facts | {"paid_micros": total.paid_micros})
    return found


def _check(month: Month) -> None:
    if month.last_day >= today():
        raise ValidationFailed(
            {"month": ["This month is not over."]}, "This month is not over, so it cannot be closed."
        )
    if threeway_queries.closed(month) is not None:
        raise _closed_before(month)


def _closed_before(month: Month) -> Conflict:
    return Conflict(f"{month} was closed before; a month is closed once. What came later is told beside it.")


def _check_bill(found: Books) -> None:
    """A bill that is read must have settled; without one there is nothing to wait for."""
    last_day = found.month.last_day
    if found.sources and (found.settled_on is None or found.settled_on < last_day):
        reached = found.settled_on or "no day yet"
        sentence = f"The provider may still change its bill of this month: it is settled to {reached}."
        raise ValidationFailed({"month": [sentence]}, f"{sentence} Wait a few days, or close it as it is.")


def _freeze(found: Books, actor: str) -> None:
    closed = BooksClose(id=new_id(), month=str(found.month), closed_by=actor, settled_on=found.settled_on)
    db.session.add(closed)
    db.session.flush()
    lines = [
        {"close_id": closed.id, "day_on": day, "model": model} | {name: getattr(line, name) for name in MEASURES}
        for (day, model), line in found.lines.items()
    ]
    days = [
        {"close_id": closed.id, "day_on": day, "metered_micros": one.metered_micros, "other_micros": one.other_micros}
        for day, one in found.taken.items()
    ]
    for row, values in ((BooksLine, lines), (BooksDay, days)):
        if values:
            db.session.execute(insert(row), values)
