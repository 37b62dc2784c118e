"""An entry of the audit log in words: who, what, on what, before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tokenboard.audit.models import AuditEntry
from tokenboard.core.parsing import or_none, parse_id

LONGEST_FACT = 300
_NAMED_PAIR = 2


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the entry tells; `before` only where something changed."""

    name: str
    value: str
    before: str
    is_change: bool


@dataclass(frozen=True, slots=True)
class ActLine:
    """One entry."""

    id: str
    at: datetime
    actor: str
    actor_href: str
    act: str
    what: str
    room: str
    subject: str
    workspace_id: str
    facts: tuple[Fact, ...]
    origin: str


def line(entry: AuditEntry, names: Mapping[str, str]) -> ActLine:
    """`names` are people's names by their ids; other actors are words, such as `cron`."""
    room, _, what = entry.act.partition(".")
    is_person = or_none(parse_id, entry.actor) is not None
    return ActLine(
        id=entry.id,
        at=entry.created_at,
        actor=names.get(entry.actor, "somebody who has left" if is_person else entry.actor),
        actor_href=f"/admin/users/{entry.actor}" if entry.actor in names else "",
        act=entry.act,
        what=what.replace("_", " ") or room,
        room=room,
        subject=names.get(entry.subject, entry.subject),
        workspace_id=entry.workspace_id or "",
        facts=tuple(_fact(name, value) for name, value in entry.facts.items()),
        origin=entry.ip_address,
    )


def _fact(name: str, value: object) -> Fact:
    """A list of two is what was and what is."""
    words = name.replace("_", " ")
    if isinstance(value, list) and len(value) == _NAMED_PAIR:
        return Fact(words, shown(value[1]), shown(value[0]), is_change=True)
    return Fact(words, shown(value), "", is_change=False)


def shown(value: object) -> str:
    """A fact's value as text."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False)
    return str(text)[:LONGEST_FACT]
