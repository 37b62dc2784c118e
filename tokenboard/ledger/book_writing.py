"""Closing a wallet's book: what was decided becomes rows, in one statement a table where the database can."""

from __future__ import annotations

import json
from typing import Any

from tokenboard.ledger import statements_book as sql
from tokenboard.ledger.book import WalletBook
from tokenboard.ledger.book_rows import Entry, Lot
from tokenboard.ledger.driver import Ledger, Sql


def close_book(book: WalletBook) -> None:
    """Settle what the book's acts have freed, then write everything: lots, transactions, transfers, debts, wallet."""
    book.settle()
    ledger = book.ledger
    wallet_id = ledger.id_in(book.wallet_id)
    changed = [lot for lot in book.lots.values() if lot.is_changed]
    _run_many(ledger, sql.NEW_LOT, [_new_lot(lot, book) for lot in changed if lot.is_new])
    _run_many(ledger, sql.WRITE_LOT, [_lot_values(lot, ledger) for lot in changed if not lot.is_new])
    shared = {"wallet_id": wallet_id, "at": ledger.at_in(book.at)}
    _insert_many(ledger, sql.NEW_TRANSACTIONS, [_transaction_values(entry, ledger) for entry in book.entries], shared)
    _insert_many(
        ledger, sql.NEW_TRANSFERS, [row for entry in book.entries for row in _transfer_values(entry, book)], {}
    )
    debts = [debt for debt in book.debts.values() if debt.is_new or debt.is_changed]
    for debt in debts:
        values = {"debt_id": ledger.id_in(debt.id), "owed": debt.owed_micros}
        if debt.is_new:
            values |= {"wallet_id": wallet_id, "amount": debt.amount_micros}
        ledger.run(sql.NEW_DEBT if debt.is_new else sql.WRITE_DEBT, values)
    ledger.run(sql.WRITE_WALLET, _wallet_values(book) | {"wallet_id": wallet_id})


def _run_many(ledger: Ledger, statement: Sql, rows: list[dict[str, Any]]) -> None:
    if rows:
        ledger.run(statement, rows if len(rows) > 1 else rows[0])


def _insert_many(ledger: Ledger, statement: Sql, rows: list[dict[str, Any]], shared: dict[str, Any]) -> None:
    """All rows at once; `shared` is the same in each."""
    if not rows:
        return
    if ledger.is_postgresql:
        ledger.run(statement, shared | {"rows": json.dumps(rows)})
    else:
        _run_many(ledger, statement, [row | shared for row in rows])


def _lot_values(lot: Lot, ledger: Ledger) -> dict[str, Any]:
    return {
        "id": ledger.id_in(lot.id),
        "remaining": lot.remaining_micros,
        "held": lot.held_micros,
        "expired": lot.expired_micros,
        "clawed_back": lot.clawed_back_micros,
        "is_open": lot.remaining_micros > 0,
    }


def _new_lot(lot: Lot, book: WalletBook) -> dict[str, Any]:
    ledger = book.ledger
    return _lot_values(lot, ledger) | {
        "wallet_id": ledger.id_in(book.wallet_id),
        "number": lot.number,
        "category": lot.category,
        "priority": lot.priority,
        "amount": lot.amount_micros,
        "expires_at": ledger.at_in(lot.expires_at),
        "restores_grant_id": ledger.id_in(lot.restores_grant_id),
        "at": ledger.at_in(book.at),
    }


def _transaction_values(entry: Entry, ledger: Ledger) -> dict[str, Any]:
    return {
        "id": ledger.id_in(entry.id),
        "version": entry.version,
        "kind": str(entry.kind),
        "key": entry.key or entry.id,
        "input_hash": entry.input_hash,
        "amount": entry.amount_micros,
        "posted_after": entry.balance_after.posted_micros,
        "held_after": entry.balance_after.held_micros,
        "description": entry.description,
        "source": entry.source,
        "payment": entry.payment,
        "grant_id": ledger.id_in(entry.grant_id),
        "hold_id": ledger.id_in(entry.hold_id),
        "reverses_id": ledger.id_in(entry.reverses_id),
    }


def _transfer_values(entry: Entry, book: WalletBook) -> list[dict[str, Any]]:
    ledger = book.ledger
    rows = []
    for position, movement in enumerate(entry.movements, start=1):
        ends = (book.wallet_id, movement.house_id)
        credit, debit = ends if movement.is_into_wallet else reversed(ends)
        rows.append(
            {
                "transaction_id": ledger.id_in(entry.id),
                "position": position,
                "debit_id": ledger.id_in(debit),
                "credit_id": ledger.id_in(credit),
                "amount": movement.amount_micros,
                "grant_id": ledger.id_in(movement.grant_id),
                "debt_id": ledger.id_in(movement.debt_id),
            }
        )
    return rows


def _wallet_values(book: WalletBook) -> dict[str, Any]:
    head, is_overdrawn = book.head(), book.owed_micros > 0
    return {
        "posted": book.posted_micros,
        "held": book.held_micros,
        "version": book.version,
        "head_grant_id": book.ledger.id_in(head.id) if head else None,
        "head_available": head.available_micros if head else 0,
        "next_grant_expiry_at": book.ledger.at_in(head.expires_at) if head else None,
        "is_overdrawn": is_overdrawn,
        "overdrawn_reason": book.overdrawn_reason if is_overdrawn else "",
    }
