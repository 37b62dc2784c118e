"""The queue's door to metering: calls that nobody runs any more are settled from what was recorded."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.jobs import task
from tokenboard.metering import queries, service

log = logging.getLogger(__name__)

MOST_CALLS = 500  # a sweep; the next one goes on


@task("metering.sweep")
def sweep() -> None:
    """Settle what a dead process left open, each call in a transaction of its own. Idempotent."""
    lost = queries.lost_calls(MOST_CALLS)
    db.session.commit()
    settled = sum(_settle_lost(call_id) for call_id in lost)
    if settled:
        log.info("metering_swept", extra={"calls": settled})


def _settle_lost(call_id: str) -> bool:
    """One that cannot be settled must not keep the others waiting."""
    try:
        settled = service.settle_lost(call_id=call_id)
        db.session.commit()
    except (TokenBoardError, SQLAlchemyError):
        db.session.rollback()
        log.exception("lost_call_not_settled", extra={"call": call_id})
        return False
    return settled is not None
