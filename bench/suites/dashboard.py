"""Dashboard questions on a million cost rows: ours beside the bare SQL of the same question, and beside raw rows.

Goal (issue 1, must show 4): server time as a ratio to the bare SQL, in absolute ms, and queries per page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from bench.bill import Bill, write_bill
from bench.houses import application
from bench.measuring import Result, interleaved
from tokenboard.accounts import service as accounts
from tokenboard.accounts.models import Person
from tokenboard.core.clock import Month
from tokenboard.core.db import db
from tokenboard.costs.bill_rules import By
from tokenboard.costs.breakdown_queries import breakdown
from tokenboard.costs.month_queries import needed, picture
from tokenboard.costs.period_rules import Period, month_period
from tokenboard.costs.queries import Scope, connections, scope_of
from tokenboard.costs.trend_queries import trend_series

# Keys per project and days: 40 × 10 × 7 × 365 = 1,022,000 rows; quick: 72,000.
FULL, QUICK = (7, 365), (2, 90)

# The same questions by hand: from the roll-ups (the limit) and from the rows (the peer).
_DAYS = (
    "SELECT on_day, sum(amount_nano) FROM {table} WHERE connection_id = :c AND on_day BETWEEN :a AND :b GROUP BY on_day"
)
_BY = (
    "SELECT key, on_day, sum(amount_nano) FROM cost_total WHERE connection_id = :c AND dimension = :by "
    "AND on_day BETWEEN :a AND :b GROUP BY key, on_day"
)
_ROWS_BY = (
    "SELECT {column}, on_day, sum(amount_nano) FROM cost_row WHERE connection_id = :c "
    "AND on_day BETWEEN :a AND :b GROUP BY {column}, on_day"
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question, how the product answers it, and over which days."""

    name: str
    ask: Callable[[Scope], object]
    period: Period
    dimension: str = ""
    column: str = ""  # of cost_row, where the dimension stands

    @property
    def limit(self) -> str:
        return _BY if self.dimension else _DAYS.format(table="cost_day")

    @property
    def peer(self) -> str:
        return _ROWS_BY.format(column=self.column) if self.column else _DAYS.format(table="cost_row")


def measure(quick: bool) -> list[Result]:
    """Every question and the page, on SQLite and (unless quick) on PostgreSQL."""
    keys, length = QUICK if quick else FULL
    results: list[Result] = []
    for kind in ("sqlite",) if quick else ("sqlite", "postgresql"):
        with application(kind) as app:
            with app.app_context():
                bill = write_bill(length_days=length, keys=keys)
                if kind == "postgresql":
                    db.session.execute(text("ANALYZE"))
                    db.session.commit()
                results += [_question(kind, bill, question, quick) for question in _questions(bill)]
            results.append(_page(kind, app, bill, quick))
    return results


def _questions(bill: Bill) -> list[Question]:
    month = Month.of(bill.last)
    this, ninety = month_period(month), Period(bill.last - timedelta(days=89), bill.last)
    return [
        Question("summary", lambda scope: picture(scope, month, bill.last), needed(month, bill.last)),
        Question("trend-90d", lambda scope: trend_series(scope, By.PROJECT, ninety), ninety, "project", "project_id"),
        Question("by-project", lambda scope: breakdown(scope, By.PROJECT, this), this, "project", "project_id"),
        Question("by-model", lambda scope: breakdown(scope, By.MODEL, this), this, "line_item", "line_item"),
        Question("by-key", lambda scope: breakdown(scope, By.API_KEY, this), this, "api_key", "api_key_id"),
    ]


def _question(kind: str, bill: Bill, question: Question, quick: bool) -> Result:
    scope = scope_of(connections(bill.workspace_id))
    connection = bill.connection_id.replace("-", "") if kind == "sqlite" else bill.connection_id
    values = {"c": connection, "by": question.dimension, "a": question.period.first, "b": question.period.last}
    if kind == "sqlite":
        values |= {"a": str(question.period.first), "b": str(question.period.last)}
    series = interleaved(
        {
            "ours": lambda: _ended(lambda: question.ask(scope)),
            "limit": lambda: _ended(lambda: db.session.execute(text(question.limit), values).all()),
            "peer": lambda: _ended(lambda: db.session.execute(text(question.peer), values).all()),
        },
        quick=quick,
        calls=20,
    )
    return Result(
        f"{kind}/{question.name}",
        "ours (names, shares and usage included) / bare SQL on the same roll-up; peer: the same from cost rows",
        "≤ 8",
        series["ours"],
        series["limit"],
        series["peer"],
        bound=8,
        notes={"cost rows": bill.rows},
    )


def _ended(ask: Callable[[], object]) -> object:
    answer = ask()
    db.session.rollback()
    return answer


def _page(kind: str, app: Flask, bill: Bill, quick: bool) -> Result:
    """The whole dashboard beside the health page, which is Flask and nothing else."""
    client = _signed_in(app, bill)
    series = interleaved(
        {"ours": lambda: client.get("/dashboard"), "limit": lambda: client.get("/healthz")}, quick=quick, calls=20
    )
    notes: dict[str, object] = {"queries": _queries(app, client), "cost rows": bill.rows}
    return Result(f"{kind}/page", "GET /dashboard / GET /healthz", "–", series["ours"], series["limit"], notes=notes)


def _signed_in(app: Flask, bill: Bill) -> FlaskClient:
    with app.app_context():
        token = accounts.open_session(db.session.get_one(Person, bill.person_id)).token
        db.session.commit()
    client = app.test_client()
    with client.session_transaction() as session:
        session["sign_in"] = token
    return client


def _queries(app: Flask, client: FlaskClient) -> int:
    statements: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert client.get("/dashboard").status_code == 200
    return sum(not statement.startswith("BEGIN") for statement in statements)
