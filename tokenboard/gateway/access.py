"""Who asks at `/v1`, and who pays: the holder of a virtual key, or a person whom Open WebUI has signed for.

Law: one function opens the door, whatever header came; a person who is disabled or has left opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.gateway.identity import HEADER, IdentityNotUsable, read_identity
from tokenboard.keys import rules, using
from tokenboard.keys.errors import KeyNotUsable, ModelNotAllowed
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import Window
from tokenboard.metering.facts import KeyLimit
from tokenboard.web.limits import address
from tokenboard.workspaces import access as workspaces
from tokenboard.workspaces.models import Workspace

_BACKGROUND = ("title", "tags", "follow_up", "query", "autocomplete", "emoji", "image_prompt")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose wallet pays, and what limits apply."""

    workspace: Workspace
    person_id: str | None
    email: str
    source: str
    key: VirtualKey | None = None
    is_background: bool = False

    @property
    def key_limit(self) -> KeyLimit | None:
        if self.key is None:
            return None
        window = rules.window_name(Window(self.key.budget_window), now())
        return KeyLimit(self.key.id, window, self.key.max_budget_micros)

    def require_model(self, model: str) -> None:
        """Raises: ModelNotAllowed."""
        if self.key is not None and not rules.allows_model(self.key.models, model):
            raise ModelNotAllowed(model)


def caller() -> Caller:
    """Raises: KeyNotUsable, KeyPaused, IdentityNotUsable."""
    token = request.headers.get(HEADER, "")
    return _signed(token) if token else _keyed(_bearer())


def _bearer() -> str:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        raise KeyNotUsable
    return secret.strip()


def _keyed(secret: str) -> Caller:
    key = using.open_key(secret).key
    workspace = db.session.get_one(Workspace, key.workspace_id)
    person = db.session.get(Person, key.person_id) if key.person_id else None
    if workspace.archived_at is not None or (person is not None and person.is_disabled):
        raise KeyNotUsable
    using.note_use(key.id, network=address())
    return Caller(workspace, key.person_id, person.email if person else "", "gateway", key)


def _signed(token: str) -> Caller:
    found = read_identity(token, settings().openwebui_jwt_secret)
    person = db.session.scalar(select(Person).where(Person.email == found.email))
    if person is None or person.is_disabled:
        raise IdentityNotUsable
    workspace = workspaces.own(person).workspace
    task = request.headers.get("X-OpenWebUI-Task", "").lower()
    return Caller(workspace, person.id, person.email, "openwebui", is_background=task.startswith(_BACKGROUND))
