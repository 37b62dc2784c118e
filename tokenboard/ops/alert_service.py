"""What administrators do with alerts: raise one by hand, take one up, say that it is dealt with. All of it audited."""

from __future__ import annotations

from tokenboard.audit import alerts, service as audit
from tokenboard.audit.alerts import Severity
from tokenboard.core.db import new_id

BY_HAND = "ops.by_hand"


def raise_by_hand(*, message: str, severity: Severity, actor: str) -> str:
    """An alert of somebody's own, for the others. Returns its subject, by which it is found."""
    subject = new_id()
    alerts.raise_alert(BY_HAND, subject=subject, severity=severity, message=message)
    audit.record("ops.alert_raised", actor=actor, subject=subject, facts={"severity": severity, "message": message})
    return subject


def acknowledge(*, alert_id: str, actor: str) -> bool:
    """Somebody has taken it up. Idempotent: the first one stays."""
    is_new = alerts.acknowledge(alert_id, by=actor)
    if is_new:
        audit.record("ops.alert_acknowledged", actor=actor, subject=alert_id)
    return is_new


def resolve(*, alert_id: str, actor: str) -> bool:
    """It is dealt with; the same trouble may be raised anew. Idempotent."""
    was_open = alerts.close_alert(alert_id, by=actor)
    if was_open:
        audit.record("ops.alert_resolved", actor=actor, subject=alert_id)
    return was_open
