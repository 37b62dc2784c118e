"""How far the proxy's log is read: one reader at a time, with an overlap, so that nothing that comes late is missed.

Laws: a reader has a lease that a guarded UPDATE gives and renews with every page, beside what the page causes; the
cursor moves only when a reading has come to a short page. Rows come 5–15 s after a request has ended and are ordered by
its start, so a reading begins as long before the last one as a stream may last, and a minute.
Source: reference "LiteLLM", section 8. Nothing here commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, update

from tokenboard.audit.alerts import raise_alert, resolve_alert
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id, rows_changed
from tokenboard.core.upsert import insert
from tokenboard.keys.spend_models import SpendCursor
from tokenboard.providers.litellm_errors import LiteLLMError

NAME = "litellm"
OVERLAP = timedelta(minutes=11)  # the longest stream, and a minute
FIRST_LOOK = timedelta(days=1)
_LEASE = timedelta(seconds=90)
_AHEAD = timedelta(minutes=1)  # the proxy's clock may go before ours
_TELL_AFTER = 5
_KIND = "keys.spend_not_read"


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's turn."""

    token: str
    since: datetime
    until: datetime
    read_to: datetime  # what the cursor becomes when all is read


def take(*, look_back: timedelta = timedelta(0)) -> Reading | None:
    """The turn to read, from an overlap before the last reading; None when somebody reads.

    `look_back`: at least so far back, for what was written down very late.
    """
    at, token = now(), new_id()
    once = insert(SpendCursor).values(name=NAME, lease_token="", failures=0, last_error="")
    db.session.execute(once.on_conflict_do_nothing(index_elements=["name"]))
    is_free = or_(SpendCursor.lease_until.is_(None), SpendCursor.lease_until < at)
    taken = update(SpendCursor).where(SpendCursor.name == NAME, is_free)
    taken = taken.values(lease_token=token, lease_until=at + _LEASE).returning(SpendCursor.read_to)
    found = db.session.execute(taken.execution_options(synchronize_session=False)).one_or_none()
    if found is None:
        return None
    since = found.read_to - OVERLAP if found.read_to else at - FIRST_LOOK
    return Reading(token, min(since, at - look_back), at + _AHEAD, at)


def renew(reading: Reading) -> bool:
    """Whether it is still this reader's turn; it is for another while then."""
    return _change(reading, lease_until=now() + _LEASE)


def finish(reading: Reading) -> bool:
    """All is read: move the cursor, let the next one in."""
    resolve_alert(_KIND, subject=NAME)
    done = {"read_to": reading.read_to, "read_at": now(), "failures": 0, "last_error": ""}
    return _change(reading, lease_until=None, **done)


def fail(reading: Reading, error: LiteLLMError) -> None:
    """The proxy did not answer: the next turn begins where this one did."""
    _change(reading, lease_until=None, failures=SpendCursor.failures + 1, last_error=str(error)[:300])
    row = db.session.get_one(SpendCursor, NAME, populate_existing=True)
    if row.failures == _TELL_AFTER:
        words = f"LiteLLM's spend log could not be read five times in a row: {row.last_error[:200]}"
        raise_alert(_KIND, subject=NAME, severity="warning", message=words)


def _change(reading: Reading, **values: object) -> bool:
    mine = update(SpendCursor).where(SpendCursor.name == NAME, SpendCursor.lease_token == reading.token)
    statement = mine.values(**values).execution_options(synchronize_session=False)
    return rows_changed(db.session.execute(statement)) == 1
