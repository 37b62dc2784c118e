"""Samples of the keys' routes. A key is its holder's and the admins', so the matrix asks with ids that are nobody's."""

from __future__ import annotations

from tests.house.sampled import Sampled
from tests.people import People
from tokenboard.core.db import new_id

_OWN = (
    "POST /api/keys/:id/block",
    "POST /api/keys/:id/unblock",
    "DELETE /api/keys/:id",
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
    }
