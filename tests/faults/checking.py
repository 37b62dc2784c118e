"""What must hold after any fault, asked of the database and compared with what the readers saw."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from flask import Flask

from tests.faults.readers import Reading
from tokenboard.core.db import db, read_only
from tokenboard.ledger import invariants
from tokenboard.metering import calls, rules
from tokenboard.metering.models import CallPiece, MeteredCall
from tokenboard.metering.usage_models import UsageRecord

SETTLED_WITHIN_SECONDS = 30.0


def wait_until_settled(app: Flask, seconds: float = SETTLED_WITHIN_SECONDS) -> float:
    """How long it took until no call was open. Raises: AssertionError."""
    began_at = time.monotonic()
    with app.app_context():
        db.engine.dispose()  # its connections may be from before a restart
    while open_calls(app):
        assert time.monotonic() - began_at < seconds, f"{open_calls(app)} calls are still open"
        time.sleep(0.2)
    return time.monotonic() - began_at


def open_calls(app: Flask) -> int:
    with app.app_context(), read_only():
        return int(db.session.scalar(sa.select(sa.func.count()).where(MeteredCall.state == "open")) or 0)


def open_call_ids(app: Flask) -> list[str]:
    with app.app_context(), read_only():
        return list(db.session.scalars(sa.select(MeteredCall.id).where(MeteredCall.state == "open")))


def all_calls(app: Flask) -> int:
    """Every call that was ever begun."""
    with app.app_context(), read_only():
        return int(db.session.scalar(sa.select(sa.func.count()).select_from(MeteredCall)) or 0)


def recorded_chars(app: Flask) -> int:
    """How much of all open answers is written down."""
    with app.app_context(), read_only():
        return int(
            db.session.scalar(sa.select(sa.func.sum(MeteredCall.recorded_chars)).where(MeteredCall.state == "open"))
            or 0
        )


def wait_until(is_true: Callable[[], bool], seconds: float = 90) -> None:
    """Raises: AssertionError when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def faults_of(app: Flask, readings: Sequence[Reading]) -> list[str]:
    """Every broken promise, in words; empty when all held."""
    with app.app_context():
        found = [f"law {broken}" for broken in invariants.check()]
        found += _doubly_charged()
        for reading in readings:
            if reading.call_id:
                found += [f"{reading.call_id}: {fault}; {reading.story}" for fault in _of_one(reading)]
    return found


def _doubly_charged() -> list[str]:
    """Each call has one record and its own transaction."""
    settled = sa.select(sa.func.count()).where(MeteredCall.state == "settled")
    records = sa.select(sa.func.count(), sa.func.count(sa.distinct(UsageRecord.call_id))).select_from(UsageRecord)
    calls_settled, (rows, distinct) = db.session.scalar(settled), db.session.execute(records).one()
    if calls_settled == rows == distinct:
        return []
    return [f"{calls_settled} calls were settled, with {rows} records of {distinct} calls"]


def _of_one(reading: Reading) -> list[str]:
    row = db.session.get_one(MeteredCall, reading.call_id)
    record = db.session.scalars(sa.select(UsageRecord).where(UsageRecord.call_id == row.id)).one()
    charge = _charge_of(row)
    found = []
    if record.is_estimated or record.status in {"interrupted", "stopped"}:
        step = _last_step_chars(row)
        least, most = charge(reading.delivered_chars), charge(reading.delivered_chars + step)
        if not least <= record.credits_micros <= most:
            found.append(
                f"{reading.delivered_chars} characters were delivered and {row.recorded_chars} recorded (the last step "
                f"{step}), charged {record.credits_micros}, not {least}–{most}; {record.status}"
            )
    if reading.end is None:
        found.append("its reader heard no end")
    elif reading.end.get("credits_micros", record.credits_micros) != record.credits_micros:
        found.append(f"its reader was told {reading.end}, charged {record.credits_micros}")
    if reading.end is not None and len(reading.text) != row.recorded_chars:
        found.append(f"its reader came to {len(reading.text)} characters of {row.recorded_chars}")
    return found


def _charge_of(row: MeteredCall) -> Callable[[int], int]:
    """What so many delivered bytes cost, by the charging policy."""
    tariff = calls.tariff_of(row)

    def charge(delivered_bytes: int) -> int:
        return rules.watermark_micros(tariff, calls.delivery_of(row, delivered_bytes))

    return charge


def _last_step_chars(row: MeteredCall) -> int:
    """One recording step: what the last tick that wrote this call wrote."""
    last = sa.select(CallPiece.from_char).where(CallPiece.call_id == row.id).order_by(CallPiece.from_char.desc())
    from_char = db.session.scalar(last.limit(1))
    return row.recorded_chars - (from_char or 0)
