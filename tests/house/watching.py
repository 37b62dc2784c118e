"""Whether a request has written anything: every table's rows, before and after."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from flask import Flask

from tokenboard.core.db import db


class Watch:
    """Every table's rows, and whether anything was committed since the last look."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        with app.app_context():
            self._line = sqlite3.connect(str(db.engine.url.database))
        self._version = self._asked()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def _asked(self) -> int:
        return int(self._line.execute("PRAGMA data_version").fetchone()[0])

    def has_moved(self) -> bool:
        before, self._version = self._version, self._asked()
        return before != self._version

    def rows(self) -> dict[str, int]:
        """A checksum of each table; when a session was last seen is no write of the request's."""
        with self._app.app_context(), db.engine.connect() as connection:
            return {
                table.name: hash(tuple(sorted(map(repr, connection.execute(sa.select(*_watched(table)))))))
                for table in db.metadata.sorted_tables
            }


def _watched(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.columns if column.name != "last_seen_at"]
