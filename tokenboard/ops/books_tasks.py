"""The books' queue door."""

from __future__ import annotations

import logging

from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.ops import books_service

log = logging.getLogger(__name__)


@task("ops.check_books")
def check_books() -> None:
    """Ask every law, keep the result, raise alerts. Idempotent."""
    found = books_service.examine()
    books_service.keep(found)
    db.session.commit()
    log.info("books_checked", extra={"laws": len(found), "broken": [one.number for one in found if one.offenders]})
