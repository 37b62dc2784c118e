"""The queue's door to the demo: once a day its companies live on to today."""

from __future__ import annotations

import sqlalchemy as sa

from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.jobs import task
from tokenboard.demo import service
from tokenboard.workspaces.models import Membership, Role, Workspace

MOST_REFRESHED = 50  # a second of work each; the youngest ones are still looked at


@task("demo.refresh")
def refresh_demos() -> None:
    """Bring every demo workspace up to today. Idempotent."""
    statement = (
        sa.select(Workspace, Person)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Workspace.is_demo.is_(True), Workspace.archived_at.is_(None), Membership.role == Role.OWNER)
        .order_by(Workspace.created_at.desc())
        .limit(MOST_REFRESHED)
    )
    for workspace, owner in db.session.execute(statement).all():
        service.refresh(workspace=workspace, owner=owner)
        db.session.commit()
