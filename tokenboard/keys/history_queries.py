"""What happened to a key, from the audit log. Access is decided by the caller."""

from __future__ import annotations

from sqlalchemy import select

from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db

SHOWN = 30


def history(workspace_id: str, key_id: str) -> list[AuditEntry]:
    """The last acts on a key, the newest first."""
    wanted = select(AuditEntry).where(AuditEntry.workspace_id == workspace_id, AuditEntry.subject == key_id)
    return list(db.session.scalars(wanted.order_by(AuditEntry.created_at.desc(), AuditEntry.id.desc()).limit(SHOWN)))
