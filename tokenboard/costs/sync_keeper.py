"""Keeps a run's lease alive while its worker waits for a slow provider: a lease that runs out means a dead process.

One thread a run, with a session of its own; it ends with the run, and by itself once the lease is lost.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from tokenboard.core.db import db
from tokenboard.costs import sync_rules, sync_runs
from tokenboard.costs.sync_errors import LostLease
from tokenboard.costs.sync_runs import Lease

log = logging.getLogger(__name__)


@contextlib.contextmanager
def kept(lease: Lease, every_seconds: float = sync_rules.RENEW_SECONDS) -> Iterator[None]:
    """Renew the lease while the block lasts."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    keeper = threading.Thread(target=_renew, args=(app, lease, stop, every_seconds), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _renew(app: Flask, lease: Lease, stop: threading.Event, every_seconds: float) -> None:
    while not stop.wait(every_seconds):
        with app.app_context():
            try:
                sync_runs.hold(lease)
                db.session.commit()
            except LostLease:
                db.session.rollback()
                return
            except OperationalError as error:
                db.session.rollback()
                log.warning("lease_not_renewed", extra={"run": lease.run_id, "error": type(error).__name__})
