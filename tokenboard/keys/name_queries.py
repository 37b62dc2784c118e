"""What keys are called, for pages about their use."""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.core.db import db
from tokenboard.keys.models import VirtualKey

MOST_NAMES = 5_000


def names(workspace_id: str) -> dict[str, str]:
    """Every key of a workspace by id, revoked ones too: what they used stays told."""
    wanted = select(VirtualKey.id, VirtualKey.name).where(VirtualKey.workspace_id == workspace_id)
    found = db.session.execute(wanted.order_by(VirtualKey.created_at.desc()).limit(MOST_NAMES))
    return {row.id: row.name for row in found}
