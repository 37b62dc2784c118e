"""The queue's door to accounts: what ends by itself is written down."""

from __future__ import annotations

import logging

from tokenboard.accounts import view_service
from tokenboard.core.db import db
from tokenboard.core.jobs import task

log = logging.getLogger(__name__)


@task("accounts.sweep")
def sweep() -> None:
    """Note in the audit log when somebody's view as somebody else is over. Idempotent: it counted no more before."""
    ended = view_service.end_overdue()
    db.session.commit()
    if ended:
        log.info("views_ended", extra={"views": ended})
