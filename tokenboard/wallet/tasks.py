"""The wallet's queue door: what must happen to a ledger by time."""

from __future__ import annotations

import logging

from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.ledger import service as ledger

log = logging.getLogger(__name__)

BATCH = 100  # wallets or holds a transaction: each holds its row's lock until the commit
MOST_BATCHES = 50  # a sweep; the next one goes on


@task("wallet.sweep")
def ledger_sweep() -> None:
    """Expire grants and end holds whose time is over, in small transactions. Idempotent."""
    ended = ledger_expire_holds()
    expired = ledger_expire_grants()
    if ended or expired:
        log.info("ledger_swept", extra={"holds": ended, "wallets": expired})


def ledger_expire_holds() -> int:
    """Holds first: what they free of an expired grant expires with them."""
    total = 0
    for _ in range(MOST_BATCHES):
        found = len(ledger.expire_holds(limit=BATCH))
        db.session.commit()
        total += found
        if found < BATCH:
            break
    return total


def ledger_expire_grants() -> int:
    """Take out what is free in grants whose time is over."""
    total = 0
    for _ in range(MOST_BATCHES):
        found = ledger.expire_grants(limit=BATCH)
        db.session.commit()
        total += found
        if found < BATCH:
            break
    return total
