"""The announcements in finished texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tokenboard.accounts.queries import people_by_id
from tokenboard.core.clock import now
from tokenboard.notices import announcement_queries

PATH = "/admin/announcements"
STATE_TONES = {"running": ("accent", "bell"), "scheduled": ("", "calendar"), "over": ("", "check")}


@dataclass(frozen=True, slots=True)
class AnnouncementLine:
    """One of them."""

    id: str
    text: str
    kind: str
    link: str
    state: str
    tone: str
    icon: str
    starts_at: datetime
    ends_at: datetime | None
    by: str


def build() -> tuple[AnnouncementLine, ...]:
    """Two reads."""
    rows, at = announcement_queries.latest(), now()
    names = {person_id: person.name for person_id, person in people_by_id({row.actor for row in rows}).items()}
    lines = []
    for row in rows:
        state = announcement_queries.state_of(row, at)
        tone, icon = STATE_TONES[state]
        by = names.get(row.actor, "somebody who has left")
        ends_at = row.ended_at or row.ends_at
        lines.append(
            AnnouncementLine(row.id, row.text, row.kind, row.link, state, tone, icon, row.starts_at, ends_at, by)
        )
    return tuple(lines)
