"""What is known of calls: which are lost, what text was recorded, what a person has used this month."""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.core.clock import now, this_month
from tokenboard.core.db import db
from tokenboard.metering.models import CallPiece, CapWindow, MeteredCall


def lost_calls(limit: int) -> list[str]:
    """Open calls whose lease is over, the longest first."""
    is_lost = (MeteredCall.state == "open", MeteredCall.lease_until <= now())
    return list(
        db.session.scalars(select(MeteredCall.id).where(*is_lost).order_by(MeteredCall.lease_until).limit(limit))
    )


def recorded_text(call_id: str) -> str:
    """The text that was written down for a call that keeps it."""
    pieces = select(CallPiece.text).where(CallPiece.call_id == call_id).order_by(CallPiece.from_char)
    return "".join(db.session.scalars(pieces))


def spent_this_month(person_id: str) -> int:
    """Micro-credits a person has used in the current UTC month, over all workspaces; what is held is not counted."""
    window = (CapWindow.kind == "person", CapWindow.subject_id == person_id, CapWindow.month == str(this_month()))
    return db.session.scalar(select(CapWindow.spent_micros).where(*window)) or 0
