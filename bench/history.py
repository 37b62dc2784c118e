"""A long history for one wallet, written by the database itself: only its length and order matter to who reads it."""

from __future__ import annotations

from sqlalchemy import text

from tokenboard.core.db import db

_COLUMNS = (
    "id, wallet_id, version, kind, idempotency_key, input_hash, amount_micros, posted_after_micros, held_after_micros, "
    "description, source, created_at"
)
_POSTGRESQL = f"""
INSERT INTO ledger_transaction ({_COLUMNS})
SELECT gen_random_uuid(), cast(:wallet AS uuid), n, 'spend', 'old-' || n, '0', -1000, 1000000000000, 0,
       'bench', 'bench:1', now() - (:entries - n) * interval '1 second'
  FROM generate_series(2, :entries) AS n
"""
_SQLITE = f"""
INSERT INTO ledger_transaction ({_COLUMNS})
WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < :entries)
SELECT lower(hex(randomblob(16))), :wallet, n, 'spend', 'old-' || n, '0', -1000, 1000000000000, 0,
       'bench', 'bench:1', '2026-01-01 00:00:00.000000'
  FROM numbers
"""


def fill_history(wallet_id: str, entries: int) -> None:
    """Give a wallet that has had one grant so many transactions. Commits."""
    is_postgresql = db.engine.dialect.name == "postgresql"
    wallet = wallet_id if is_postgresql else wallet_id.replace("-", "")
    if is_postgresql:
        db.session.execute(text("SET LOCAL statement_timeout = 0"))
    db.session.execute(text(_POSTGRESQL if is_postgresql else _SQLITE), {"wallet": wallet, "entries": entries})
    db.session.commit()
    if is_postgresql:
        db.session.execute(text("ANALYZE ledger_transaction"))
        db.session.commit()
