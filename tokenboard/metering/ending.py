"""What ending a call writes beside the capture of its hold: at once on PostgreSQL, step by step on SQLite.

Law: its windows, its record, both roll-ups and its row change in the caller's transaction, or nothing does.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm.util import identity_key

from tokenboard.core.db import db, is_postgresql
from tokenboard.metering import call_statements as sql, cap_service
from tokenboard.metering.calls import CallRow
from tokenboard.metering.cap_service import Window
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.usage_columns import RECORD, postgresql_values
from tokenboard.metering.usage_service import ingest

_ENDING = ("state", "settled_at", "transaction_id", "outcome", "error_code", "first_piece_at")
_CALL = MeteredCall.__table__
assert isinstance(_CALL, Table)
# Built once: it is said for every call.
_CLOSE = (
    update(_CALL)
    .where(_CALL.c.id == bindparam("ended"))
    .values({_CALL.c[name]: bindparam(f"new_{name}", type_=_CALL.c[name].type) for name in _ENDING})
)


def write(row: CallRow, fact: UsageFact, first_piece_at: datetime | None) -> None:
    """Turn what the call held in its windows into what it cost, record it, count it, and close its row."""
    if is_postgresql():
        _write_at_once(row, fact, first_piece_at)
    else:
        cap_service.settle(windows=windows_of(row), held_micros=row.held_micros, spent_micros=fact.credits_micros)
        ingest(records=[fact])
        _close(row, fact, first_piece_at)
    known = db.session.identity_map.get(identity_key(MeteredCall, row.id))
    if known is not None:  # somebody in this transaction has it as an object
        db.session.expire(known)


def windows_of(row: CallRow) -> list[Window]:
    """The windows that hold for a call, in the order of locking."""
    told = (("key", row.key_id, row.key_window), ("member", row.membership_id, row.cap_month))
    return [
        (kind, subject_id, window)
        for kind, subject_id, window in (*told, ("person", row.person_id, row.cap_month))
        if subject_id is not None
    ]


def _write_at_once(row: CallRow, fact: UsageFact, first_piece_at: datetime | None) -> None:
    values = dict(zip(RECORD, postgresql_values(fact), strict=True))
    values |= {"held_micros": row.held_micros, "membership_id": row.membership_id, "cap_month": row.cap_month}
    values |= {"key_window": row.key_window, "first_piece_at": first_piece_at}
    answer = sql.ENDED.row(values)
    assert answer is not None, "it answers with one row"
    moved = (answer[0] or "").split()
    for window in windows_of(row):
        if window[0] not in moved:
            cap_service.tell_broken(window)


def _close(row: CallRow, fact: UsageFact, first_piece_at: datetime | None) -> None:
    ending = {"state": "settled", "settled_at": fact.occurred_at, "transaction_id": fact.transaction_id}
    ending |= {"outcome": fact.status, "error_code": fact.error_code, "first_piece_at": first_piece_at}
    db.session.execute(_CLOSE, {"ended": row.id} | {f"new_{name}": value for name, value in ending.items()})
