"""INSERT … ON CONFLICT, which both databases know and SQLAlchemy spells per dialect."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from tokenboard.core.db import Base, db, is_postgresql

Insert = postgresql.Insert | sqlite.Insert


def insert(row: type[Base] | Table) -> Insert:
    """An INSERT for the current database, for `.on_conflict_do_update(…)`; into a bare table it costs a third less."""
    return postgresql.insert(row) if is_postgresql() else sqlite.insert(row)


def insert_once(row: type[Base], *, unique: str, **values: Any) -> bool:
    """Insert unless a row with the same `unique` column exists. Whether this call was the first.

    Idempotent: two transactions at once wait for each other, and one of them inserts nothing.
    """
    statement = insert(row).values(**values).on_conflict_do_nothing(index_elements=[unique])
    # RETURNING, because the row count of an INSERT is -1 on PostgreSQL, done or not.
    return db.session.scalar(statement.returning(getattr(row, unique))) is not None
