"""The ledger's use cases: everything that changes a balance. Import them from here.

Laws: every function runs in the caller's transaction (`db.session`) and never commits; one guarded UPDATE under the
wallet's row lock decides; a repeated key with the same inputs shows the first result, flagged; other inputs raise
IdempotencyConflict. After an error the caller rolls back.
Units: `*_micros` is integer micro-credits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from tokenboard.core import clock
from tokenboard.core.db import new_id
from tokenboard.ledger import fast, statements_book as sql
from tokenboard.ledger.accounts import House
from tokenboard.ledger.acts import Act, checked_act, require_future
from tokenboard.ledger.book import WalletBook, open_book
from tokenboard.ledger.book_rows import Entry, Movement
from tokenboard.ledger.book_writing import close_book
from tokenboard.ledger.corrections import clawback, reverse, undo_clawback
from tokenboard.ledger.credit_value import adopt_credit_value
from tokenboard.ledger.driver import Ledger, id_out, ledger
from tokenboard.ledger.errors import AccountNotFound, AlreadyGranted, EntryRefused
from tokenboard.ledger.holds import capture, expire_holds, hold, release
from tokenboard.ledger.kinds import Category, Kind
from tokenboard.ledger.results import Posting, Spend
from tokenboard.ledger.rules import CATEGORY_PRIORITY, LARGEST_BATCH, LONGEST_PAYMENT, require_text
from tokenboard.ledger.shrinkage import absorb
from tokenboard.ledger.signals import announce

__all__ = [
    "Category",
    "House",
    "absorb",
    "adopt_credit_value",
    "archive_account",
    "capture",
    "clawback",
    "expire_grants",
    "expire_holds",
    "grant",
    "hold",
    "open_account",
    "release",
    "reverse",
    "spend",
    "spend_after_the_fact",
    "spend_batch",
    "undo_clawback",
]

_OVERDRAWN_BY_USAGE = "usage"


def open_account(*, credit_value_nano_usd: int, is_demo: bool = False) -> str:
    """A new, empty wallet; its id.

    Raises: CreditValueFrozen when the books count in credits of another value.
    """
    adopt_credit_value(credit_value_nano_usd=credit_value_nano_usd)
    books, wallet_id = ledger(), new_id()
    books.run(
        sql.NEW_WALLET,
        {"id": books.id_in(wallet_id), "is_demo": is_demo, "no": False, "at": books.at_in(clock.now())},
    )
    return wallet_id


def archive_account(*, wallet_id: str) -> None:
    """The wallet takes no new credits, spends or holds; what is under way still ends. Its entries stay.

    Raises: AccountNotFound.
    """
    books = ledger()
    values = {"wallet_id": books.id_in(wallet_id), "at": books.at_in(clock.now())}
    if books.run(sql.ARCHIVE_WALLET, values).rowcount == 0:
        raise AccountNotFound
    announce(wallet_id)


def grant(
    *,
    wallet_id: str,
    amount_micros: int,
    category: Category,
    house: House,
    key: str,
    expires_at: datetime | None = None,
    payment: str | None = None,
    description: str = "",
    source: str = "",
) -> Posting:
    """Give credits. What the wallet owes is paid first; the rest can be spent.

    `payment` names the payment object (`stripe:cs_…`), which is turned into credits once, whatever key or wallet.
    Raises: AlreadyGranted, AccountArchived, AccountNotFound, IdempotencyConflict, EntryRefused.
    """
    act = checked_act(wallet_id, amount_micros, key, description, source, category, house, expires_at, payment)
    require_text("payment", payment or "", LONGEST_PAYMENT)
    book = open_book(ledger(), wallet_id, act.at)
    found = book.replay(Kind.GRANT, key, act.input_hash)
    if found is not None:
        return found
    require_future(expires_at, act.at)  # after the look for a replay: a late repetition still gets its first answer
    book.require_active()
    if payment is not None and book.ledger.row(sql.PAYMENT, {"payment": payment}) is not None:
        raise AlreadyGranted
    posting = _grant(book, act, Category(category), house, expires_at, payment)
    announce(wallet_id)
    return posting


def _grant(
    book: WalletBook, act: Act, category: Category, house: House, expires_at: datetime | None, payment: str | None
) -> Posting:
    lot = book.open_lot(
        category=category.value,
        priority=CATEGORY_PRIORITY[category],
        amount_micros=act.amount_micros,
        expires_at=expires_at,
    )
    lot.add(act.amount_micros)
    movement = Movement(house.account_id, act.amount_micros, is_into_wallet=True, grant_id=lot.id)
    posting = book.post(_entry(Kind.GRANT, act, [movement], payment=payment, grant_id=lot.id))
    try:
        close_book(book)
    except IntegrityError as error:
        if "payment" in str(error.orig):  # another wallet was granted the same payment at this very moment
            raise AlreadyGranted from error
        raise
    return posting


def _entry(
    kind: Kind,
    act: Act,
    movements: Sequence[Movement],
    *,
    payment: str | None = None,
    grant_id: str | None = None,
) -> Entry:
    return Entry(
        kind,
        movements,
        key=act.key,
        input_hash=act.input_hash,
        description=act.description,
        source=act.source,
        payment=payment,
        grant_id=grant_id,
    )


def spend(
    *,
    wallet_id: str,
    amount_micros: int,
    key: str,
    description: str = "",
    source: str = "",
    house: House = House.USAGE,
) -> Posting:
    """Use credits now, all or nothing. An administrator's deduction goes to `House.ADJUSTMENTS`.

    Raises: InsufficientCredits, AccountArchived, AccountNotFound, IdempotencyConflict, EntryRefused.
    """
    act = checked_act(wallet_id, amount_micros, key, description, source, house)
    return _spend(act, Kind.SPEND, house)


def spend_after_the_fact(
    *, wallet_id: str, amount_micros: int, key: str, description: str = "", source: str = ""
) -> Posting:
    """Record usage that has happened. It may overdraw the wallet, which is flagged; spending stops until covered.

    Raises: AccountNotFound, IdempotencyConflict, EntryRefused.
    """
    act = checked_act(wallet_id, amount_micros, key, description, source)
    return _spend(act, Kind.LATE_SPEND, House.USAGE)


def _spend(act: Act, kind: Kind, house: House) -> Posting:
    books = ledger()
    posting = fast.spend(books, act, kind, house) or _spend_by_book(books, act, kind, house)
    if not posting.is_replay:
        announce(act.wallet_id)
    return posting


def _spend_by_book(books: Ledger, act: Act, kind: Kind, house: House) -> Posting:
    book = open_book(books, act.wallet_id, act.at)
    found = book.replay(kind, act.key, act.input_hash)
    if found is not None:
        return found
    if kind == Kind.SPEND:
        book.require_active()
        book.require_available(act.amount_micros)
    posting = _post_spend(book, act, kind, house)
    close_book(book)
    return posting


def _post_spend(book: WalletBook, act: Act, kind: Kind, house: House) -> Posting:
    """The lots pay in burn order; what they lack becomes a debt, which only late usage can reach."""
    movements = book.burn(book.allocate(act.amount_micros), house)
    entry = _entry(kind, act, movements)
    missing = act.amount_micros + entry.amount_micros
    if missing:
        assert kind == Kind.LATE_SPEND, "what is available stands in the lots"
        entry.movements = [*movements, book.overdraw(entry.id, missing, house, _OVERDRAWN_BY_USAGE)]
    return book.post(entry)


def spend_batch(*, wallet_id: str, spends: Sequence[Spend], may_overdraw: bool = False) -> list[Posting]:
    """Many spends of one wallet at once, in their order, each with its own key: for settling reported usage.

    All or nothing: when the new ones together are not covered, none is written. With `may_overdraw` each is a
    `spend_after_the_fact`.
    Raises: InsufficientCredits, AccountArchived, AccountNotFound, IdempotencyConflict, EntryRefused.
    """
    kind = Kind.LATE_SPEND if may_overdraw else Kind.SPEND
    more = () if may_overdraw else (House.USAGE,)
    acts = {
        one.key: checked_act(wallet_id, one.amount_micros, one.key, one.description, one.source, *more)
        for one in spends
    }
    if len(acts) != len(spends) or not 0 < len(acts) <= LARGEST_BATCH:
        raise EntryRefused("spends", f"A batch has 1 to {LARGEST_BATCH} spends, each with a key of its own.")
    book = open_book(ledger(), wallet_id, clock.now())
    postings = book.replays(kind, {key: act.input_hash for key, act in acts.items()})
    new = [act for key, act in acts.items() if key not in postings]
    if new and not may_overdraw:
        book.require_active()
        book.require_available(sum(act.amount_micros for act in new))
    postings |= {act.key: _post_spend(book, act, kind, House.USAGE) for act in new}
    if new:
        close_book(book)
        announce(wallet_id)
    return [postings[one.key] for one in spends]


def expire_grants(*, limit: int = 100) -> int:
    """The sweeper: take out what is free in grants whose time is over, in so many wallets; how many there were.

    What it has not reached yet is not spendable either: every spend looks at the wallet's next expiry itself.
    """
    books, at = ledger(), clock.now()
    due = books.run(sql.DUE_WALLETS, {"at": books.at_in(at), "limit": limit}).scalars().all()
    for found in due:
        book = open_book(books, id_out(found), at)
        has_changed = bool(book.entries)
        close_book(book)
        if has_changed:
            announce(book.wallet_id)
    return len(due)
