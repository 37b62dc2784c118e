"""The text of a call that keeps it: written down piece by piece, and taken by the room once the call is settled."""

from __future__ import annotations

from sqlalchemy import delete

from tokenboard.core.db import db
from tokenboard.metering import queries
from tokenboard.metering.models import CallPiece


def take_text(*, call_id: str) -> str:
    """The whole text; its pieces are deleted with the caller's transaction."""
    text = queries.recorded_text(call_id)
    db.session.execute(delete(CallPiece).where(CallPiece.call_id == call_id))
    return text
