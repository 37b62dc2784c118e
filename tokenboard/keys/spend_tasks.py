"""The queue's doors of spend: book one delivery, read the log, find again what a lost bell left.

Laws: a bell may ring twice or never; the proxy is asked with no transaction open; a page and its effects commit
together.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from tokenboard.audit.alerts import raise_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, TokenBoardError
from tokenboard.core.jobs import task
from tokenboard.keys import spend_batch_service, spend_cursor, spend_queries, spend_service
from tokenboard.keys.spend_cursor import Reading
from tokenboard.providers.litellm_client import SPEND_PAGE_ROWS, LiteLLMAdmin
from tokenboard.providers.litellm_errors import LiteLLMError
from tokenboard.providers.litellm_objects import SpendPage
from tokenboard.web.clients import clients

log = logging.getLogger(__name__)

BATCH = 50  # deliveries a sweep; the next one goes on
# What LiteLLM wrote down hours late, after its database was away.
_ONCE_A_DAY = timedelta(hours=26)


@task(spend_batch_service.INGEST)
def ingest_batch(batch_id: str) -> None:
    """Book one delivery. Idempotent: one that is booked, or that another worker has, is left alone."""
    try:
        row = spend_batch_service.take(batch_id)
        if row is not None:
            spend_batch_service.book(row=row, house_hashes=clients().house_key_hashes())
        db.session.commit()
    except (TokenBoardError, SQLAlchemyError) as error:
        _put_off(batch_id, error)
    except Exception as error:
        # A fault of ours: kept for another try with the fixed code, and the trace goes to the log.
        _put_off(batch_id, error)
        raise


def _put_off(batch_id: str, error: Exception) -> None:
    db.session.rollback()
    spend_batch_service.put_off(batch_id=batch_id, error=error)
    db.session.commit()
    log.warning("spend_batch_put_off", extra={"batch": batch_id, "error": type(error).__name__})


@task("keys.sweep_spend")
def sweep_spend() -> None:
    """Book deliveries whose bell was lost."""
    waiting = spend_queries.due_batches(now(), BATCH)
    db.session.commit()
    for batch_id in waiting:
        ingest_batch(batch_id)


@task("keys.read_spend")
def read_spend() -> None:
    """Read what is new in the proxy's log."""
    _read_with_client(timedelta(0))


@task("keys.read_spend_again")
def read_spend_again() -> None:
    """Read the last day once more, for what was written down very late; forget old deliveries."""
    spend_batch_service.forget_old()
    db.session.commit()
    _read_with_client(_ONCE_A_DAY)


def _read_with_client(look_back: timedelta) -> None:
    try:
        proxy = clients().litellm()
    except NotConfigured:
        return
    read(proxy, clients().house_key_hashes(), look_back=look_back)


def read(
    proxy: LiteLLMAdmin, house_hashes: frozenset[str], *, look_back: timedelta = timedelta(0)
) -> dict[str, int] | None:
    """Book the log page by page until a short one; how many of each kind. None when somebody else reads."""
    reading = spend_cursor.take(look_back=look_back)
    db.session.commit()
    if reading is None:
        return None
    try:
        return _read_pages(reading, proxy, house_hashes)
    except LiteLLMError as error:
        db.session.rollback()
        spend_cursor.fail(reading, error)
        db.session.commit()
        log.warning("spend_not_read", extra={"error": type(error).__name__})
        return None


def _read_pages(reading: Reading, proxy: LiteLLMAdmin, house_hashes: frozenset[str]) -> dict[str, int] | None:
    counts: Counter[str] = Counter()
    page_number = 1
    while True:
        page = proxy.spend_logs(since=reading.since, until=reading.until, page=page_number)
        if not spend_cursor.renew(reading):  # too slow: somebody else reads by now
            db.session.rollback()
            return None
        counts.update(spend_service.book(records=page.records, feed="log", house_hashes=house_hashes))
        _tell_unreadable(page)
        is_last = page.rows < SPEND_PAGE_ROWS
        if is_last:
            spend_cursor.finish(reading)
        db.session.commit()
        if is_last:
            return dict(counts)
        page_number += 1


def _tell_unreadable(page: SpendPage) -> None:
    if page.unreadable:
        words = f"{page.unreadable} rows of LiteLLM's spend log cannot be read, and nobody was charged for them."
        raise_alert("keys.spend_unreadable", subject="log", severity="warning", message=words)
