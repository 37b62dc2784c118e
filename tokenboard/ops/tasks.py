"""The machinery's queue door."""

from __future__ import annotations

import logging

from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.ops import monitoring_service, service

log = logging.getLogger(__name__)


@task("ops.watch")
def watch() -> None:
    """A line of the monitoring log. Twice is two lines, which say the same."""
    row = monitoring_service.sample()
    db.session.commit()
    if not row.is_ok:
        log.warning("parts_down", extra={"down": row.down})


@task("ops.tidy")
def tidy() -> None:
    """Put old rows away."""
    deleted = service.tidy()
    db.session.commit()
    log.info("tidied", extra=deleted)
