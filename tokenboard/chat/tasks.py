"""The chat's queue door: messages whose call has ended and whose own end was lost."""

from __future__ import annotations

import logging

from tokenboard.chat import closing
from tokenboard.core.db import db
from tokenboard.core.jobs import task

log = logging.getLogger(__name__)

MOST_MESSAGES = 100  # a sweep; the next one goes on


@task("chat.sweep")
def sweep() -> None:
    """Close what a failed closing left open. Idempotent; finds nothing while all is well."""
    closed = closing.close_forgotten(limit=MOST_MESSAGES)
    db.session.commit()
    if closed:
        log.warning("chat_swept", extra={"messages": closed})
