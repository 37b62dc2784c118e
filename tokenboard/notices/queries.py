"""What stands in the outbox."""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.notices.models import Notice

_RECENT = 200


def latest_by_address(workspace_id: str) -> dict[str, Notice]:
    """The newest message of a workspace to each address, among its newest 200."""
    asked = select(Notice).where(Notice.workspace_id == workspace_id)
    newest = db.session.scalars(asked.order_by(Notice.created_at.desc(), Notice.id).limit(_RECENT))
    found: dict[str, Notice] = {}
    for notice in newest:
        found.setdefault(notice.address, notice)
    return found


def recent(limit: int = _RECENT) -> list[Notice]:
    """The newest messages of all, for the development outbox."""
    return list(db.session.scalars(select(Notice).order_by(Notice.created_at.desc(), Notice.id).limit(limit)))


def notice(notice_id: str) -> Notice:
    """One message. Raises: NotFound."""
    found = db.session.get(Notice, notice_id)
    if found is None:
        raise NotFound
    return found
