"""Many records at once, on PostgreSQL: COPY into a temporary table, then one statement inserts and adds up.

The roll-ups read RETURNING of the INSERT, so duplicates never count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenboard.core.db import db
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.histogram_rules import BOUNDS_MS, COLUMNS, FIRST_TOKEN, LATENCY
from tokenboard.metering.usage_columns import DAY_KEY, RECORD, WORKSPACE_KEY, postgresql_values
from tokenboard.metering.usage_models import IS_ERROR, NIL, SUMS
from tokenboard.metering.usage_writing import upsert_sums

_PILE = "CREATE TEMP TABLE IF NOT EXISTS usage_pile (LIKE usage_record) ON COMMIT DELETE ROWS"
_COPY = f"COPY usage_pile ({', '.join(RECORD)}) FROM STDIN"
_FORGET = "DELETE FROM usage_pile"  # a second batch of the same transaction must not see the first


def _bucket(column: str) -> str:
    """The number of a latency's column, as `histogram_rules.column_of` says: bounds belong to the column below."""
    bounds = ", ".join(str(bound + 1) for bound in BOUNDS_MS)
    return f"width_bucket({column}, ARRAY[{bounds}])"


def _sums() -> str:
    plain = [f"sum({name})" for name in SUMS[2:]]
    histograms = [
        f"count(*) FILTER (WHERE {name} = {n})" for name in ("latency", "first_token") for n in range(COLUMNS)
    ]
    return ", ".join(["count(*)", f"count(*) FILTER (WHERE {IS_ERROR})", *plain, *histograms])


def _added_up(table: str, key: Sequence[str], query: str) -> str:
    names = ", ".join(key)
    # Nothing but names of our own columns in here and below.
    return f"INSERT INTO {table} ({names}, {_COUNTS}) {query} ORDER BY {names} {upsert_sums(table, key)}"


_COUNTS = ", ".join((*SUMS, *LATENCY, *FIRST_TOKEN))
_DAY, _WORKSPACE = ", ".join(DAY_KEY), ", ".join(WORKSPACE_KEY)
# The workspace's day adds up the rows of the day.
_OF_WORKSPACE = ", ".join(f"sum({name})" for name in (*SUMS, *LATENCY, *FIRST_TOKEN))
_DAYS = f"SELECT {_DAY}, {_COUNTS} FROM sums"  # noqa: S608
# The day's rows are written first, as `usage_writing` does: the condition makes PostgreSQL wait for them.
_FIRST = "WHERE (SELECT count(*) FROM days) > 0"
_WORKSPACE_DAYS = f"SELECT {_WORKSPACE}, {_OF_WORKSPACE} FROM sums {_FIRST} GROUP BY {_WORKSPACE}"  # noqa: S608


def counted(records: str) -> str:
    """Statements that insert `records` (a query of their columns) and count what was new: `fresh`, both roll-ups."""
    return f"""fresh AS (
    INSERT INTO usage_record ({", ".join(RECORD)}) {records}
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING dedupe_key, workspace_id, day_on, coalesce(person_id, '{NIL}') AS person_id, source,
              coalesce(key_id, '{NIL}') AS key_id, model, status, {", ".join(SUMS[2:])},
              {_bucket("latency_ms")} AS latency, {_bucket("first_token_ms")} AS first_token
), sums ({_DAY}, {_COUNTS}) AS (
    SELECT {_DAY}, {_sums()} FROM fresh GROUP BY {_DAY}
), days AS (
    {_added_up("usage_day", DAY_KEY, _DAYS)} RETURNING 1
), workspace_days AS (
    {_added_up("usage_workspace_day", WORKSPACE_KEY, _WORKSPACE_DAYS)}
)"""  # noqa: S608


_PILED = f"SELECT {', '.join(RECORD)} FROM usage_pile"  # noqa: S608
_WRITE = f"WITH {counted(_PILED)} SELECT dedupe_key FROM fresh".replace("%", "%%")  # noqa: S608


def write(records: Sequence[UsageFact]) -> frozenset[str]:
    """Keep and count these records; the keys of those that were new."""
    connection = db.session.connection()
    connection.exec_driver_sql(_PILE)
    connection.exec_driver_sql(_FORGET)
    _copy(connection.connection.driver_connection, records)
    return frozenset(connection.exec_driver_sql(_WRITE).scalars())


def _copy(driver: Any, records: Sequence[UsageFact]) -> None:
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for record in records:
            copy.write_row(postgresql_values(record))
