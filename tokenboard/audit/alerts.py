"""What the operator should look at. One open alert a kind and subject: raising it again only counts.

Law: an alert is written in the transaction of its cause; a cause that rolls back raises nothing.
"""

from __future__ import annotations

import logging
from typing import Literal

from sqlalchemy import case, select, update

from tokenboard.audit.models import Alert
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id, rows_changed
from tokenboard.core.redaction import redact
from tokenboard.core.upsert import insert

log = logging.getLogger(__name__)

Severity = Literal["info", "warning", "critical"]
_LONGEST_KEY = 160


def raise_alert(kind: str, *, subject: str, severity: Severity, message: str) -> None:
    """Open an alert, or count the one that is open already.

    Idempotent: two workers raising the same alert at once leave one row that counts two.
    """
    instant = now()
    fresh = {"id": new_id(), "kind": kind, "open_key": _open_key(kind, subject), "severity": severity, "times": 1}
    fresh |= {"acknowledged_by": "", "resolved_by": ""}
    written = {"message": redact(message), "last_raised_at": instant}
    statement = insert(Alert).values(**fresh, **written, raised_at=instant)
    again = written | {"severity": severity, "times": Alert.times + 1}
    db.session.execute(statement.on_conflict_do_update(index_elements=["open_key"], set_=again))
    log.warning("alert_raised", extra={"kind": kind, "subject": subject, "severity": severity})


def resolve_alert(kind: str, *, subject: str) -> None:
    """Close the open alert, if there is one; the same trouble may then be raised anew."""
    closing = update(Alert).where(Alert.open_key == _open_key(kind, subject))
    db.session.execute(closing.values(open_key=None, resolved_at=now()))


def acknowledge(alert_id: str, *, by: str) -> bool:
    """Somebody has taken it up. Whether it was open and nobody had."""
    is_new = (Alert.id == alert_id, Alert.open_key.is_not(None), Alert.acknowledged_at.is_(None))
    taken = update(Alert).where(*is_new).values(acknowledged_at=now(), acknowledged_by=by)
    return rows_changed(db.session.execute(taken)) > 0


def close_alert(alert_id: str, *, by: str) -> bool:
    """Somebody has seen it and it is dealt with. Whether it was open."""
    closing = update(Alert).where(Alert.id == alert_id, Alert.open_key.is_not(None))
    done = {"open_key": None, "resolved_at": now(), "resolved_by": by}
    return rows_changed(db.session.execute(closing.values(**done))) > 0


def open_alerts() -> list[Alert]:
    """Every open alert, the most pressing first."""
    urgency = case({"critical": 0, "warning": 1}, value=Alert.severity, else_=2)
    found = select(Alert).where(Alert.open_key.is_not(None)).order_by(urgency, Alert.raised_at)
    return list(db.session.scalars(found))


def _open_key(kind: str, subject: str) -> str:
    return f"{kind}:{subject}"[:_LONGEST_KEY]
