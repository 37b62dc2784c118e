"""What the sandbox remembers, in its own SQLite file: settings, ordered faults, scripts, revisions, counters, calls,
the payment providers' objects, answers and webhook deliveries, and LiteLLM's spend log.

Laws: every call opens its own connection, so that any number of threads may ask; nothing here is TokenBoard's data.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

_CALLS_KEPT = 2_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, fault TEXT NOT NULL, remaining INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS script (
    key TEXT NOT NULL, path TEXT NOT NULL, pages TEXT NOT NULL, PRIMARY KEY (key, path));
CREATE TABLE IF NOT EXISTS revision (
    id INTEGER PRIMARY KEY, day TEXT NOT NULL, project_id TEXT, line_item TEXT, factor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS call (id INTEGER PRIMARY KEY, path TEXT NOT NULL, query TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS object (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, private TEXT NOT NULL,
    due_at INTEGER, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS object_due ON object (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    number INTEGER PRIMARY KEY, provider TEXT NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL,
    body TEXT NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL, attempts INTEGER NOT NULL, last_status INTEGER);
CREATE TABLE IF NOT EXISTS spend (
    number INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, call_id TEXT NOT NULL, api_key TEXT NOT NULL,
    user TEXT NOT NULL, end_user TEXT NOT NULL, model_group TEXT NOT NULL, status TEXT NOT NULL,
    started_at TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS spend_started ON spend (started_at);
"""
_TABLES = ("setting", "fault", "script", "revision", "counter", "call", "object", "answer", "delivery", "spend")


@dataclass(frozen=True, slots=True)
class Revision:
    """The provider changes its mind about a day: what matches is multiplied by `factor`. None matches all."""

    day: date
    project_id: str | None
    line_item: str | None
    factor: Decimal


class Store:
    """The sandbox's memory."""

    def __init__(self, database: Path) -> None:
        self._path = database
        # Who hears of every new row of the spend log.
        self.spend_heard: list[Callable[[Mapping[str, Any]], None]] = []
        database.parent.mkdir(parents=True, exist_ok=True)
        with self.opened() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, for the statements of one block."""
        db = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = OFF")  # a lost write costs a developer nothing
            yield db
        finally:
            db.close()

    def reset(self) -> None:
        """Forget everything; the next request begins a new world."""
        with self.opened() as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the tuple above

    def setting(self, name: str) -> str | None:
        with self.opened() as db:
            row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str | None) -> None:
        with self.opened() as db:
            if value is None:
                db.execute("DELETE FROM setting WHERE name = ?", (name,))
            else:
                db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def settle(self, name: str, value: str) -> str:
        """The setting's value; `value` becomes it if there is none yet."""
        with self.opened() as db:
            db.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, value))
            return str(db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()[0])

    def count(self, name: str) -> int:
        """Count one more under this name; the first is 1."""
        with self.opened() as db:
            row = db.execute(
                "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (name,),
            ).fetchone()
        return int(row[0])

    def order_fault(self, path: str, fault: str, times: int) -> None:
        with self.opened() as db:
            db.execute("INSERT INTO fault (path, fault, remaining) VALUES (?, ?, ?)", (path, fault, times))

    def take_fault(self, path: str) -> str | None:
        """The oldest ordered fault for this path, used up by one."""
        with self.opened() as db:
            row = db.execute(
                "UPDATE fault SET remaining = remaining - 1 WHERE id = (SELECT id FROM fault"
                " WHERE remaining > 0 AND substr(?, 1, length(path)) = path ORDER BY id LIMIT 1) RETURNING fault",
                (path,),
            ).fetchone()
        return None if row is None else str(row[0])

    def write_script(self, key: str, path: str, pages: list[str]) -> None:
        with self.opened() as db:
            db.execute("INSERT OR REPLACE INTO script VALUES (?, ?, ?)", (key, path, json.dumps(pages)))

    def script(self, key: str, path: str) -> list[str] | None:
        """The pages to serve verbatim to this key (or to all, `*`), each as JSON text."""
        with self.opened() as db:
            row = db.execute(
                "SELECT pages FROM script WHERE key IN (?, '*') AND path = ? ORDER BY key = '*' LIMIT 1", (key, path)
            ).fetchone()
        return None if row is None else list(json.loads(row[0]))

    def add_revision(self, revision: Revision) -> None:
        with self.opened() as db:
            db.execute(
                "INSERT INTO revision (day, project_id, line_item, factor) VALUES (?, ?, ?, ?)",
                (revision.day.isoformat(), revision.project_id, revision.line_item, str(revision.factor)),
            )

    def revisions(self) -> list[Revision]:
        with self.opened() as db:
            rows = db.execute("SELECT day, project_id, line_item, factor FROM revision ORDER BY id").fetchall()
        return [
            Revision(date.fromisoformat(day), project, item, Decimal(factor)) for day, project, item, factor in rows
        ]

    def record_call(self, path: str, query: str) -> None:
        with self.opened() as db:
            done = db.execute("INSERT INTO call (path, query) VALUES (?, ?)", (path, query))
            db.execute("DELETE FROM call WHERE id <= ?", ((done.lastrowid or 0) - _CALLS_KEPT,))

    def calls(self) -> list[tuple[str, str]]:
        """The latest calls, oldest first: path and query. Keys are not kept."""
        with self.opened() as db:
            return [(str(path), str(query)) for path, query in db.execute("SELECT path, query FROM call ORDER BY id")]
