"""Samples of the chat's routes. A conversation is its author's alone, so the matrix asks with ids that are nobody's."""

from __future__ import annotations

from tests.house.sampled import Sampled
from tests.people import People
from tokenboard.core.db import new_id

_OWN = (
    "POST /api/chat/:messageId/stop",
    "GET /api/chat/:messageId/events",
    "GET /api/conversations/:id/messages",
    "DELETE /api/conversations/:id",
    "GET /chat/:conversationId",
    "POST /chat/:conversationId/pin",
    "POST /chat/:conversationId/delete",
    "GET /chat/:conversationId/export.md",
    "GET /chat/:conversationId/export.json",
    "POST /chat/messages/:id/regenerate",
    "POST /chat/messages/:id/stop",
    "GET /chat/messages/:id/stream",
    "GET /chat/messages/:id/receipt",
)


def chat_samples(people: People) -> dict[str, Sampled]:
    """By the map's own spelling."""
    team, form = {"workspaceId": people.team_id}, {"workspace_id": people.team_id, "message": "Hello"}
    ids = (new_id(),)
    own = {call: Sampled(ids) for call in _OWN}
    return own | {
        "POST /api/chat": Sampled(json={"message": "Hello"} | team, names_workspace=True),
        "GET /api/conversations": Sampled(query=team, names_workspace=True),
        "PATCH /api/conversations/:id": Sampled(ids, json={"title": "New"}),
        "GET /chat": Sampled(query={"workspace_id": people.team_id}, names_workspace=True),
        "POST /chat": Sampled(form=form, names_workspace=True),
        "POST /chat/estimate": Sampled(form=form, names_workspace=True),
        "POST /chat/:conversationId": Sampled(ids, form=form),
        "POST /chat/:conversationId/title": Sampled(ids, form={"title": "New"}),
        "POST /chat/messages/:id/edit": Sampled(ids, form=form),
    }
