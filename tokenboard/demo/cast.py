"""Who is in the demo: colleagues who do not exist, and the virtual keys of whoever looks at it.

Laws: a colleague can never sign in (disabled, no password, an address in `.example`); every demo has the same three.
The secrets of the demo's keys are shown to nobody and kept nowhere, so that they open nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import update

from tokenboard.accounts import queries as accounts_queries, service as accounts
from tokenboard.accounts.errors import EmailTaken
from tokenboard.accounts.models import Person
from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.demo import traffic
from tokenboard.demo.traffic import Request, Slot
from tokenboard.keys import key_service, queries as keys
from tokenboard.keys.key_service import ClientKey
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.keys.rules import KeyState, Limits
from tokenboard.metering.worth import micros_of_cents
from tokenboard.workspaces import service as workspaces
from tokenboard.workspaces.errors import TooMany
from tokenboard.workspaces.models import Role, Workspace

_DOMAIN = "northwind.example"
KEYS = (traffic.ASSISTANT, traffic.REPORTS, traffic.NOTEBOOKS)
_TAGS = {traffic.ASSISTANT: "production", traffic.REPORTS: "batch", traffic.NOTEBOOKS: "research"}
_ASSISTANT_CENTS, _REPORTS_CENTS = 250, 200


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody a request can come from."""

    workspace: Workspace
    owner: Person
    people: Mapping[str, str]
    keys: Mapping[str, VirtualKey]
    # Until when each key is used; a key that is missing here is used still.
    ends: Mapping[str, datetime]

    def cut(self, slot: Slot) -> Slot:
        """Without the requests that were never made: a key that is paused, revoked or gone makes none."""
        return replace(slot, requests=tuple(one for one in slot.requests if not one.key or self._may(one)))

    def _may(self, request: Request) -> bool:
        key, end = self.keys.get(request.key), self.ends.get(request.key)
        if key is None:
            return False
        return request.at < end if end else key.state == KeyState.ACTIVE


def gather(*, workspace: Workspace, owner: Person, at: datetime, paused_at: datetime) -> Cast:
    """Everybody comes in at an instant; one key is paused at a later one."""
    with clock.standing_at(at):
        people = {name: _colleague(name, workspace) for name in traffic.COLLEAGUES}
    made: dict[str, VirtualKey] = {}
    for number, name in enumerate(KEYS):
        with clock.standing_at(at + timedelta(minutes=number)):
            made[name] = _key(workspace, owner, name)
    with clock.standing_at(paused_at):
        key_service.pause(key=made[traffic.NOTEBOOKS], actor=owner.id)
        db.session.flush()  # its audit line is of that instant too
    return Cast(workspace, owner, people, made, {traffic.NOTEBOOKS: paused_at})


def again(*, workspace: Workspace, owner: Person) -> Cast:
    """The same as they stand now, whatever somebody has done to the keys meanwhile."""
    people = {name: _person(name).id for name in traffic.COLLEAGUES}
    found = {name: keys.by_client_key(workspace.id, _client_key(name)) for name in KEYS}
    return Cast(workspace, owner, people, {name: key for name, key in found.items() if key is not None}, {})


def _colleague(name: str, workspace: Workspace) -> str:
    person = _person(name)
    try:
        workspaces.join(workspace=workspace, person=person, role=Role.MEMBER)
    except TooMany:  # of fifty demos at once: the later ones have guests
        return person.id
    return person.id


def _person(name: str) -> Person:
    email = f"{name.lower().replace(' ', '.')}@{_DOMAIN}"
    found = accounts_queries.person_by_email(email)
    if found is not None:
        return found
    try:
        person = accounts.register_elsewhere(email=email, display_name=name, is_verified=False)
    except EmailTaken:  # another demo, at this very moment
        return _person(name)
    person.is_disabled = True
    db.session.flush()
    return person


def _limits(name: str) -> Limits:
    if name == traffic.ASSISTANT:
        return Limits(micros_of_cents(_ASSISTANT_CENTS), rpm_limit=120)
    if name == traffic.REPORTS:
        return Limits(micros_of_cents(_REPORTS_CENTS), models=("gpt-4.1-mini",))
    return Limits()


def _key(workspace: Workspace, owner: Person, name: str) -> VirtualKey:
    made = key_service.create_key(
        workspace=workspace,
        person=owner,
        name=name,
        limits=_limits(name),
        tags=(_TAGS[name],),
        client_key=ClientKey(_client_key(name)),
    )
    db.session.execute(update(KeySecret).where(KeySecret.key_id == made.key.id).values(sealed=""))
    return made.key


def _client_key(name: str) -> str:
    return f"demo:{name}"
