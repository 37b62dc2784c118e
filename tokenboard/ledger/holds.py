"""Hold → capture / release / expire: reserve the most something can cost, then take what it did cost.

Laws: a hold allocates its grants by name, so what it has reserved may be captured after their expiry; the freed rest
of an expired grant expires at once; a hold ends exactly once and captures at most what it holds.
Import these from `tokenboard.ledger.service`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tokenboard.core import clock
from tokenboard.core.db import new_id
from tokenboard.ledger import fast, statements_book as sql
from tokenboard.ledger.accounts import House
from tokenboard.ledger.acts import Act, Settlement, checked_act, checked_settlement, require_future
from tokenboard.ledger.book import WalletBook, open_book
from tokenboard.ledger.book_rows import Entry
from tokenboard.ledger.book_writing import close_book
from tokenboard.ledger.driver import Ledger, at_out, id_out, ledger
from tokenboard.ledger.errors import CaptureTooLarge, HoldNotFound, HoldNotOpen, IdempotencyConflict
from tokenboard.ledger.kinds import HoldState, Kind
from tokenboard.ledger.results import Balance, HoldPlaced, Posting
from tokenboard.ledger.rules import Share, split
from tokenboard.ledger.signals import announce


def hold(
    *,
    wallet_id: str,
    amount_micros: int,
    key: str,
    expires_at: datetime,
    description: str = "",
    source: str = "",
) -> HoldPlaced:
    """Reserve credits until `expires_at`, when the sweeper gives them back. The lease is not part of the key's inputs.

    Raises: InsufficientCredits, AccountArchived, AccountNotFound, IdempotencyConflict, EntryRefused.
    """
    act = checked_act(wallet_id, amount_micros, key, description, source)
    books = ledger()
    # A lease that is over is for the book to judge: it may belong to a late repetition.
    found = fast.hold(books, act, expires_at) if expires_at > act.at else None
    placed, concerned = found or (_hold_by_book(books, act, expires_at), None)
    if not placed.is_replay:
        announce(wallet_id, concerned)
    return placed


def _hold_by_book(books: Ledger, act: Act, expires_at: datetime) -> HoldPlaced:
    book = open_book(books, act.wallet_id, act.at)
    found = _placed_before(book, act)
    if found is not None:
        return found
    require_future(expires_at, act.at)
    book.require_active()
    book.require_available(act.amount_micros)
    shares = book.allocate(act.amount_micros)
    for share in shares:
        book.lots[share.grant_id].hold(share.amount_micros)
    book.held_micros += act.amount_micros
    placed = HoldPlaced(new_id(), act.wallet_id, act.amount_micros, expires_at, book.balance)
    _write_hold(books, act, placed, shares)
    close_book(book)
    return placed


def _placed_before(book: WalletBook, act: Act) -> HoldPlaced | None:
    row = book.ledger.row(sql.HOLD_BY_KEY, {"wallet_id": book.ledger.id_in(act.wallet_id), "key": act.key})
    if row is None:
        return None
    if row.input_hash != act.input_hash:
        raise IdempotencyConflict
    balance, expires_at = Balance(row.posted_after_micros, row.held_after_micros), at_out(row.expires_at)
    return HoldPlaced(id_out(row.id), act.wallet_id, row.amount_micros, expires_at, balance, is_replay=True)


def _write_hold(books: Ledger, act: Act, placed: HoldPlaced, shares: list[Share]) -> None:
    hold_id = books.id_in(placed.hold_id)
    values = {
        "id": hold_id,
        "wallet_id": books.id_in(act.wallet_id),
        "key": act.key,
        "input_hash": act.input_hash,
        "amount": act.amount_micros,
        "description": act.description,
        "source": act.source,
        "posted": placed.balance.posted_micros,
        "held": placed.balance.held_micros,
        "expires_at": books.at_in(placed.expires_at),
        "at": books.at_in(act.at),
    }
    books.run(sql.NEW_HOLD, values)
    for position, share in enumerate(shares, start=1):
        allocation = {"position": position, "grant_id": books.id_in(share.grant_id), "amount": share.amount_micros}
        books.run(sql.NEW_ALLOCATION, allocation | {"hold_id": hold_id})


def capture(*, hold_id: str, amount_micros: int, description: str = "", source: str = "") -> Posting:
    """Settle a hold for what it did cost, 0 included; the rest is free again. The hold is the key.

    Raises: CaptureTooLarge, HoldNotOpen, HoldNotFound, IdempotencyConflict (captured before, another amount).
    """
    asked = checked_settlement(hold_id, amount_micros, Kind.CAPTURE, HoldState.CAPTURED, description, source)
    return _settle(asked)


def release(*, hold_id: str, description: str = "", source: str = "") -> Posting:
    """Give a hold back whole. The hold is the key.

    Raises: HoldNotOpen, HoldNotFound.
    """
    return _settle(checked_settlement(hold_id, 0, Kind.RELEASE, HoldState.RELEASED, description, source))


def _nothing_recorded(_hold_id: str) -> int:
    return 0


def expire_holds(*, recorded: Callable[[str], int] = _nothing_recorded, limit: int = 100) -> list[Posting]:
    """The sweeper: end holds past their lease, each for what was recorded by then (at most what it holds).

    `recorded` answers micro-credits for a hold's id. Until a hold is swept it is open, and may still be captured.
    """
    books = ledger()
    rows = books.run(sql.OVERDUE_HOLDS, {"at": books.at_in(clock.now()), "limit": limit}).all()
    # In the order of wallets, so that two sweepers never wait for each other in a circle.
    overdue = sorted((id_out(row.wallet_id), id_out(row.id), row.amount_micros) for row in rows)
    ended = (_expire(hold_id, min(recorded(hold_id), amount)) for _, hold_id, amount in overdue)
    return [posting for posting in ended if posting is not None]


def _expire(hold_id: str, captured_micros: int) -> Posting | None:
    """None when somebody else has ended it meanwhile."""
    try:
        return _settle(checked_settlement(hold_id, captured_micros, Kind.HOLD_EXPIRY, HoldState.EXPIRED, "", ""))
    except (HoldNotOpen, IdempotencyConflict):
        return None


def _settle(asked: Settlement) -> Posting:
    books = ledger()
    posting, concerned = fast.settle(books, asked) or (_settle_by_book(books, asked), None)
    if not posting.is_replay:
        announce(posting.wallet_id, concerned)
    return posting


def _settle_by_book(books: Ledger, asked: Settlement) -> Posting:
    ids = {"hold_id": books.id_in(asked.hold_id)}
    row = books.row(sql.HOLD, ids)
    if row is None:
        raise HoldNotFound
    book = open_book(books, id_out(row.wallet_id), asked.at)
    found = book.replay(asked.kind, asked.hold_id, asked.input_hash)
    if found is not None:
        return found
    row = books.row(sql.HOLD, ids)  # again, now that nobody else can end it
    assert row is not None, "holds are never deleted"
    if row.state != HoldState.OPEN:
        raise HoldNotOpen(row.state)
    if asked.captured_micros > row.amount_micros:
        raise CaptureTooLarge
    posting = _end(book, asked, row.amount_micros)
    close_book(book)
    return posting


def _end(book: WalletBook, asked: Settlement, held_micros: int) -> Posting:
    ids = {"hold_id": book.ledger.id_in(asked.hold_id)}
    allocated = [Share(id_out(row.grant_id), row.amount_micros) for row in book.ledger.run(sql.ALLOCATIONS, ids)]
    taken, _freed = split(allocated, asked.captured_micros)
    for share in allocated:
        book.lot(share.grant_id).hold(-share.amount_micros)
    book.held_micros -= held_micros
    ending = {"state": asked.state.value, "captured": asked.captured_micros, "at": book.ledger.at_in(asked.at)}
    book.ledger.run(sql.END_HOLD, ids | ending)
    return book.post(
        Entry(
            asked.kind,
            book.burn(taken, House.USAGE),
            key=asked.hold_id,
            input_hash=asked.input_hash,
            description=asked.description,
            source=asked.source,
            hold_id=asked.hold_id,
        )
    )
