"""The caller's transaction, spoken to in the driver's own words.

The hot path goes past SQLAlchemy's compiler (`exec_driver_sql`: 0.39 of pgbench, `text()` 0.30, the ORM 0.10;
reference/performance.md, 3), so ids and instants are put into each database's form here, and nowhere else.
Law: nothing here begins, commits or rolls back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, CursorResult

from tokenboard.core.db import db
from tokenboard.core.direct import COMMENT, NAMED, Direct

Values = Mapping[str, Any]
_SQLITE_INSTANT = "%Y-%m-%d %H:%M:%S.%f"


class Sql:
    """One statement for both drivers; `:name` marks a parameter. `postgresql` where that database wants other words."""

    __slots__ = ("direct", "postgresql", "sqlite", "text")

    def __init__(self, text: str, *, postgresql: str | None = None) -> None:
        self.text = said = postgresql or text
        self.sqlite = COMMENT.sub("", text)
        self.postgresql = NAMED.sub(r"%(\1)s", COMMENT.sub("", said))
        self.direct = Direct(said)


@dataclass(frozen=True, slots=True)
class Ledger:
    """A connection inside its caller's transaction."""

    connection: Connection
    is_postgresql: bool

    def run(self, statement: Sql, values: Values | Sequence[Values]) -> CursorResult[Any]:
        """Execute; a list of values executes once for each."""
        text = statement.postgresql if self.is_postgresql else statement.sqlite
        return self.connection.exec_driver_sql(text, values)

    def row(self, statement: Sql, values: Values) -> Any | None:
        """The first row of the answer, or None."""
        return self.run(statement, values).first()

    def direct(self, statement: Direct, values: Values) -> tuple[Any, ...] | None:
        """The first row of PostgreSQL's answer, or None, by the shortest way."""
        return statement.row(values, self.connection)

    def id_in(self, value: str | None) -> str | None:
        """An id as the column keeps it: a uuid on PostgreSQL, 32 hex digits on SQLite."""
        return value if self.is_postgresql or value is None else value.replace("-", "")

    def at_in(self, value: datetime | None) -> datetime | str | None:
        """An instant as the column keeps it: SQLAlchemy writes text on SQLite, and text sorts only in one form."""
        if value is None or self.is_postgresql:
            return value
        return value.astimezone(UTC).strftime(_SQLITE_INSTANT)


def id_out(value: Any) -> str:
    """An id as the rest of the house handles it, from either database."""
    text = str(value)
    return text if len(text) == 36 else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def id_or_none(value: Any) -> str | None:
    return None if value is None else id_out(value)


def at_out(value: Any) -> datetime:
    """An instant, aware and in UTC, from either database."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


def at_or_none(value: Any) -> datetime | None:
    return None if value is None else at_out(value)


def ledger() -> Ledger:
    """The current session's transaction, begun by the first statement if it has not been."""
    connection = db.session.connection()
    return Ledger(connection, connection.dialect.name == "postgresql")
