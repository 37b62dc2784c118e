"""Waiting for what another thread does."""

from __future__ import annotations

import time

from sqlalchemy import select

from tests.people import People
from tokenboard.chat.models import Message, Status
from tokenboard.core.db import db, read_only
from tokenboard.metering import queries

PATIENCE_SECONDS = 90.0


def streaming_id(people: People, *, with_text: bool = False) -> tuple[str, str]:
    """The answer that is being written and its conversation, once there is one; with its first text, when wanted."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with people.app.app_context(), read_only():
            asked = select(Message.id, Message.conversation_id).where(Message.status == Status.STREAMING)
            found = db.session.execute(asked).first()
            if found and (not with_text or queries.recorded_text(found[0])):
                return found[0], found[1]
        time.sleep(0.01)
    raise AssertionError("no answer is being written")
