"""What is written in the ledger is never changed: the database itself refuses, whoever asks."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.ledger.stories import Wallet
from tokenboard.core.db import db, is_postgresql

TABLES = {
    "ledger_transaction": "amount_micros = amount_micros + 1",
    "ledger_transfer": "amount_micros = amount_micros + 1",
    "ledger_hold_allocation": "amount_micros = amount_micros + 1",
}


@pytest.fixture
def written(books) -> Wallet:
    wallet = Wallet()
    wallet.buy(10)
    wallet.capture(wallet.hold(4), 2)
    return wallet


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_neither_changed_nor_deleted(written, table):
    for statement in (f"UPDATE {table} SET {TABLES[table]}", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append-only"):
            db.session.execute(sa.text(statement))
        db.session.rollback()
    written.shows(posted=8)


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_not_emptied(written, table):
    if not is_postgresql():
        return  # SQLite has no TRUNCATE
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(sa.text(f"TRUNCATE {table} CASCADE"))
    db.session.rollback()
    written.shows(posted=8)


IMPOSSIBLE = [
    "UPDATE ledger_account SET held_micros = posted_micros + 1 WHERE kind = 'wallet'",
    "UPDATE ledger_account SET held_micros = -1 WHERE kind = 'wallet'",
    "UPDATE ledger_account SET posted_micros = 0 WHERE kind = 'house'",
    "UPDATE ledger_account SET is_overdrawn = true WHERE kind = 'wallet'",
    "UPDATE ledger_grant SET remaining_micros = -1",
    "UPDATE ledger_grant SET remaining_micros = amount_micros + 1",
    "UPDATE ledger_grant SET held_micros = remaining_micros + 1",
    "UPDATE ledger_grant SET clawed_back_micros = amount_micros + 1",
    "UPDATE ledger_hold SET captured_micros = amount_micros + 1",
    "UPDATE ledger_hold SET ended_at = NULL",
]


@pytest.mark.parametrize("statement", IMPOSSIBLE)
def test_what_a_row_alone_can_know_is_a_constraint(written, statement):
    with pytest.raises(DBAPIError, match=r"(?i)check"):
        db.session.execute(sa.text(statement))
    db.session.rollback()
    written.shows(posted=8)
