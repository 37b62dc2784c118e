"""JSON doors to virtual keys: make, list, change, pause, resume, replace, revoke."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db
from tokenboard.keys import access as key_access, key_service, queries, rules, shapes
from tokenboard.keys.answers import key_answer
from tokenboard.keys.forms import ChangeKeyBody, KeysQuery, NewKeyBody, RotateBody
from tokenboard.keys.key_service import ClientKey
from tokenboard.keys.models import VirtualKey
from tokenboard.wallet.forms import key_of
from tokenboard.web.api import Answer, operation
from tokenboard.web.clients import clients
from tokenboard.web.limits import limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("keys_api", __name__)

MADE = "60/hour"  # keys are made by people
_TAG = "Virtual keys"


@blueprint.get("/api/keys")
@operation(
    "Your keys; an admin's view is of all keys of the workspace",
    query=KeysQuery,
    tag=_TAG,
    answer={"keys": list[shapes.VirtualKey]},
)
def keys(query: KeysQuery) -> Answer:
    person = current_person()
    found = access.load(query.workspace_id, person, at_least=Role.MEMBER)
    seen = queries.lines(found.workspace.id, person_id=key_access.shown_to(found, person), limit=500)
    shown = [line for line in seen if not query.tag or query.tag.strip().lower() in line.key.tags]
    spent = queries.spent_now([line.key for line in shown])
    has_proxy = _has_proxy()
    told = [
        key_answer(line.key, line.secret, line.target, spent.get(line.key.id, 0), has_proxy=has_proxy) for line in shown
    ]
    return {"keys": told}


@blueprint.post("/api/keys")
@limiter.limit(MADE)
@operation(
    "Make a key; its secret is in this answer and nowhere else",
    body=NewKeyBody,
    status=201,
    tag=_TAG,
    answer={"key": shapes.VirtualKey, "secret": str | None},
    errors=(409,),
    headers=("Idempotency-Key",),
)
def make(body: NewKeyBody) -> Answer:
    person = current_person()
    workspace = access.load(body.workspace_id, person, at_least=Role.MEMBER).workspace
    limits, tags, named = body.limits(), body.labels(), key_of(body.idempotency_key, request.headers)
    client_key = ClientKey(named, rules.request_mark(person.id, body.name, limits, tags)) if named else None
    made = key_service.create_key(
        workspace=workspace, person=person, name=body.name, limits=limits, tags=tags, client_key=client_key
    )
    db.session.commit()
    return {"key": _answer(made.key), "secret": made.secret}


@blueprint.patch("/api/keys/<id:key_id>")
@operation(
    "Change a key's name or limits", body=ChangeKeyBody, tag=_TAG, answer={"key": shapes.VirtualKey}, errors=(409,)
)
def change(key_id: str, body: ChangeKeyBody) -> Answer:
    person = current_person()
    key = key_service.change_key(key=key_access.load(key_id, person), actor=person.id, changes=body.changes())
    return _kept(key)


@blueprint.post("/api/keys/<id:key_id>/block")
@operation("Pause a key", tag=_TAG, answer={"key": shapes.VirtualKey}, errors=(409,))
def block(key_id: str) -> Answer:
    person = current_person()
    return _kept(key_service.pause(key=key_access.load(key_id, person), actor=person.id))


@blueprint.post("/api/keys/<id:key_id>/unblock")
@operation("Resume a key", tag=_TAG, answer={"key": shapes.VirtualKey}, errors=(402, 409))
def unblock(key_id: str) -> Answer:
    person = current_person()
    return _kept(key_service.resume(key=key_access.load(key_id, person), actor=person.id))


@blueprint.post("/api/keys/<id:key_id>/rotate")
@limiter.limit(MADE)
@operation(
    "Replace a key's secret; the old one works on for a while",
    body=RotateBody,
    tag=_TAG,
    answer={"key": shapes.VirtualKey, "secret": str},
    errors=(409,),
)
def rotate(key_id: str, body: RotateBody) -> Answer:
    person = current_person()
    key = key_access.load(key_id, person)
    secret = key_service.rotate(key=key, actor=person.id, overlap=body.overlap())
    return _kept(key) | {"secret": secret}


@blueprint.delete("/api/keys/<id:key_id>")
@operation("Revoke a key for good", status=204, tag=_TAG)
def revoke(key_id: str) -> Answer:
    person = current_person()
    key_service.revoke(key=key_access.load(key_id, person), actor=person.id)
    db.session.commit()
    return {}, 204


def _kept(key: VirtualKey) -> dict[str, Any]:
    db.session.commit()
    return {"key": _answer(key)}


def _answer(key: VirtualKey) -> dict[str, Any]:
    secret = queries.secrets_of(key.id)[-1]
    target = queries.target("key", secret.id)
    spent = queries.spent_now([key])
    return key_answer(key, secret, target, spent.get(key.id, 0), has_proxy=_has_proxy())


def _has_proxy() -> bool:
    return clients().mode("litellm") != "off"
