"""What beginning a call reads and writes beside its hold: at once on PostgreSQL, step by step on SQLite.

`look` answers with the windows of the caps locked until the transaction ends; `write` holds in them and makes the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, bindparam, func, insert, select

from tokenboard.core.db import db, is_postgresql
from tokenboard.ledger import queries as ledger_queries
from tokenboard.metering import call_statements as sql, cap_service, price_queries
from tokenboard.metering.cap_service import Cap, Limits
from tokenboard.metering.errors import ModelNotOffered
from tokenboard.metering.facts import CallOrder, Price
from tokenboard.metering.models import MeteredCall

_CALL = MeteredCall.__table__
assert isinstance(_CALL, Table)
# Built once: they are said for every call.
_OPEN = select(func.count()).where(_CALL.c.person_id == bindparam("asked_by"), _CALL.c.state == "open")
_NEW = insert(_CALL)


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands at the beginning."""

    price: Price
    caps: list[Cap]
    # Of the person. On PostgreSQL as it was before we waited for the lock of its window.
    open_calls: int
    # Of the wallet, likewise: what is free in it, expired or not.
    free_micros: int


def look(order: CallOrder, month: str) -> Seen:
    """The price, the caps (locked, made where they are not there yet), the calls open. Raises: ModelNotOffered."""
    if is_postgresql():
        return _look_at_once(order, month)
    price = price_queries.offered(order.model)
    caps = cap_service.lock(
        workspace_id=order.workspace.id, person_id=order.person_id, month=month, key_limit=order.key_limit
    )
    free_micros = ledger_queries.balance(order.workspace.ledger_account_id).available_micros
    return Seen(price, caps, open_calls(order.person_id), free_micros)


def _look_at_once(order: CallOrder, month: str) -> Seen:
    key = order.key_limit
    asked = {"model": order.model, "workspace_id": order.workspace.id, "person_id": order.person_id, "month": month}
    asked["wallet_id"] = order.workspace.ledger_account_id
    asked |= {"key_id": key.key_id, "key_window": key.window} if key else {"key_id": None, "key_window": ""}
    row = sql.OPENING.row(asked)
    assert row is not None, "it answers with one row"
    price_id, is_offered, person_id, budget_cents, membership_id, cap_cents, *used, open_now, free_micros = row
    if not is_offered:
        raise ModelNotOffered(order.model)
    limits = Limits(person_id, budget_cents, membership_id, cap_cents) if person_id else None
    known = dict(zip(("key", "member", "person"), used, strict=True))
    caps = [cap_service.using(cap, known[cap.kind]) for cap in cap_service.subjects(key, limits, month)]
    return Seen(price_queries.version(price_id), caps, open_now, free_micros or 0)


def open_calls(person_id: str | None) -> int:
    """How many calls a person has open now."""
    return 0 if person_id is None else db.session.execute(_OPEN, {"asked_by": person_id}).scalar_one()


def write(row: Mapping[str, Any], caps: Sequence[Cap]) -> int:
    """Hold for the call in the windows that `look` has locked, and write its row; how many were open beside it."""
    if not is_postgresql():
        cap_service.reserve(caps=caps, amount_micros=row["held_micros"])
        db.session.execute(_NEW, dict(row))
        return 0  # the one writer has counted them already
    most = {"key_most": None, "member_most": None, "person_most": None}
    answer = sql.OPEN.row({**row, **most, **{f"{cap.kind}_most": cap.cap_micros for cap in caps}})
    assert answer is not None, "it answers with one row"
    assert answer[0] == len(caps), "the windows are locked and have room"
    return int(answer[1])
