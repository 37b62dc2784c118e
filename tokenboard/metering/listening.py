"""Listen to an answer wherever it is written: in this process from memory, in another from the database.

Laws: no connection is held between two looks; a listener that comes back names its last character and hears the rest
once; who comes after the end hears the end, with what it has cost.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from tokenboard.core import clock
from tokenboard.core.db import db, read_only
from tokenboard.metering import service
from tokenboard.metering.generations import Generations
from tokenboard.metering.models import CallPiece, MeteredCall
from tokenboard.metering.relaying import LOST, RESTARTING
from tokenboard.metering.stream_events import ChatFailure, Delta, Ended, Heartbeat, StreamEvent
from tokenboard.metering.tape import HEARTBEAT_SECONDS

# An answer lasts ten minutes at most; whoever waits longer than that waits for nothing.
LONGEST_SECONDS = 900.0
_GONE = ChatFailure("not_found", "This answer is no longer here. Reload the page.", 404)
_BROKE_OFF = ChatFailure("upstream_error", "The answer broke off. What had arrived is kept.", 502)
_FAILURES = {failure.code: failure for failure in (RESTARTING, LOST)}


@dataclass(frozen=True, slots=True)
class _Look:
    """What the database knows of an answer right now."""

    text: str
    ended: Ended | None


def listen(call_id: str, from_char: int = 0) -> Generator[StreamEvent, None, None]:
    """Every event of an answer from a character on; ends after `Ended`. The caller has checked who may.

    Needs an application context when it is called, none while it is read.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    here: Generations = app.extensions["generations"]
    generation = here.find(call_id)
    if generation is not None:
        return generation.listen(from_char)
    return _from_afar(app, here, call_id, from_char)


def _from_afar(app: Flask, here: Generations, call_id: str, position: int) -> Generator[StreamEvent, None, None]:
    until = clock.monotonic() + LONGEST_SECONDS
    spoken_at = clock.monotonic()
    with here.hub.listening(call_id) as bell:
        while clock.monotonic() < until:
            look = _look(app, call_id, position)
            if look is not None and look.text:
                delta = Delta(position, position + len(look.text), look.text)
                position = delta.to_char
                spoken_at = clock.monotonic()
                yield delta
            elif look is not None and look.ended is not None:
                yield look.ended
                return
            elif clock.monotonic() - spoken_at >= HEARTBEAT_SECONDS:
                spoken_at = clock.monotonic()
                yield Heartbeat()
            else:
                bell.wait()


def _look(app: Flask, call_id: str, position: int) -> _Look | None:
    """None while the database is away."""
    try:
        with app.app_context(), read_only(), closing(db.session()):
            return _read(call_id, position)
    except SQLAlchemyError:
        return None


def _read(call_id: str, position: int) -> _Look:
    # The end is read first: what is on the tape then is all there will be.
    row = db.session.execute(
        sa.select(MeteredCall.state, MeteredCall.outcome, MeteredCall.error_code).where(MeteredCall.id == call_id)
    ).one_or_none()
    if row is None:
        return _Look("", Ended(None, _GONE, "failed"))
    text = _text_from(call_id, position)
    if row.state != "settled":
        return _Look(text, None)
    return _Look(
        text, Ended(service.settled_before(call_id=call_id), _failure_of(row.outcome, row.error_code), row.outcome)
    )


def _text_from(call_id: str, position: int) -> str:
    length = sa.func.length(CallPiece.text)
    rows = db.session.execute(
        sa.select(CallPiece.from_char, CallPiece.text)
        .where(CallPiece.call_id == call_id, CallPiece.from_char + length > position)
        .order_by(CallPiece.from_char)
    ).all()
    if not rows:
        return ""
    text = "".join(piece for _, piece in rows)
    return text[max(0, position - rows[0][0]) :]


def _failure_of(outcome: str, code: str) -> ChatFailure | None:
    if outcome not in {"failed", "interrupted"}:
        return None
    return _FAILURES.get(code, LOST if outcome == "interrupted" else _BROKE_OFF)
