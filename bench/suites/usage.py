"""Usage records: how fast they come in beside COPY straight, and what analytics cost from roll-ups.

Goals (reference/performance.md, 7): I1 ingest ≥ 0.35 of COPY; D1 each question ≤ 2× a range read of the same roll-up
rows and ≤ 1/25 of the same from rows; D2 five million records cost ≤ 1.5× of half a million; D3 all workspaces' month
≤ 1/40 of the same from rows. Quick: SQLite and 20,000 records, whose ratios say little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from bench.houses import application
from bench.measuring import Result, Sample, interleaved, rounds, sample
from bench.usage_history import BATCH, LAST, facts, make_workspaces, write_by_ingest, write_in_the_database
from tokenboard.core.db import db, is_postgresql
from tokenboard.metering import usage_queries
from tokenboard.metering.usage_columns import RECORD, postgresql_values, sqlite_values
from tokenboard.metering.usage_rules import By, Span
from tokenboard.metering.usage_service import ingest

FULL, PART, QUICK = 5_000_000, 500_000, 20_000
INGESTED = 25  # batches of each contender in a round, at most
MONTH = Span(LAST - timedelta(days=29), LAST)
QUARTER = Span(LAST - timedelta(days=89), LAST)
_FRESH_FROM = 10_000_000  # numbers that no written record has

_RANGE = "SELECT * FROM {table} WHERE workspace_id = :w AND day_on BETWEEN :a AND :b"
_ROWS = (
    "SELECT {key}, count(*), sum(credits_micros), sum(cost_nano_usd), sum(prompt_tokens), sum(completion_tokens) "
    "FROM usage_record WHERE workspace_id = :w AND occurred_at >= :from AND occurred_at < :until GROUP BY {key}"
)
_ALL_ROWS = (
    "SELECT workspace_id, count(*), sum(credits_micros), sum(cost_nano_usd) FROM usage_record "
    "WHERE day_on BETWEEN :a AND :b GROUP BY workspace_id"
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the usage page, the roll-up that answers it, and the column it groups by in the rows."""

    name: str
    by: By
    span: Span
    table: str
    key: str


QUESTIONS = (
    Question("month-by-day", By.DAY, MONTH, "usage_workspace_day", "day_on"),
    Question("trend-90d", By.DAY, QUARTER, "usage_workspace_day", "day_on"),
    Question("by-model", By.MODEL, MONTH, "usage_day", "model"),
    Question("by-key", By.KEY, MONTH, "usage_day", "key_id"),
)


def measure(quick: bool) -> list[Result]:
    """SQLite with few records when quick; else PostgreSQL with half a million and with five."""
    if quick:
        with application("sqlite") as app, app.app_context():
            workspaces = make_workspaces()
            write_by_ingest(workspaces, QUICK)
            return [*_analytics("sqlite", workspaces, QUICK, quick), _ingest("sqlite", workspaces, quick)]
    with application("postgresql") as app, app.app_context():
        workspaces = make_workspaces()
        write_in_the_database(workspaces, PART)
        before = {one.name: _series(workspaces[0], one, quick) for one in QUESTIONS}
        write_in_the_database(workspaces, FULL - PART, start=PART)
        results = _analytics("postgresql", workspaces, FULL, quick)
        results += [_growth(workspaces[0], one, before[one.name], quick) for one in QUESTIONS]
        return [*results, _ingest("postgresql", workspaces, quick)]


def _values(workspace_id: str, span: Span) -> dict[str, Any]:
    until = span.last + timedelta(days=1)
    given: dict[str, Any] = {"w": workspace_id, "a": span.first, "b": span.last, "from": span.first, "until": until}
    if is_postgresql():
        return given
    return {name: str(value) for name, value in given.items()} | {"w": workspace_id.replace("-", "")}


def _ended(ask: Callable[[], object]) -> object:
    answer = ask()
    db.session.rollback()
    return answer


def _read(statement: str, values: dict[str, Any]) -> Callable[[], object]:
    return lambda: _ended(lambda: db.session.execute(text(statement), values).all())


def _asked(workspace_id: str, question: Question) -> Callable[[], object]:
    return lambda: _ended(lambda: usage_queries.summary(workspace_id, question.span, question.by))


def _series(workspace_id: str, question: Question, quick: bool) -> list[Sample]:
    ask = _asked(workspace_id, question)
    ask()
    return [sample(ask, calls=50) for _ in range(rounds(quick))]


def _analytics(kind: str, workspaces: list[str], count: int, quick: bool) -> list[Result]:
    notes: dict[str, object] = {"records": count}
    results = []
    for question in QUESTIONS:
        values = _values(workspaces[0], question.span)
        contenders: dict[str, Callable[[], object]] = {
            "ours": _asked(workspaces[0], question),
            "limit": _read(_RANGE.format(table=question.table), values),
            "peer": _read(_ROWS.format(key=question.key), values),
        }
        series = interleaved(contenders, quick=quick, calls=20)
        ours, limit, peer = series["ours"], series["limit"], series["peer"]
        what = "ours, with percentiles and names / a range read of the same roll-up rows; peer: the sums from rows"
        results.append(Result(f"{kind}/D1-{question.name}", what, "≤ 2", ours, limit, peer, bound=2, notes=notes))
        bound = None if quick else 1 / 25
        results.append(Result(f"{kind}/D1-{question.name}-rows", "ours / rows", "≤ 0.04", ours, peer, bound=bound))
    everything: dict[str, Callable[[], object]] = {
        "ours": lambda: _ended(lambda: usage_queries.by_workspace(MONTH)),
        "limit": _read(_ALL_ROWS, _values(workspaces[0], MONTH)),
    }
    series = interleaved(everything, quick=quick, calls=20)
    bound = None if quick else 1 / 40
    what = "every workspace's month: ours / the sums from rows"
    return [*results, Result(f"{kind}/D3-all", what, "≤ 0.025", series["ours"], series["limit"], bound=bound)]


def _growth(workspace_id: str, question: Question, before: list[Sample], quick: bool) -> Result:
    now = _series(workspace_id, question, quick)
    what = f"{FULL:,} records / {PART:,} records"
    return Result(f"postgresql/D2-{question.name}", what, "≤ 1.5", now, before, bound=1.5)


def _ingest(kind: str, workspaces: list[str], quick: bool) -> Result:
    """Batches that nobody has seen; what makes the facts is not measured, what turns them into rows is."""
    starts = iter(range(_FRESH_FROM, 10 * _FRESH_FROM, BATCH))
    count = (INGESTED + 1) * (rounds(quick) + 1)
    mine = iter([list(facts(workspaces, _numbers(starts))) for _ in range(count)])
    row_of = postgresql_values if is_postgresql() else sqlite_values
    straight = iter([[row_of(one) for one in facts(workspaces, _numbers(starts))] for _ in range(count)])
    contenders: dict[str, Callable[[], object]] = {
        "ours": lambda: _take(next(mine)),
        "limit": lambda: _copy(next(straight)),
    }
    series = interleaved(contenders, quick=quick, calls=INGESTED)
    what = f"batches of {BATCH:,}, deduplicated, with two roll-ups / COPY straight (SQLite: executemany)"
    seconds = min(one.wall_ms for one in series["ours"]) / 1000
    notes: dict[str, object] = {"records a second at best": round(BATCH / seconds)}
    bound = None if quick else 0.35
    return Result(f"{kind}/I1", what, "≥ 0.35", series["ours"], series["limit"], bound=bound, is_rate=True, notes=notes)


def _numbers(starts: Iterator[int]) -> range:
    start = next(starts)
    return range(start, start + BATCH)


def _take(records: list[Any]) -> None:
    ingest(records=records)
    db.session.commit()


def _copy(rows: list[tuple[Any, ...]]) -> None:
    columns = ", ".join(RECORD)
    driver: Any = db.session.connection().connection.driver_connection
    if is_postgresql():
        with driver.cursor() as cursor, cursor.copy(f"COPY usage_record ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        driver.executemany(f"INSERT INTO usage_record ({columns}) VALUES ({', '.join('?' * len(RECORD))})", rows)
    db.session.commit()
