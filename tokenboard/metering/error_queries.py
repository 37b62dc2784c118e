"""How requests failed, counted by code: from the records, along an index that holds the failed ones alone.

Access has been decided by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text

from tokenboard.core.clock import midnight
from tokenboard.core.db import db
from tokenboard.metering.usage_models import IS_ERROR, UsageRecord
from tokenboard.metering.usage_rules import Span

MOST_CODES = 50


@dataclass(frozen=True, slots=True)
class CodeCount:
    """So many requests that ended in one way. `code` is empty where nobody said why."""

    status: str
    code: str
    requests: int
    latest_at: datetime


def by_code(workspace_id: str, span: Span, *, key_id: str) -> list[CodeCount]:
    """What a key's requests failed with, the most frequent first. One query."""
    record, until = UsageRecord, midnight(span.last) + timedelta(days=1)
    counted = func.count()
    asked = (
        select(record.status, record.error_code, counted, func.max(record.occurred_at))
        .where(record.workspace_id == workspace_id, record.key_id == key_id, text(IS_ERROR))
        .where(record.occurred_at >= midnight(span.first), record.occurred_at < until)
        .group_by(record.status, record.error_code)
        .order_by(counted.desc(), record.status, record.error_code)
        .limit(MOST_CODES)
    )
    return [CodeCount(*found) for found in db.session.execute(asked)]
