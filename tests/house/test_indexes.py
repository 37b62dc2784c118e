"""Questions that would otherwise be asked of every row: the database itself says along which index it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, text

from tokenboard.core.clock import now, today
from tokenboard.core.db import db, new_id
from tokenboard.gateway import rates
from tokenboard.keys import spend_batch_service, spend_queries
from tokenboard.keys.models import VirtualKey
from tokenboard.ledger import usage_totals
from tokenboard.metering import error_queries, house_queries, usage_queries
from tokenboard.metering.usage_rules import Filters, Span, cursor_of
from tokenboard.ops import waiting_queries

KEY, WORKSPACE = new_id(), new_id()


@dataclass(frozen=True)
class Question:
    """Who asks, and the index that answers."""

    ask: Callable[[], Any]
    index: str


def _month() -> Span:
    return Span(today() - timedelta(days=29), today())


def _a_keys_page() -> None:
    usage_queries.logs(WORKSPACE, _month(), Filters(key_id=KEY))


def _a_keys_next_page() -> None:
    usage_queries.logs(WORKSPACE, _month(), Filters(key_id=KEY), cursor=cursor_of(now(), new_id()))


def _a_keys_tokens() -> None:
    rates.require_room(VirtualKey(id=KEY, workspace_id=WORKSPACE, tpm_limit=1))


QUESTIONS = {
    "a key's last requests": Question(_a_keys_page, "ix_usage_record_key"),
    "a key's requests before those": Question(_a_keys_next_page, "ix_usage_record_key"),
    "a key's tokens of the last minute": Question(_a_keys_tokens, "ix_usage_record_key"),
    "a key's errors by code": Question(
        lambda: error_queries.by_code(WORKSPACE, _month(), key_id=KEY), "ix_usage_record_errors"
    ),
    "what the meter counted in a month": Question(
        lambda: house_queries.by_day_and_model(_month()), "ix_usage_day_day_on"
    ),
    "what the ledger booked in a month": Question(
        lambda: usage_totals.taken_by_day(date(2026, 11, 1), date(2026, 11, 30), metered=("metering:",)),
        "ix_ledger_transaction_created_at",
    ),
    "deliveries that wait": Question(lambda: spend_queries.due_batches(now(), 10), "ix_spend_batch_due"),
    "deliveries that were given up": Question(waiting_queries.waiting, "ix_spend_batch_dead"),
    "deliveries that are old": Question(spend_batch_service.forget_old, "ix_spend_batch_ended"),
}


# Which index PostgreSQL prefers hangs on statistics that no test controls; that this one serves does not.
_RIVALS = text("""
SELECT rival.indexrelid::regclass::text FROM pg_index AS ours
  JOIN pg_index AS rival ON rival.indrelid = ours.indrelid AND rival.indexrelid <> ours.indexrelid
 WHERE ours.indexrelid = to_regclass(:name)
   AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = rival.indexrelid)
""")


def leave_alone(index: str) -> None:
    """Until the rollback PostgreSQL has no other index on the table, and no wish to read it whole."""
    for rival in db.session.scalars(_RIVALS, {"name": index}).all():
        db.session.execute(text(f"DROP INDEX {rival}"))
    db.session.execute(text("SET LOCAL enable_seqscan = off"))  # tables are as good as empty here


def plan_of(ask: Callable[[], Any], index: str) -> str:
    """How the database carries out the last statement of what is asked."""
    said: list[tuple[str, Any]] = []

    def look(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", look)
    try:
        ask()
    finally:
        event.remove(db.engine, "before_cursor_execute", look)
    statement, parameters = said[-1]
    is_postgresql = db.engine.dialect.name == "postgresql"
    if is_postgresql:
        leave_alone(index)
    word = "EXPLAIN" if is_postgresql else "EXPLAIN QUERY PLAN"
    plan = db.session.connection().exec_driver_sql(f"{word} {statement}", parameters).all()
    db.session.rollback()
    return "\n".join(str(row[-1]) for row in plan)


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_is_read_along_its_index(app: Flask, name: str) -> None:
    question = QUESTIONS[name]
    with app.app_context():
        plan = plan_of(question.ask, question.index)

    assert question.index in plan


def test_a_page_far_back_begins_where_the_page_before_ended(sqlite_app: Flask) -> None:
    with sqlite_app.app_context():
        plan = plan_of(_a_keys_next_page, "ix_usage_record_key")

    assert "(workspace_id=? AND key_id=? AND occurred_at>? AND occurred_at<?)" in plan
    assert "TEMP B-TREE" not in plan  # it comes in the order of the page: nothing is sorted
