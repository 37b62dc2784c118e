"""What the recorder writes: one short transaction a tick, for every call that has something new or a lease to renew.

Laws: a row is written only while it is open and its lease token is ours; a row that somebody else has locked (it is
being stopped or settled) is left for the next tick, so that it holds up nobody else's answer; writing the same tick
twice is writing it once. On PostgreSQL it is one statement over arrays, on SQLite a read and two prepared statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine

from tokenboard.core.direct import Direct

LEASE_SECONDS = 10

_POSTGRESQL = Direct(f"""
WITH told AS (
  SELECT * FROM unnest(:ids::uuid[], :tokens::uuid[], :chars::int[], :bytes::int[], :micros::bigint[],
                       :renews::bool[]) AS t (id, token, chars, bytes, micros, renews)
), mine AS (
  SELECT c.id FROM metered_call c JOIN told t ON t.id = c.id
  WHERE c.state = 'open' AND c.lease_token = t.token
  ORDER BY c.id FOR UPDATE OF c SKIP LOCKED
), kept AS (
  UPDATE metered_call c
  SET recorded_chars = t.chars, recorded_bytes = t.bytes, watermark_micros = t.micros,
      first_piece_at = COALESCE(c.first_piece_at, CASE WHEN t.bytes > 0 THEN now() END),
      lease_until = CASE WHEN t.renews THEN now() + interval '{LEASE_SECONDS} seconds' ELSE c.lease_until END
  FROM mine m JOIN told t ON t.id = m.id
  WHERE c.id = m.id
  RETURNING c.id
), pieces AS (
  INSERT INTO call_piece (call_id, from_char, text)
  SELECT p.call_id, p.from_char, p.text
  FROM unnest(:piece_ids::uuid[], :from_chars::int[], :texts::text[]) AS p (call_id, from_char, text)
  JOIN kept k ON k.id = p.call_id
  ON CONFLICT (call_id, from_char) DO UPDATE SET text = EXCLUDED.text
)
SELECT t.id::text, k.id IS NOT NULL, COALESCE(c.state = 'open' AND c.lease_token = t.token, false), c.stop_requested_at
FROM told t LEFT JOIN metered_call c ON c.id = t.id LEFT JOIN kept k ON k.id = t.id
""")  # noqa: S608 - the one thing filled in is a number of ours

_SQLITE_READ = "SELECT id, state, lease_token, stop_requested_at FROM metered_call WHERE id IN ({marks})"
_SQLITE_KEEP = """
UPDATE metered_call SET recorded_chars = :chars, recorded_bytes = :bytes, watermark_micros = :micros,
  first_piece_at = COALESCE(first_piece_at, CASE WHEN :bytes > 0 THEN :at END),
  lease_until = CASE WHEN :renews THEN :until ELSE lease_until END
WHERE id = :id
"""
_SQLITE_PIECE = """
INSERT INTO call_piece (call_id, from_char, text) VALUES (:id, :from_char, :text)
ON CONFLICT (call_id, from_char) DO UPDATE SET text = excluded.text
"""
_SQLITE_INSTANT = "%Y-%m-%d %H:%M:%S.%f"


# Tuples, here and for what comes in and goes on: thousands are made a second, and a frozen object takes thrice as long.
class Note(NamedTuple):
    """One call's share of a tick: where it stands, and the text that is new. Units: micro-credits."""

    call_id: str
    lease_token: str
    chars: int
    output_bytes: int
    watermark_micros: int
    renews_lease: bool  # not at every tick: the lease is indexed, and a row moves cheaply while no index entry does
    from_char: int = 0
    text: str = ""  # only of calls whose text must survive


class Verdict(NamedTuple):
    """What became of a note. Kept; or not now (somebody holds the row); or never more, because it is not ours."""

    is_kept: bool
    is_ours: bool
    is_asked_to_stop: bool


def write(engine: Engine, notes: Sequence[Note], at: datetime) -> dict[str, Verdict]:
    """Write a tick, and tell each call's verdict by its id. Idempotent. Raises: SQLAlchemyError, nothing written."""
    if engine.dialect.name == "postgresql":
        return _on_postgresql(engine, notes)
    return _on_sqlite(engine, notes, at)


def _on_postgresql(engine: Engine, notes: Sequence[Note]) -> dict[str, Verdict]:
    with_text = [note for note in notes if note.text]
    values = {
        "ids": [note.call_id for note in notes],
        "tokens": [note.lease_token for note in notes],
        "chars": [note.chars for note in notes],
        "bytes": [note.output_bytes for note in notes],
        "micros": [note.watermark_micros for note in notes],
        "renews": [note.renews_lease for note in notes],
        "piece_ids": [note.call_id for note in with_text],
        "from_chars": [note.from_char for note in with_text],
        "texts": [note.text for note in with_text],
    }
    with engine.connect() as connection:  # AUTOCOMMIT: the statement is the transaction
        rows = _POSTGRESQL.rows(values, connection)
    return {row[0]: Verdict(row[1], row[2], row[3] is not None) for row in rows}


def _on_sqlite(engine: Engine, notes: Sequence[Note], at: datetime) -> dict[str, Verdict]:
    statement = _SQLITE_READ.format(marks=", ".join("?" * len(notes)))
    with engine.begin() as connection:  # IMMEDIATE: nobody else writes between the look and the writing
        rows = connection.exec_driver_sql(statement, tuple(_key(note) for note in notes)).all()
        found = {row[0]: row for row in rows}
        ours = [note for note in notes if _is_ours(note, found.get(_key(note)))]
        if ours:
            until = _text(at + timedelta(seconds=LEASE_SECONDS))
            connection.exec_driver_sql(_SQLITE_KEEP, [_values(note, _text(at), until) for note in ours])
        pieces: list[Any] = [
            {"id": _key(note), "from_char": note.from_char, "text": note.text} for note in ours if note.text
        ]
        if pieces:
            connection.exec_driver_sql(_SQLITE_PIECE, pieces)
    kept = {note.call_id for note in ours}
    return {
        note.call_id: Verdict(note.call_id in kept, note.call_id in kept, _is_asked(found.get(_key(note))))
        for note in notes
    }


def _is_ours(note: Note, row: Any | None) -> bool:
    return row is not None and row[1] == "open" and row[2] == note.lease_token.replace("-", "")


def _is_asked(row: Any | None) -> bool:
    return row is not None and row[3] is not None


def _values(note: Note, at: str, until: str) -> dict[str, Any]:
    return {
        "id": _key(note),
        "chars": note.chars,
        "bytes": note.output_bytes,
        "micros": note.watermark_micros,
        "renews": note.renews_lease,
        "at": at,
        "until": until,
    }


def _key(note: Note) -> str:
    """An id as SQLite keeps it."""
    return note.call_id.replace("-", "")


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_SQLITE_INSTANT)


def writable(text: str) -> tuple[str, int]:
    """Text that both databases take, and its bytes: no NUL, no half of a surrogate pair."""
    if text.isascii():
        return (text.replace("\x00", "\ufffd"), len(text)) if "\x00" in text else (text, len(text))
    clean = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
    return clean, len(clean.encode("utf-8"))
