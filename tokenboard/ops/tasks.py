"""The machinery's queue door."""

from __future__ import annotations

import logging

from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.ops import service

log = logging.getLogger(__name__)


@task("ops.tidy")
def tidy() -> None:
    """Put old rows away."""
    deleted = service.tidy()
    db.session.commit()
    log.info("tidied", extra=deleted)
