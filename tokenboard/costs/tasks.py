"""The queue's door to syncs: run one, find lost ones again, queue what is due.

Law: a bell may ring twice or never; `run_sync` takes the run's lease first, so that of any number of bells one works.
"""

from __future__ import annotations

import logging
import secrets

from tokenboard.core.crypto import CannotUnseal
from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.core.settings import settings
from tokenboard.costs import connection_queries, service, sync_failures, sync_import, sync_runs
from tokenboard.costs.sync_errors import LostLease, UnusableBill
from tokenboard.costs.sync_keeper import kept
from tokenboard.costs.sync_rules import Reason
from tokenboard.costs.sync_runs import Lease
from tokenboard.providers.costs import CostProvider
from tokenboard.providers.errors import ProviderError
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)


@task("costs.run_sync")
def run_sync(run_id: str) -> None:
    """Import one run's days, committing piece by piece. Idempotent: without the lease it does nothing."""
    lease = sync_runs.take(run_id)
    db.session.commit()
    if lease is None:
        return
    with kept(lease):
        try:
            for _ in sync_import.steps(lease, _reader(lease)):
                db.session.commit()
        except LostLease:
            db.session.rollback()
            log.warning("sync_lease_lost", extra={"run": run_id})
        except (ProviderError, UnusableBill, CannotUnseal) as error:
            db.session.rollback()
            _end_badly(lease, error)


def _reader(lease: Lease) -> CostProvider:
    connection = connection_queries.find(lease.connection_id)
    if connection is None:
        raise LostLease(lease.run_id)
    api_key = service.open_key(connection, settings().encryption_keys)
    db.session.commit()
    return clients().costs(lease.provider, api_key)


def _end_badly(lease: Lease, error: ProviderError | UnusableBill | CannotUnseal) -> None:
    try:
        sync_failures.end_badly(lease, error, jitter_percent=secrets.randbelow(25))
    except LostLease:
        log.warning("sync_lease_lost", extra={"run": lease.run_id})
        db.session.rollback()
        return
    db.session.commit()


@task("costs.sweep")
def sweep() -> None:
    """Find again what a lost bell or a dead worker left behind, and queue what is due."""
    sync_failures.give_up_lost()
    service.queue_due()
    sync_runs.ring_for_due()
    db.session.commit()


@task("costs.queue_hourly")
def queue_hourly() -> None:
    """The last seven days of every connection whose hour has come."""
    service.queue_due()
    db.session.commit()


@task("costs.queue_daily")
def queue_daily() -> None:
    """The current and the previous month of every connection."""
    service.queue_all(Reason.DAILY)
    db.session.commit()
