"""The alerts in finished texts: what is open, who has taken it up, what came of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from tokenboard.accounts.queries import people_by_id
from tokenboard.audit import alert_queries
from tokenboard.audit.alert_queries import SEVERITIES, STATES, AlertFilter
from tokenboard.audit.models import Alert
from tokenboard.ops.payments_page import Choice
from tokenboard.web.filters import number, plural

PATH = "/admin/alerts"
LINES = 30
TONES = {"critical": ("bad", "circle-alert"), "warning": ("warn", "triangle-alert"), "info": ("", "info")}


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert."""

    id: str
    message: str
    kind: str
    severity: str
    tone: str
    icon: str
    state: str
    raised_at: datetime
    last_raised_at: datetime
    times: str
    taken_by: str
    taken_at: datetime | None
    resolved_by: str
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """Everything on the page."""

    wanted: AlertFilter
    lines: tuple[AlertLine, ...]
    states: tuple[Choice, ...]
    severities: tuple[tuple[str, str], ...]
    older_href: str
    newest_href: str
    is_filtered: bool


def read_filter(given: Mapping[str, str]) -> AlertFilter:
    """What the address says; a word that does not exist filters nothing."""
    state, severity = given.get("state", ""), given.get("severity", "")
    return AlertFilter(state if state in STATES else "", severity if severity in SEVERITIES else "")


def build(wanted: AlertFilter, *, cursor: str) -> AlertsPage:
    """Three reads, and one for the cursor."""
    found = alert_queries.page(wanted, limit=LINES + 1, before=cursor or None)
    shown = found[:LINES]
    actors = {one.acknowledged_by for one in shown} | {one.resolved_by for one in shown}
    names = {person_id: person.name for person_id, person in people_by_id(actors).items()}
    return AlertsPage(
        wanted=wanted,
        lines=tuple(_line(one, names) for one in shown),
        states=_states(wanted),
        severities=(("", "Any severity"), *((one, one.capitalize()) for one in SEVERITIES)),
        older_href=href(wanted, cursor=shown[-1].id) if len(found) > LINES else "",
        newest_href=href(wanted) if cursor else "",
        is_filtered=wanted != AlertFilter(),
    )


def href(wanted: AlertFilter, *, cursor: str = "") -> str:
    """The address of a filter."""
    chosen = {"state": wanted.state, "severity": wanted.severity, "cursor": cursor}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"{PATH}?{query}" if query else PATH


def _states(wanted: AlertFilter) -> tuple[Choice, ...]:
    counts = alert_queries.counts()
    words = {"": f"All {number(sum(counts.values()))}"} | {
        one: f"{'Taken up' if one == 'acknowledged' else one.capitalize()} {number(counts[one])}" for one in STATES
    }
    return tuple(
        Choice(label, href(AlertFilter(state, wanted.severity)), wanted.state == state)
        for state, label in words.items()
    )


def _line(alert: Alert, names: Mapping[str, str]) -> AlertLine:
    tone, icon = TONES[alert.severity]
    return AlertLine(
        id=alert.id,
        message=alert.message,
        kind=alert.kind,
        severity=alert.severity,
        tone=tone,
        icon=icon,
        state=alert_queries.state_of(alert),
        raised_at=alert.raised_at,
        last_raised_at=alert.last_raised_at,
        times=plural(alert.times, "time") if alert.times > 1 else "",
        taken_by=names.get(alert.acknowledged_by, "somebody who has left"),
        taken_at=alert.acknowledged_at,
        resolved_by=names.get(alert.resolved_by, "somebody who has left") if alert.resolved_by else "",
        resolved_at=alert.resolved_at,
    )
