"""Which announcement runs, and for whom. Asked with every page, as a part of the question who is signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ScalarSelect, bindparam, exists, or_, select

from tokenboard.core.db import UtcDateTime, db
from tokenboard.notices.announcement_models import Announcement, AnnouncementDismissal

MOST_SHOWN = 50


def running_for(person_id: object) -> ScalarSelect[str]:
    """The id of the newest one that runs at `:instant` and that this person (a column) has not put away."""
    away = exists().where(
        AnnouncementDismissal.announcement_id == Announcement.id, AnnouncementDismissal.person_id == person_id
    )
    away = away.correlate_except(AnnouncementDismissal)  # else the person's table would be asked again, for anybody
    at = bindparam("instant", type_=UtcDateTime())
    runs = (Announcement.starts_at <= at, or_(Announcement.ends_at.is_(None), Announcement.ends_at > at))
    found = select(Announcement.id).where(*runs, Announcement.ended_at.is_(None), ~away)
    return found.order_by(Announcement.starts_at.desc(), Announcement.id).limit(1).scalar_subquery()


def one(announcement_id: str) -> Announcement | None:
    return db.session.get(Announcement, announcement_id)


def latest() -> list[Announcement]:
    """What was and will be announced, the latest start first."""
    newest = (Announcement.starts_at.desc(), Announcement.id.desc())
    return list(db.session.scalars(select(Announcement).order_by(*newest).limit(MOST_SHOWN)))


def state_of(row: Announcement, at: datetime) -> str:
    """`scheduled`, `running` or `over`."""
    if row.ended_at is not None or (row.ends_at is not None and row.ends_at <= at):
        return "over"
    return "running" if row.starts_at <= at else "scheduled"
