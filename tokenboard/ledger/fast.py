"""The hot path: spend, hold and settle in one statement on PostgreSQL, in few on SQLite.

Each function answers None when the path does not fit; the caller then takes the way through `book.py`, which decides
everything and names what is wrong. A hold and a settlement come with who watches the wallet, where that was told.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tokenboard.core.db import new_id
from tokenboard.ledger import statements_book as plain, statements_postgresql as postgresql, statements_sqlite as sqlite
from tokenboard.ledger.accounts import House
from tokenboard.ledger.acts import Act, Settlement
from tokenboard.ledger.driver import Ledger, at_out, id_out
from tokenboard.ledger.errors import IdempotencyConflict
from tokenboard.ledger.kinds import Kind
from tokenboard.ledger.results import Balance, HoldPlaced, Posting
from tokenboard.ledger.signals import Concerned, watchers


def spend(ledger: Ledger, act: Act, kind: Kind, house: House) -> Posting | None:
    """Raises: IdempotencyConflict."""
    values = _values(ledger, act) | {"kind": kind.value, "house_id": ledger.id_in(house.account_id)}
    if not ledger.is_postgresql:
        return _spend_on_sqlite(ledger, act, kind, values)
    row = ledger.direct(postgresql.SPEND.direct, values)
    if row is None:
        return None
    transaction_id, input_hash, posted, held, amount, lot_id = row
    if transaction_id is None:
        _undo(ledger, act.wallet_id, posted=act.amount_micros, held=0, versions=1, lot_id=lot_id)
        return None
    _require_same(act, input_hash)
    balance, is_replay = Balance(posted, held), input_hash is not None
    return Posting(id_out(transaction_id), act.wallet_id, kind, amount, balance, is_replay=is_replay)


def _spend_on_sqlite(ledger: Ledger, act: Act, kind: Kind, values: dict[str, Any]) -> Posting | None:
    row = ledger.row(sqlite.SPEND_GUARD, values)
    if row is None:
        return None
    posted, held, version, grant_id = row
    amount = act.amount_micros
    ledger.run(sqlite.CHANGE_LOT, {"grant_id": grant_id, "spent": amount, "held": 0})
    posting = values | {"version": version, "posted": posted, "held": held, "hold_id": None}
    _post_on_sqlite(ledger, posting, values["wallet_id"], amount, grant_id)
    return Posting(id_out(values["id"]), act.wallet_id, kind, -amount, Balance(posted, held))


def hold(ledger: Ledger, act: Act, expires_at: datetime) -> tuple[HoldPlaced, Concerned | None] | None:
    """Raises: IdempotencyConflict."""
    values = _values(ledger, act) | {"expires_at": ledger.at_in(expires_at)}
    if not ledger.is_postgresql:
        on_sqlite = _hold_on_sqlite(ledger, act, expires_at, values)
        return None if on_sqlite is None else (on_sqlite, None)
    row = ledger.direct(watchers.telling(postgresql.HOLD), values)
    if row is None:
        return None
    hold_id, input_hash, posted, held, until, lot_id, *concerned = row
    if hold_id is None:
        _undo(ledger, act.wallet_id, posted=0, held=-act.amount_micros, versions=0, lot_id=lot_id)
        return None
    _require_same(act, input_hash)
    balance, is_replay = Balance(posted, held), input_hash is not None
    return HoldPlaced(id_out(hold_id), act.wallet_id, act.amount_micros, at_out(until), balance, is_replay), concerned


def _hold_on_sqlite(ledger: Ledger, act: Act, expires_at: datetime, values: dict[str, Any]) -> HoldPlaced | None:
    row = ledger.row(sqlite.HOLD_GUARD, values)
    if row is None:
        return None
    posted, held, _version, grant_id = row
    amount = act.amount_micros
    ledger.run(sqlite.CHANGE_LOT, {"grant_id": grant_id, "spent": 0, "held": amount})
    ledger.run(plain.NEW_HOLD, values | {"posted": posted, "held": held})
    ledger.run(plain.NEW_ALLOCATION, {"hold_id": values["id"], "position": 1, "grant_id": grant_id, "amount": amount})
    return HoldPlaced(id_out(values["id"]), act.wallet_id, amount, expires_at, Balance(posted, held))


def settle(ledger: Ledger, settlement: Settlement) -> tuple[Posting, Concerned | None] | None:
    """Capture or release a hold that one grant carries, when nothing it frees has to expire or to pay a debt."""
    values = _settlement_values(ledger, settlement)
    if not ledger.is_postgresql:
        on_sqlite = _settle_on_sqlite(ledger, settlement, values)
        return None if on_sqlite is None else (on_sqlite, None)
    row = ledger.direct(watchers.telling(postgresql.SETTLE), values)
    if row is None:
        return None
    transaction_id, wallet, posted, held, held_amount, *concerned = row
    wallet_id, captured = id_out(wallet), settlement.captured_micros
    if transaction_id is None:
        _undo(ledger, wallet_id, posted=captured, held=held_amount, versions=1, lot_id=None)
        return None
    return Posting(id_out(transaction_id), wallet_id, settlement.kind, -captured, Balance(posted, held)), concerned


def _settle_on_sqlite(ledger: Ledger, settlement: Settlement, values: dict[str, Any]) -> Posting | None:
    found = ledger.row(sqlite.SETTLE_FIND, values)
    if found is None:
        return None
    wallet_id, amount, grant_id = found
    captured = settlement.captured_micros
    values |= {"wallet_id": wallet_id, "amount": amount, "grant_id": grant_id}
    row = ledger.row(sqlite.SETTLE_GUARD, values)
    if row is None:
        return None
    posted, held, version, _head = row
    ledger.run(sqlite.END_HOLD, values)
    ledger.run(sqlite.CHANGE_LOT, {"grant_id": grant_id, "spent": captured, "held": -amount})
    posting = values | {"version": version, "posted": posted, "held": held}
    _post_on_sqlite(ledger, posting, wallet_id, captured, grant_id)
    return Posting(id_out(values["id"]), id_out(wallet_id), settlement.kind, -captured, Balance(posted, held))


def _post_on_sqlite(ledger: Ledger, values: dict[str, Any], wallet_id: str, spent: int, grant_id: str) -> None:
    """The transaction and, unless nothing was spent, its one transfer."""
    ledger.run(sqlite.POST, values | {"amount": -spent})
    if spent:
        movement = {"id": values["id"], "debit_id": wallet_id, "credit_id": values["house_id"]}
        ledger.run(sqlite.MOVE, movement | {"amount": spent, "grant_id": grant_id})


def _undo(ledger: Ledger, wallet_id: str, *, posted: int, held: int, versions: int, lot_id: Any | None) -> None:
    """A race was lost after the wallet's row had been written: put it back exactly; its lock is ours until the end."""
    wallet = {"wallet_id": wallet_id, "posted": posted, "held": held, "versions": versions}
    ledger.run(postgresql.UNDO_WALLET, wallet | {"head": posted - held})
    if lot_id is not None:
        ledger.run(postgresql.UNDO_LOT, {"lot_id": lot_id, "posted": posted, "held": held})


def _require_same(act: Act, input_hash: str | None) -> None:
    if input_hash is not None and input_hash != act.input_hash:
        raise IdempotencyConflict


def _values(ledger: Ledger, act: Act) -> dict[str, Any]:
    return {
        "id": ledger.id_in(new_id()),
        "wallet_id": ledger.id_in(act.wallet_id),
        "amount": act.amount_micros,
        "key": act.key,
        "input_hash": act.input_hash,
        "description": act.description,
        "source": act.source,
        "at": ledger.at_in(act.at),
    }


def _settlement_values(ledger: Ledger, settlement: Settlement) -> dict[str, Any]:
    return {
        "id": ledger.id_in(new_id()),
        "hold_id": ledger.id_in(settlement.hold_id),
        "captured": settlement.captured_micros,
        "kind": settlement.kind.value,
        "state": settlement.state.value,
        "key": settlement.hold_id,
        "input_hash": settlement.input_hash,
        "description": settlement.description,
        "source": settlement.source,
        "house_id": ledger.id_in(House.USAGE.account_id),
        "at": ledger.at_in(settlement.at),
    }
