"""Telling everybody something: written, ended, put away. Audited where an administrator acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from tokenboard.audit import service as audit
from tokenboard.core.clock import iso, now
from tokenboard.core.db import db, rows_changed
from tokenboard.core.errors import NotFound
from tokenboard.core.upsert import insert
from tokenboard.notices.announcement_models import Announcement, AnnouncementDismissal


@dataclass(frozen=True, slots=True)
class AnnouncementWish:
    """What is to be told, and from when to when."""

    text: str
    kind: str
    link: str
    starts_at: datetime
    ends_at: datetime | None


def announce(*, wish: AnnouncementWish, actor: str, announcement_id: str) -> bool:
    """Tell it. Whether it is new: the same form sent twice is one announcement."""
    fields = {"text": wish.text, "kind": wish.kind, "link": wish.link}
    when = {"starts_at": wish.starts_at, "ends_at": wish.ends_at}
    values = {"id": announcement_id, **fields, **when, "actor": actor, "created_at": now()}
    statement = insert(Announcement).values(**values).on_conflict_do_nothing(index_elements=["id"])
    if db.session.scalar(statement.returning(Announcement.id)) is None:
        return False
    facts = {"text": wish.text, "from": iso(wish.starts_at), "to": iso(wish.ends_at) if wish.ends_at else None}
    audit.record("notices.announced", actor=actor, subject=announcement_id, facts=facts)
    return True


def end(*, announcement_id: str, actor: str) -> bool:
    """It is shown no longer. Whether it was open. Idempotent."""
    ending = update(Announcement).where(Announcement.id == announcement_id, Announcement.ended_at.is_(None))
    is_new = rows_changed(db.session.execute(ending.values(ended_at=now()))) > 0
    if is_new:
        audit.record("notices.announcement_ended", actor=actor, subject=announcement_id)
    return is_new


def dismiss(*, announcement_id: str, person_id: str) -> None:
    """One person has read it. Idempotent. Raises: NotFound."""
    if db.session.get(Announcement, announcement_id) is None:
        raise NotFound
    values = {"announcement_id": announcement_id, "person_id": person_id, "dismissed_at": now()}
    statement = insert(AnnouncementDismissal).values(**values)
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["announcement_id", "person_id"]))
