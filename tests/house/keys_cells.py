"""Samples of the keys' routes. A key is its holder's and the admins', so the matrix asks with ids that are nobody's."""

from __future__ import annotations

from tests.house.sampled import Sampled
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.core.db import db, new_id
from tokenboard.keys import key_service
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import Limits
from tokenboard.workspaces.models import Workspace

_OWN = (
    "POST /api/keys/:id/block",
    "POST /api/keys/:id/unblock",
    "DELETE /api/keys/:id",
    "GET /keys/:id",
    "POST /keys/:id/pause",
    "POST /keys/:id/resume",
    "POST /keys/:id/revoke",
)


def keys_samples(people: People) -> dict[str, Sampled]:
    """By the map's own spelling."""
    team, ids = {"workspaceId": people.team_id}, (new_id(),)
    own = {call: Sampled(ids) for call in _OWN}
    return own | {
        "GET /api/keys": Sampled(query=team, names_workspace=True),
        "POST /api/keys": Sampled(json={"name": "build bot"} | team, names_workspace=True),
        "PATCH /api/keys/:id": Sampled(ids, json={"name": "another"}),
        "POST /api/keys/:id/rotate": Sampled(ids, json={}),
        "GET /keys": Sampled(query={"workspace_id": people.team_id}, names_workspace=True),
        "POST /keys": Sampled(form={"workspace_id": people.team_id, "name": "build bot"}, names_workspace=True),
        "POST /keys/sync": Sampled(form={"workspace_id": people.team_id}, names_workspace=True),
        "POST /keys/:id/limits": Sampled(ids, form={"name": "another"}),
        "POST /keys/:id/rotate": Sampled(ids, form={"overlap": "0"}),
        "GET /keys/:id/requests/:id": Sampled((new_id(), new_id())),
        "POST /admin/open-webui/keys": Sampled(form={"key": "sk-tb-none"}),
        "POST /admin/open-webui/keys/:id/end": Sampled((_key(people),)),
    }


def _key(people: People) -> str:
    """A key of the team, for the administrator: the one that is there, or a new one."""
    with people.app.app_context():
        found = db.session.scalar(db.select(VirtualKey.id).where(VirtualKey.workspace_id == people.team_id))
        if found is None:
            alice = db.session.get_one(Person, people.alice.id)
            team = db.session.get_one(Workspace, people.team_id)
            found = key_service.create_key(workspace=team, person=alice, name="matrix", limits=Limits()).key.id
            db.session.commit()
        return found
