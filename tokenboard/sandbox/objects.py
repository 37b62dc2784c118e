"""The payment providers' objects as JSON: kept by kind and id, listed newest first, found again when they fall due.

Beside what a provider tells of an object lies what only the sandbox knows of it (`private`): how a card behaves, what
a session sells.
"""

from __future__ import annotations

import json
from typing import Any

from tokenboard.sandbox.store import Store

Body = dict[str, Any]


class Objects:
    """All objects of the sandbox's payment providers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_number(self, name: str) -> int:
        """1, 2, 3, … for each name: ids are the same in every fresh sandbox."""
        return self._store.count(f"number|{name}")

    def put(self, kind: str, object_id: str, body: Body, *, due_at: int | None = None) -> None:
        """Keep an object as it is now; `due_at` is the unix time at which something happens to it by itself."""
        with self._store.opened() as db:
            db.execute(
                "INSERT INTO object (kind, id, body, private, due_at) VALUES (?, ?, ?, '{}', ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, due_at = excluded.due_at",
                (kind, object_id, json.dumps(body), due_at),
            )

    def get(self, kind: str, object_id: str) -> Body | None:
        with self._store.opened() as db:
            row = db.execute("SELECT body FROM object WHERE kind = ? AND id = ?", (kind, object_id)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def remove(self, kind: str, object_id: str) -> None:
        with self._store.opened() as db:
            db.execute("DELETE FROM object WHERE kind = ? AND id = ?", (kind, object_id))

    def listed(self, kind: str) -> list[Body]:
        """All objects of a kind, newest first."""
        with self._store.opened() as db:
            rows = db.execute("SELECT body FROM object WHERE kind = ? ORDER BY number DESC", (kind,)).fetchall()
        return [dict(json.loads(row[0])) for row in rows]

    def private(self, kind: str, object_id: str) -> Body:
        """What only the sandbox knows of an object."""
        with self._store.opened() as db:
            row = db.execute("SELECT private FROM object WHERE kind = ? AND id = ?", (kind, object_id)).fetchone()
        return {} if row is None else dict(json.loads(row[0]))

    def note(self, kind: str, object_id: str, **facts: Any) -> None:
        """Remember something private about an object."""
        known = json.dumps(self.private(kind, object_id) | facts)
        with self._store.opened() as db:
            db.execute("UPDATE object SET private = ? WHERE kind = ? AND id = ?", (known, kind, object_id))

    def next_due(self, kind_prefix: str, until: int) -> tuple[str, str, int] | None:
        """Kind, id and time of the object that falls due first, if that is not after `until`."""
        with self._store.opened() as db:
            row = db.execute(
                "SELECT kind, id, due_at FROM object WHERE due_at <= ? AND substr(kind, 1, ?) = ?"
                " ORDER BY due_at, number LIMIT 1",
                (until, len(kind_prefix), kind_prefix),
            ).fetchone()
        return None if row is None else (str(row[0]), str(row[1]), int(row[2]))

    def due_at(self, kind: str, object_id: str) -> int | None:
        with self._store.opened() as db:
            row = db.execute("SELECT due_at FROM object WHERE kind = ? AND id = ?", (kind, object_id)).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def keep_answer(self, key: str, fingerprint: str, status: int, body: str) -> None:
        """Remember what was answered under an idempotency key."""
        with self._store.opened() as db:
            db.execute("INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?)", (key, fingerprint, status, body))

    def answer(self, key: str) -> tuple[str, int, str] | None:
        """Fingerprint, status and body of what was answered under this key."""
        with self._store.opened() as db:
            row = db.execute("SELECT fingerprint, status, body FROM answer WHERE key = ?", (key,)).fetchone()
        return None if row is None else (str(row[0]), int(row[1]), str(row[2]))
