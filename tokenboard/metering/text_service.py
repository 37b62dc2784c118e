"""The text of a call that keeps it: written down piece by piece, and taken by the room once the call is settled.

The pieces stay for a day: a reader who listens from another process, or comes back, may not have heard the end yet.
Then the operator's tidying deletes them (ops/service.py). A room that erases a text erases its pieces with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete

from tokenboard.core.db import db
from tokenboard.metering import queries
from tokenboard.metering.models import CallPiece


def take_text(*, call_id: str) -> str:
    """The whole text, as often as it is asked for."""
    return queries.recorded_text(call_id)


def erase_text(*, call_ids: Sequence[str]) -> None:
    """Delete what was recorded of calls whose text must go at once."""
    db.session.execute(delete(CallPiece).where(CallPiece.call_id.in_(call_ids)))
