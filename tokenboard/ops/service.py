"""The machinery's own acts: firing a slot once, saying a process is alive, putting old rows away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select

from tokenboard.accounts.models import OneTimeToken, SignIn
from tokenboard.billing.reconcile_models import ReconcileRun
from tokenboard.core.clock import now
from tokenboard.core.db import db, rows_changed
from tokenboard.core.upsert import insert
from tokenboard.metering.models import CallPiece, MeteredCall
from tokenboard.notices.models import Notice
from tokenboard.ops.models import Heartbeat, MonitoringSample, PeriodicRun

HEARTBEAT_KEPT = timedelta(hours=1)
SIGN_IN_KEPT = timedelta(days=90)
NOTICE_KEPT = timedelta(days=30)
DEAD_NOTICE_KEPT = timedelta(days=90)
PIECES_KEPT = timedelta(days=1)  # the room has taken the text long since; readers may still come back for the end
LOOK_KEPT = timedelta(days=30)  # as long as Stripe keeps events
SAMPLE_KEPT = timedelta(days=30)
TOKEN_KEPT = timedelta(days=7)  # long enough to answer "my link did not work"


def claim_slot(name: str, slot: datetime) -> bool:
    """Move a periodic job's slot forward. Whether this transaction is the one that did.

    One statement, so that of two workers at once the second waits for the first and then changes nothing.
    """
    statement = insert(PeriodicRun).values(name=name, slot_at=slot)
    is_newer = PeriodicRun.slot_at < statement.excluded.slot_at
    claim = statement.on_conflict_do_update(index_elements=["name"], set_={"slot_at": slot}, where=is_newer)
    # RETURNING, because the row count of an INSERT is -1 on PostgreSQL, done or not.
    return db.session.scalar(claim.returning(PeriodicRun.name)) is not None


def beat(name: str) -> None:
    """Say that a process is alive."""
    instant = now()
    statement = insert(Heartbeat).values(name=name, beat_at=instant)
    db.session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"beat_at": instant}))


def stop_beating(name: str) -> None:
    """Say that a process has ended in good order."""
    db.session.execute(delete(Heartbeat).where(Heartbeat.name == name))


def tidy() -> dict[str, int]:
    """Delete what nobody needs any more. Returns how many rows of each kind went."""
    instant = now()
    is_ended = or_(SignIn.ended_at < instant - SIGN_IN_KEPT, SignIn.last_seen_at < instant - SIGN_IN_KEPT)
    is_used = or_(OneTimeToken.used_at < instant - TOKEN_KEPT, OneTimeToken.expires_at < instant - TOKEN_KEPT)
    is_out = (Notice.state == "sent") & (Notice.sent_at < instant - NOTICE_KEPT)
    is_dead = (Notice.state == "dead") & (Notice.created_at < instant - DEAD_NOTICE_KEPT)
    return {
        "heartbeats": _delete(Heartbeat, Heartbeat.beat_at < instant - HEARTBEAT_KEPT),
        "sign_ins": _delete(SignIn, is_ended),
        "one_time_tokens": _delete(OneTimeToken, is_used),
        "notices": _delete(Notice, or_(is_out, is_dead)),
        "looks": _delete(ReconcileRun, ReconcileRun.ended_at < instant - LOOK_KEPT),
        "samples": _delete(MonitoringSample, MonitoringSample.taken_at < instant - SAMPLE_KEPT),
        "pieces": _delete(CallPiece, CallPiece.call_id.in_(_settled_before(instant - PIECES_KEPT))),
    }


def _settled_before(instant: datetime) -> Select[str]:
    return select(MeteredCall.id).where(MeteredCall.settled_at < instant)


def _delete(row: type[Any], condition: Any) -> int:
    return rows_changed(db.session.execute(delete(row).where(condition).execution_options(synchronize_session=False)))
