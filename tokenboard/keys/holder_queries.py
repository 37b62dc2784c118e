"""The keys of one person, in whatever workspace: for administrators. Access is decided by the caller."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from tokenboard.core.db import db
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key, the first letters of its newest secret, and where it pays from."""

    key: VirtualKey
    display: str
    workspace: str


def held_by(person_id: str, *, limit: int) -> list[HeldKey]:
    """A person's keys, the newest first. One query."""
    latest = aliased(KeySecret)
    newest = select(func.max(latest.number)).where(latest.key_id == VirtualKey.id).scalar_subquery()
    found = (
        select(VirtualKey, KeySecret.display, Workspace.name)
        .select_from(VirtualKey)
        .join(KeySecret, and_(KeySecret.key_id == VirtualKey.id, KeySecret.number == newest))
        .join(Workspace, Workspace.id == VirtualKey.workspace_id)
        .where(VirtualKey.person_id == person_id)
        .order_by(VirtualKey.created_at.desc(), VirtualKey.id.desc())
        .limit(limit)
    )
    return [HeldKey(*row) for row in db.session.execute(found)]
