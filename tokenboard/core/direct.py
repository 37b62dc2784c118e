"""PostgreSQL spoken to directly: what is said for every call, past SQLAlchemy and past psycopg's reading of texts.

A small statement costs the client 201 µs by `session.execute`, 128 by `exec_driver_sql`, 30 here (2026-11-28); with
more than 50 parameters psycopg reads its text anew each time, 300 µs. Here the text is read once, when it is built, and
a cursor for it serves a connection for its whole life: it knows already how to write and read what comes with it.
Laws: the transaction is the session's, nothing here begins, commits or rolls back; an error is the one SQLAlchemy would
raise, and who listens to its statements hears these too; ids come as text; an integer is always a bigint, so that a
statement is prepared once and not once for each size; a list is cast where it stands (`:ids::uuid[]`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import TextLoader
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tokenboard.core.db import db

NAMED = re.compile(r"(?<!:):([a-z][a-z_0-9]*)")
COMMENT = re.compile(r"\s*--.*")
_CURSORS = "direct_cursors"


Row = tuple[Any, ...]


class Direct:
    """One statement; `:name` marks a parameter."""

    __slots__ = ("_names", "_said", "text")

    def __init__(self, text: str) -> None:
        said = COMMENT.sub("", text)
        self._names = names = tuple(dict.fromkeys(NAMED.findall(said)))
        self.text = NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", said)
        self._said = self.text.encode()

    def row(self, values: Mapping[str, Any], connection: Connection | None = None) -> Row | None:
        """Execute, in the session's transaction unless told in which; the first row, if there is one."""
        rows = self.rows(values, connection)
        return rows[0] if rows else None

    def rows(self, values: Mapping[str, Any], connection: Connection | None = None) -> list[Row]:
        """The same, and all rows. For statements that answer with rows."""
        connection = connection or db.session.connection()
        cursor, sent = self._cursor(connection), tuple(map(values.__getitem__, self._names))
        for hear in connection.dispatch.before_cursor_execute:
            hear(connection, cursor, self.text, sent, None, False)
        try:
            answer = cursor.execute(self._said, sent).fetchall()
        except psycopg.Error as error:
            raise _as_sqlalchemy(connection, self.text, error) from error
        for hear in connection.dispatch.after_cursor_execute:
            hear(connection, cursor, self.text, sent, None, False)
        return answer

    def _cursor(self, connection: Connection) -> psycopg.RawCursor[Row]:
        known: dict[bytes, psycopg.RawCursor[Row]] = connection.info.setdefault(_CURSORS, {})
        cursor = known.get(self._said)
        if cursor is None:
            cursor = known[self._said] = _new_cursor(connection.connection.driver_connection)
        return cursor


class _WholeListDumper(Dumper):
    """A list without gaps, all of one kind, written in one go: psycopg looks at each element twice, 1 µs apiece."""

    def dump(self, obj: list[Any]) -> bytes:
        is_text = bool(obj) and isinstance(obj[0], str)
        return f"{{{','.join(map(_quoted if is_text else str, obj))}}}".encode()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _new_cursor(driver: Any) -> psycopg.RawCursor[Row]:
    cursor = psycopg.RawCursor(driver)
    cursor.adapters.register_dumper(int, Int8Dumper)
    cursor.adapters.register_dumper(list, _WholeListDumper)
    cursor.adapters.register_loader("uuid", TextLoader)
    return cursor


def _as_sqlalchemy(connection: Connection, said: str, error: psycopg.Error) -> BaseException:
    """The same error as SQLAlchemy raises it; a connection that is gone is given up, as it would."""
    driver: Any = connection.connection.driver_connection
    is_gone = bool(driver.closed or driver.broken)
    if is_gone:
        connection.invalidate(error)
    known: dict[str, Any] = {"hide_parameters": True, "connection_invalidated": is_gone, "dialect": connection.dialect}
    raised: BaseException = DBAPIError.instance(said, None, error, psycopg.Error, **known)
    return raised
