"""The audit log for people who look: by filter, page after page, the newest first.

Law: the page, its CSV and whoever else asks use one and the same condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, text, tuple_

from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import midnight
from tokenboard.core.db import db


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries; empty: all. `act` is a whole act (`costs.connected`) or a room (`costs`).

    `who` holds ids and words: of actors, and of what it was done to.
    """

    act: str = ""
    who: tuple[str, ...] = ()
    workspace_id: str = ""
    first: date | None = None
    last: date | None = None


def page(wanted: EntryFilter, *, limit: int, before: tuple[datetime, str] | None = None) -> list[AuditEntry]:
    """`before` is the last entry of the page before."""
    found = select(AuditEntry).where(*_conditions(wanted))
    if before is not None:
        found = found.where(tuple_(AuditEntry.created_at, AuditEntry.id) < before)
    newest = (AuditEntry.created_at.desc(), AuditEntry.id.desc())
    return list(db.session.scalars(found.order_by(*newest).limit(limit)))


def one(entry_id: str) -> AuditEntry | None:
    return db.session.get(AuditEntry, entry_id)


def _conditions(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if wanted.act:
        whole = AuditEntry.act == wanted.act
        chosen.append(whole if "." in wanted.act else AuditEntry.act.startswith(f"{wanted.act}.", autoescape=True))
    if wanted.who:
        chosen.append(or_(AuditEntry.actor.in_(wanted.who), AuditEntry.subject.in_(wanted.who)))
    if wanted.workspace_id:
        chosen.append(AuditEntry.workspace_id == wanted.workspace_id)
    if wanted.first:
        chosen.append(AuditEntry.created_at >= midnight(wanted.first))
    if wanted.last:
        chosen.append(AuditEntry.created_at < midnight(wanted.last) + timedelta(days=1))
    return chosen


# From one act to the next one in the index: a DISTINCT would read every entry.
_ACTS = text(
    """
    WITH RECURSIVE kind (act) AS (
        SELECT min(act) FROM audit_entry
        UNION ALL
        SELECT (SELECT min(act) FROM audit_entry WHERE act > kind.act) FROM kind WHERE kind.act IS NOT NULL
    )
    SELECT act FROM kind WHERE act IS NOT NULL LIMIT 500
    """
)


def acts() -> list[str]:
    """Every act there is an entry of, by name."""
    return [str(act) for (act,) in db.session.execute(_ACTS)]
