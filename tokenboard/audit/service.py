"""Who did what. Entries are written in the transaction of their act and can never be changed (a database trigger)."""

from __future__ import annotations

from typing import Any

import structlog

from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db
from tokenboard.core.redaction import redact_value


def record(
    act: str,
    *,
    actor: str,
    subject: str = "",
    workspace_id: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write an act down, with where the request came from. Facts lose whatever looks like a secret or an address."""
    origin = structlog.contextvars.get_contextvars()
    kept = {name: redact_value(name, value) for name, value in (facts or {}).items()}
    db.session.add(
        AuditEntry(
            act=act,
            actor=actor,
            subject=subject,
            workspace_id=workspace_id,
            facts=kept,
            ip_address=str(origin.get("ip_address", ""))[:45],
            request_id=str(origin.get("request_id", ""))[:40],
        )
    )
