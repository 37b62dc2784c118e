"""Who asks at `/v1`, and who pays: the holder of a virtual key, or a person whom Open WebUI names.

Laws: one function opens the door, whatever header came; a person who is disabled or has left opens nothing. Somebody is
named by Open WebUI's signature, or by its plain header beside a key that an administrator allowed to name people;
beside any other key a plain header says nothing, and the key's own workspace pays.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from tokenboard.accounts.queries import person_by_any_email
from tokenboard.core.clock import now
from tokenboard.core.parsing import or_none, parse_email
from tokenboard.core.settings import settings
from tokenboard.gateway.errors import AccountDisabled, NoAccount
from tokenboard.gateway.identity import HEADER, PLAIN_HEADER, TASK_HEADER, read_identity
from tokenboard.keys import rules, using
from tokenboard.keys.errors import KeyNotUsable, ModelNotAllowed
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import Window
from tokenboard.keys.using import KeyAccess
from tokenboard.metering.facts import KeyLimit, Payer
from tokenboard.web.limits import address, sender
from tokenboard.workspaces import access as workspaces
from tokenboard.workspaces.models import Workspace

# Open WebUI's tasks that nobody waits for: title_generation, tags_generation and so on.
_BACKGROUND = ("title", "tags", "follow_up", "query", "autocomplete", "emoji", "image_prompt")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose wallet pays, and what limits apply. `models`: what may be asked; empty: all that is offered."""

    workspace: Workspace | Payer
    person_id: str | None
    email: str
    source: str
    key: VirtualKey | None = None
    models: tuple[str, ...] = ()
    is_background: bool = False

    @property
    def key_limit(self) -> KeyLimit | None:
        if self.key is None:
            return None
        window = rules.window_name(Window(self.key.budget_window), now())
        return KeyLimit(self.key.id, window, self.key.max_budget_micros)

    def require_model(self, model: str) -> None:
        """Raises: ModelNotAllowed."""
        if not rules.allows_model(list(self.models), model):
            raise ModelNotAllowed(model)


def caller() -> Caller:
    """Raises: KeyNotUsable, KeyPaused, AddressRefused, IdentityNotUsable, NoAccount, AccountDisabled."""
    token = request.headers.get(HEADER, "")
    if token:
        return _person(read_identity(token, settings().openwebui_jwt_secret).email)
    opened = _opened()
    key = opened.key
    using.note_use(key, network=address())
    named = request.headers.get(PLAIN_HEADER, "")
    if named and key.can_name_people:
        return _person(named, models=tuple(key.models))
    payer = Payer(key.workspace_id, opened.wallet_id)
    return Caller(payer, key.person_id, opened.email, "gateway", key, tuple(key.models), is_background())


def models_allowed() -> tuple[str, ...]:
    """Which models whoever asks may see; empty: all. Open WebUI may list them before a person has an account here."""
    token = request.headers.get(HEADER, "")
    if token:
        read_identity(token, settings().openwebui_jwt_secret)
        return ()
    return tuple(_opened().key.models)


def is_background() -> bool:
    """Whether nobody waits for the answer: titles, tags and the like."""
    return request.headers.get(TASK_HEADER, "").lower().startswith(_BACKGROUND)


def is_open_webui() -> bool:
    """Whether a person reads the answer in Open WebUI. Anybody may say so: it changes how a refusal looks, no more."""
    return HEADER in request.headers or PLAIN_HEADER in request.headers


def _opened() -> KeyAccess:
    opened = using.open_key(_bearer())
    using.require_address(opened.key, sender())
    return opened


def _bearer() -> str:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        raise KeyNotUsable
    return secret.strip()


def _person(named: str, models: tuple[str, ...] = ()) -> Caller:
    """Whom Open WebUI names: their own wallet pays."""
    email = or_none(parse_email, named)
    person = person_by_any_email(email) if email else None
    if person is None:
        raise NoAccount(email or "this address")
    if person.is_disabled:
        raise AccountDisabled
    workspace = workspaces.own(person).workspace
    return Caller(workspace, person.id, person.email, "openwebui", models=models, is_background=is_background())
