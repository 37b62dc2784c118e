"""Putting right what was booked: reverse a spend, take granted credits back, undo that again.

Laws: an undoing is exact (the same grants get the same amounts back) and happens once, also in parallel; a grant that
has expired meanwhile comes back as a new one of its category, valid for 30 days. A clawback may overdraw, flagged.
Import these from `tokenboard.ledger.service`.
"""

from __future__ import annotations

from typing import Any

from tokenboard.core import clock
from tokenboard.ledger import statements_book as sql
from tokenboard.ledger.accounts import House
from tokenboard.ledger.acts import Act, checked_act
from tokenboard.ledger.book import WalletBook, open_book
from tokenboard.ledger.book_rows import Entry, Lot, Movement, posting_from
from tokenboard.ledger.book_writing import close_book
from tokenboard.ledger.driver import Ledger, id_or_none, id_out, ledger
from tokenboard.ledger.errors import ClawbackTooLarge, GrantNotFound, NotReversible, TransactionNotFound
from tokenboard.ledger.kinds import Kind
from tokenboard.ledger.results import Posting
from tokenboard.ledger.rules import (
    LONGEST_DESCRIPTION,
    LONGEST_SOURCE,
    RESTORED_FOR,
    Share,
    input_hash,
    is_expired,
    require_text,
)
from tokenboard.ledger.signals import announce

_OVERDRAWN_BY_CLAWBACK = "clawback"
_REVERSIBLE = {Kind.SPEND, Kind.LATE_SPEND, Kind.CAPTURE, Kind.HOLD_EXPIRY}


def reverse(*, transaction_id: str, description: str = "", source: str = "") -> Posting:
    """Undo a spend, a capture or late usage: the same grants get the same amounts back. The transaction is the key.

    Raises: NotReversible, TransactionNotFound.
    """
    return _undo(transaction_id, _REVERSIBLE, Kind.REVERSAL, description, source)


def undo_clawback(*, transaction_id: str, description: str = "", source: str = "") -> Posting:
    """Undo a clawback (a dispute was won): every grant it took from, and every one that paid its debt, is restored.

    The clawback's transaction is the key. Raises: NotReversible, TransactionNotFound.
    """
    return _undo(transaction_id, {Kind.CLAWBACK}, Kind.RESTORATION, description, source)


def _undo(transaction_id: str, undoable: set[Kind], kind: Kind, description: str, source: str) -> Posting:
    require_text("description", description, LONGEST_DESCRIPTION)
    require_text("source", source, LONGEST_SOURCE)
    books = ledger()
    undone = _transaction(books, transaction_id)
    if undone.kind not in undoable:
        raise NotReversible(undone.kind, _cure(undone.kind))
    book = open_book(books, id_out(undone.wallet_id), clock.now())
    before = books.row(sql.REVERSED_BY, {"id": books.id_in(transaction_id)})
    if before is not None:
        return posting_from(before)
    posting = _post_undoing(book, undone, kind, description, source)
    close_book(book)
    announce(book.wallet_id)
    return posting


def _transaction(books: Ledger, transaction_id: str) -> Any:
    row = books.row(sql.TRANSACTION, {"id": books.id_in(transaction_id)})
    if row is None:
        raise TransactionNotFound
    return row


def _cure(kind: str) -> str:
    return {
        Kind.GRANT: "Take granted credits back with a clawback.",
        Kind.CLAWBACK: "Undo a clawback with undo_clawback.",
    }.get(Kind(kind), "")


def _post_undoing(book: WalletBook, undone: Any, kind: Kind, description: str, source: str) -> Posting:
    transaction_id = id_out(undone.id)
    movements = _give_back(book, transaction_id)
    if kind == Kind.RESTORATION:
        book.lot(id_out(undone.grant_id)).claw(undone.amount_micros)
    return book.post(
        Entry(
            kind,
            movements,
            key=transaction_id,
            input_hash=input_hash(transaction_id),
            description=description,
            source=source,
            grant_id=id_or_none(undone.grant_id),
            reverses_id=transaction_id,
        )
    )


def _give_back(book: WalletBook, transaction_id: str) -> list[Movement]:
    """The opposite of every transfer of a transaction: into the grants that paid, and off the debt it left."""
    back: list[Movement] = []
    for row in book.ledger.run(sql.TRANSFERS, {"id": book.ledger.id_in(transaction_id)}).all():
        house_id = id_out(row.credit_account_id)
        if row.grant_id is not None:
            back.append(_restore(book, Share(id_out(row.grant_id), row.amount_micros), house_id))
        else:
            back += _forgive(book, id_out(row.debt_id), row.amount_micros, house_id)
    return back


def _restore(book: WalletBook, share: Share, house_id: str, debt_id: str | None = None) -> Movement:
    lot = book.lot(share.grant_id)
    if is_expired(lot.expires_at, book.at):
        lot = _reopened(book, lot, share.amount_micros)
    lot.add(share.amount_micros)
    return Movement(house_id, share.amount_micros, is_into_wallet=True, grant_id=lot.id, debt_id=debt_id)


def _reopened(book: WalletBook, expired: Lot, amount_micros: int) -> Lot:
    """Credits must not come back dead: a new grant of the same category."""
    return book.open_lot(
        category=expired.category,
        priority=expired.priority,
        amount_micros=amount_micros,
        expires_at=book.at + RESTORED_FOR,
        restores=expired.id,
    )


def _forgive(book: WalletBook, debt_id: str, amount_micros: int, house_id: str) -> list[Movement]:
    """Strike what is still owed; what fresh credits have paid of the debt goes back to their grants."""
    debt = book.debt(debt_id)
    owed, back = debt.owed_micros, []
    if owed:
        debt.add(-owed)
        back.append(Movement(house_id, owed, is_into_wallet=True, debt_id=debt_id))
    if owed < amount_micros:
        ids = {"debt_id": book.ledger.id_in(debt_id), "wallet_id": book.ledger.id_in(book.wallet_id)}
        paid = [Share(id_out(row.grant_id), int(row.paid)) for row in book.ledger.run(sql.COVERS, ids).all()]
        back += [_restore(book, share, house_id, debt_id) for share in paid]
    assert sum(movement.amount_micros for movement in back) == amount_micros, "what is not owed was paid by grants"
    return back


def clawback(*, grant_id: str, amount_micros: int, key: str, description: str = "", source: str = "") -> Posting:
    """Take granted credits back (refund, dispute): from the grant, then from others in burn order, then as debt.

    What has expired of the grant is back with the house already and is not taken twice.
    Raises: ClawbackTooLarge, GrantNotFound, IdempotencyConflict, EntryRefused.
    """
    books = ledger()
    found = books.row(sql.WALLET_OF_GRANT, {"grant_id": books.id_in(grant_id)})
    if found is None:
        raise GrantNotFound
    act = checked_act(id_out(found.wallet_id), amount_micros, key, description, source, grant_id)
    book = open_book(books, act.wallet_id, act.at)
    before = book.replay(Kind.CLAWBACK, key, act.input_hash)
    if before is not None:
        return before
    posting = _take_back(book, act, book.lot(grant_id))
    close_book(book)
    announce(act.wallet_id)
    return posting


def _take_back(book: WalletBook, act: Act, lot: Lot) -> Posting:
    if act.amount_micros > lot.amount_micros - lot.clawed_back_micros:
        raise ClawbackTooLarge
    # Less than nothing is left when credits came back by a reversal after a clawback and then expired.
    left = max(0, lot.amount_micros - lot.expired_micros - lot.clawed_back_micros)
    amount = min(act.amount_micros, left)
    own = min(lot.available_micros, amount)
    movements = book.burn([Share(lot.id, own)] if own else [], House.CLAWBACK)
    movements += book.burn(book.allocate(amount - own), House.CLAWBACK)
    entry = Entry(
        Kind.CLAWBACK,
        movements,
        key=act.key,
        input_hash=act.input_hash,
        description=act.description,
        source=act.source,
        grant_id=lot.id,
    )
    missing = amount + entry.amount_micros
    if missing:
        entry.movements = [*movements, book.overdraw(entry.id, missing, House.CLAWBACK, _OVERDRAWN_BY_CLAWBACK)]
    lot.claw(amount)
    return book.post(entry)
