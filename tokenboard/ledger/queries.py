"""What the books say. Reads only; every answer is a small frozen fact in micro-credits.

Law: credits of a grant whose time is over are never counted as available, also before the sweeper has taken them out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select

from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.ledger.accounts import HOUSE_NAMES
from tokenboard.ledger.errors import AccountNotFound, HoldNotFound, TransactionNotFound
from tokenboard.ledger.kinds import HoldState, Kind as Kind
from tokenboard.ledger.models import Account, Grant, Hold, Transaction, Transfer

LARGEST_PAGE = 200
FREQUENT = frozenset({Kind.SPEND, Kind.LATE_SPEND, Kind.CAPTURE, Kind.RELEASE})


@dataclass(frozen=True, slots=True)
class WalletBalance:
    """A wallet as its owner sees it."""

    wallet_id: str
    posted_micros: int
    held_micros: int
    # Free credits in grants whose time is over and that the sweeper has not reached.
    expired_micros: int
    is_overdrawn: bool
    # `clawback` or `usage`; empty unless overdrawn.
    overdrawn_reason: str
    is_demo: bool
    is_archived: bool

    @property
    def available_micros(self) -> int:
        """What can be spent now; negative by what is owed."""
        return self.posted_micros - self.held_micros - self.expired_micros


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant with credits left, as the bar on the credits page shows it."""

    grant_id: str
    number: int
    category: str
    priority: int
    amount_micros: int
    remaining_micros: int
    held_micros: int
    expires_at: datetime | None
    created_at: datetime

    @property
    def available_micros(self) -> int:
        return self.remaining_micros - self.held_micros


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement, with the running balance after it."""

    transaction_id: str
    version: int
    kind: str
    amount_micros: int
    posted_after_micros: int
    description: str
    source: str
    reverses_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """So many lines, newest first. `next_before` asks for the page after this one; None at the end."""

    lines: list[Line]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """Which grant paid or was filled by how much; negative when it went out. Without a grant: a debt."""

    grant_id: str | None
    category: str | None
    house: str
    amount_micros: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction with everything it moved, and the hold it settled."""

    line: Line
    wallet_id: str
    parts: list[Part]
    hold: HoldLine | None


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A hold as it stands."""

    hold_id: str
    wallet_id: str
    amount_micros: int
    captured_micros: int
    state: str
    description: str
    source: str
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None


_ACCOUNT = Account.__table__.c
# Built once: every page and every metered call asks it.
_BALANCE = select(
    _ACCOUNT.posted_micros,
    _ACCOUNT.held_micros,
    _ACCOUNT.is_overdrawn,
    _ACCOUNT.overdrawn_reason,
    _ACCOUNT.is_demo,
    _ACCOUNT.archived_at,
    _ACCOUNT.next_grant_expiry_at,
).where(_ACCOUNT.id == bindparam("asked"), _ACCOUNT.kind == "wallet")


def balance(wallet_id: str) -> WalletBalance:
    """Raises: AccountNotFound."""
    row = db.session.execute(_BALANCE, {"asked": wallet_id}).first()
    if row is None:
        raise AccountNotFound
    at = clock.now()
    is_due = row.next_grant_expiry_at is not None and row.next_grant_expiry_at <= at
    return WalletBalance(
        wallet_id,
        row.posted_micros,
        row.held_micros,
        _expired_micros(wallet_id, at) if is_due else 0,
        row.is_overdrawn,
        row.overdrawn_reason,
        row.is_demo,
        row.archived_at is not None,
    )


def _expired_micros(wallet_id: str, at: datetime) -> int:
    free = func.coalesce(func.sum(Grant.remaining_micros - Grant.held_micros), 0)
    return int(db.session.execute(select(free).where(_open(wallet_id), Grant.expires_at <= at)).scalar_one())


def _open(wallet_id: str) -> ColumnElement[bool]:
    return and_(Grant.wallet_id == wallet_id, Grant.is_open, Grant.remaining_micros > 0)


def grants(wallet_id: str, *, limit: int = LARGEST_PAGE) -> list[GrantLine]:
    """A wallet's grants with something left and time to run, or with something held, in burn order."""
    is_alive = or_(Grant.expires_at.is_(None), Grant.expires_at > clock.now(), Grant.held_micros > 0)
    statement = (
        select(*(getattr(Grant, name) for name in ("id", "number", "category", "priority", "amount_micros")))
        .add_columns(Grant.remaining_micros, Grant.held_micros, Grant.expires_at, Grant.created_at)
        .where(_open(wallet_id), is_alive)
        .order_by(Grant.expires_at.is_(None), Grant.expires_at, Grant.priority, Grant.number)
        .limit(limit)
    )
    return [GrantLine(*row) for row in db.session.execute(statement)]


def next_expiry(wallet_id: str) -> GrantLine | None:
    """The grant that expires next with free credits in it; None when nothing expires."""
    first = next((line for line in grants(wallet_id, limit=LARGEST_PAGE) if line.available_micros > 0), None)
    return first if first is not None and first.expires_at is not None else None


_LINE = (
    Transaction.id,
    Transaction.version,
    Transaction.kind,
    Transaction.amount_micros,
    Transaction.posted_after_micros,
    Transaction.description,
    Transaction.source,
    Transaction.reverses_id,
    Transaction.created_at,
)


def statement(
    wallet_id: str,
    *,
    limit: int = 50,
    before: int | None = None,
    kinds: Iterable[Kind] = (),
    with_zeros: bool = False,
) -> Page:
    """A wallet's transactions, newest first, by keyset: `before` is the last page's `next_before`.

    Released holds and covers change no balance and are left out unless asked for.
    """
    size, wanted = max(1, min(limit, LARGEST_PAGE)), frozenset(kinds)
    # Rare kinds are found by (wallet, kind) and sorted; `+ 0` keeps the planner from walking a million spends in order.
    place = Transaction.version + 0 if wanted and not wanted & FREQUENT else Transaction.version
    chosen = [Transaction.wallet_id == wallet_id]
    chosen += [place < before] if before is not None else []
    chosen += [Transaction.kind.in_(sorted(kind.value for kind in wanted))] if wanted else []
    chosen += [] if with_zeros else [Transaction.amount_micros != 0]
    found = select(*_LINE).where(*chosen).order_by(place.desc()).limit(size + 1)
    lines = [Line(*row) for row in db.session.execute(found)]
    return Page(lines[:size], lines[size - 1].version if len(lines) > size else None)


def lines(transaction_ids: Iterable[str]) -> dict[str, Line]:
    """Several transactions, by id."""
    found = select(*_LINE).where(Transaction.id.in_(list(transaction_ids)))
    return {row[0]: Line(*row) for row in db.session.execute(found)}


def receipt(transaction_id: str) -> Receipt:
    """Raises: TransactionNotFound."""
    found = select(*_LINE, Transaction.wallet_id, Transaction.hold_id).where(Transaction.id == transaction_id)
    row = db.session.execute(found).first()
    if row is None:
        raise TransactionNotFound
    *line, wallet_id, hold_id = row
    settled = hold(hold_id) if hold_id is not None else None
    return Receipt(Line(*line), wallet_id, _parts(transaction_id, wallet_id), settled)


def _parts(transaction_id: str, wallet_id: str) -> list[Part]:
    moved = (
        select(Transfer.debit_account_id, Transfer.credit_account_id, Transfer.amount_micros, Transfer.grant_id)
        .add_columns(Grant.category)
        .join(Grant, Grant.id == Transfer.grant_id, isouter=True)
        .where(Transfer.transaction_id == transaction_id)
        .order_by(Transfer.position)
    )
    parts = []
    for debit, credit, amount, grant_id, category in db.session.execute(moved):
        is_out = debit == wallet_id
        parts.append(Part(grant_id, category, HOUSE_NAMES[credit if is_out else debit], -amount if is_out else amount))
    return parts


def hold(hold_id: str) -> HoldLine:
    """Raises: HoldNotFound."""
    row = db.session.execute(select(*_HOLD).where(Hold.id == hold_id)).first()
    if row is None:
        raise HoldNotFound
    return HoldLine(*tuple(row))


_HOLD = (
    Hold.id,
    Hold.wallet_id,
    Hold.amount_micros,
    Hold.captured_micros,
    Hold.state,
    Hold.description,
    Hold.source,
    Hold.expires_at,
    Hold.created_at,
    Hold.ended_at,
)


def open_holds(wallet_id: str, *, limit: int = LARGEST_PAGE) -> list[HoldLine]:
    """What is reserved right now, the first to end first."""
    chosen = (Hold.wallet_id == wallet_id, Hold.state == HoldState.OPEN.value)
    return [
        HoldLine(*tuple(row))
        for row in db.session.execute(select(*_HOLD).where(*chosen).order_by(Hold.expires_at).limit(limit))
    ]


def grant_of_payment(payment: str) -> str | None:
    """The grant a payment was turned into."""
    found = select(Transaction.grant_id).where(Transaction.payment == payment)
    return db.session.execute(found).scalar_one_or_none()
