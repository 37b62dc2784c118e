"""Where a workspace's alerts go: e-mail addresses and signed webhooks."""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.core.db import db
from tokenboard.workspaces.models import AlertChannel

MOST_CHANNELS = 20  # of one workspace


def channels(workspace_id: str) -> list[AlertChannel]:
    """The workspace's channels, oldest first."""
    asked = select(AlertChannel).where(AlertChannel.workspace_id == workspace_id)
    return list(db.session.scalars(asked.order_by(AlertChannel.created_at, AlertChannel.id).limit(MOST_CHANNELS)))
