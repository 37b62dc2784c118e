"""Words for the stories of keys."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from tests.keys.proxy import Proxy
from tests.people import People, Someone
from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import key_service, tasks
from tokenboard.keys.key_service import ClientKey, MadeKey
from tokenboard.keys.models import MirrorTarget, VirtualKey
from tokenboard.keys.rules import Limits
from tokenboard.workspaces.models import Workspace

USD = 10**9
CREDIT = 1_000_000


def make(shop: People, someone: Someone | None = None, client_key: str | None = None, **limits: object) -> MadeKey:
    """A key of Alice's in the team."""
    person = db.session.get_one(Person, (someone or shop.alice).id)
    workspace = db.session.get_one(Workspace, shop.team_id)
    asked = Limits(**limits)  # type: ignore[arg-type]
    made = key_service.create_key(
        workspace=workspace,
        person=person,
        name="build bot",
        limits=asked,
        client_key=ClientKey(client_key) if client_key else None,
    )
    db.session.commit()
    return made


def again(made: MadeKey) -> VirtualKey:
    return db.session.get_one(VirtualKey, made.key.id, populate_existing=True)


def push_all(proxy: Proxy) -> None:
    """Tell the proxy everything that is due, also what waits for another try."""
    db.session.execute(update(MirrorTarget).values(next_attempt_at=now() - timedelta(seconds=1)))
    db.session.commit()
    for target_id in list(db.session.scalars(select(MirrorTarget.id).where(MirrorTarget.state == "due"))):
        tasks.push(target_id, proxy)  # type: ignore[arg-type]  # it answers what is asked here
