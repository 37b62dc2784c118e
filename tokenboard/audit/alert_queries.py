"""Alerts for people who look: open, taken up, resolved; page after page."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select, tuple_

from tokenboard.audit.models import Alert
from tokenboard.core.db import db

STATES = ("open", "acknowledged", "resolved")
SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; empty: all."""

    state: str = ""
    severity: str = ""


def state_of(alert: Alert) -> str:
    """`open`, `acknowledged` (open, and somebody has taken it up) or `resolved`."""
    if alert.open_key is None:
        return "resolved"
    return "open" if alert.acknowledged_at is None else "acknowledged"


def page(wanted: AlertFilter, *, limit: int, before: str | None = None) -> list[Alert]:
    """The latest raised first; `before` is the id of the last one of the page before."""
    found = select(Alert).where(*_conditions(wanted)).order_by(Alert.last_raised_at.desc(), Alert.id.desc())
    if before and (last := db.session.get(Alert, before)):
        found = found.where(tuple_(Alert.last_raised_at, Alert.id) < (last.last_raised_at, last.id))
    return list(db.session.scalars(found.limit(limit)))


def _conditions(wanted: AlertFilter) -> list[ColumnElement[bool]]:
    is_open = Alert.open_key.is_not(None)
    states = {
        "open": and_(is_open, Alert.acknowledged_at.is_(None)),
        "acknowledged": and_(is_open, Alert.acknowledged_at.is_not(None)),
        "resolved": Alert.open_key.is_(None),
    }
    chosen: list[ColumnElement[bool]] = [states[wanted.state]] if wanted.state else []
    return [*chosen, Alert.severity == wanted.severity] if wanted.severity else chosen


def counts() -> dict[str, int]:
    """How many of each state."""
    state = [func.count().filter(*_conditions(AlertFilter(state=one))) for one in STATES]
    return dict(zip(STATES, db.session.execute(select(*state).select_from(Alert)).one(), strict=True))


def open_by_severity() -> dict[str, int]:
    """How many are open, of each severity."""
    found = select(Alert.severity, func.count()).where(Alert.open_key.is_not(None)).group_by(Alert.severity)
    told = {severity: int(count) for severity, count in db.session.execute(found)}
    return {severity: told.get(severity, 0) for severity in SEVERITIES}


def one(alert_id: str) -> Alert | None:
    return db.session.get(Alert, alert_id, populate_existing=True)
