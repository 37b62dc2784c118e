"""Settings, Connections: which providers are watched, how that goes, and every act on them. Members see it."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, TokenBoardError, UpstreamFailed, UpstreamTimedOut, ValidationFailed
from tokenboard.costs import connecting, forms, service
from tokenboard.costs.connecting import SANDBOX_KEYS, load_connection
from tokenboard.costs.connection_page import connections_page
from tokenboard.costs.models import Connection
from tokenboard.costs.sync_rules import PROVIDER_NAMES
from tokenboard.web.clients import clients
from tokenboard.web.forms import fields, one_of
from tokenboard.web.fragments import see_other
from tokenboard.web.limits import CONNECT, SYNC, limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

PAGE = "/settings/connections"
blueprint = Blueprint("costs", __name__, url_prefix=PAGE)

_TROUBLE = (ValidationFailed, UpstreamFailed, UpstreamTimedOut, Conflict)
_DONE = {
    "connected": "{name} is connected. The last 180 days are being read.",
    "replaced": "{name} has the new key. The last 180 days are being read again.",
    "unchanged": "This key is already connected. Nothing was changed.",
}


@blueprint.get("")
def connections() -> Response:
    return connections_page(access.load(None, current_person()))


@blueprint.post("")
@limiter.limit(CONNECT)
def connect() -> Response | BaseResponse:
    person = current_person()
    allowed = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN)
    require_recent_proof()
    try:
        connected = _connect(allowed.workspace.id, person.id)
    except _TROUBLE as refusal:
        db.session.rollback()
        return connections_page(allowed, refusal=refusal, form="connect")
    db.session.commit()
    flash(_DONE[connected.did].format(name=PROVIDER_NAMES[connected.connection.provider]), "success")
    return see_other(PAGE)


def _connect(workspace_id: str, actor_id: str) -> service.Connected:
    read = forms.connect_fields(request.form, has_own_key="sandbox" not in request.form)
    provider, mode = read["provider"], read["mode"]
    api_key = read.get("api_key") or _sandbox_key(provider, mode)
    connecting.try_key(provider, mode, api_key)
    return service.connect(
        workspace_id=workspace_id,
        provider=provider,
        mode=mode,
        api_key=api_key,
        actor_id=actor_id,
        vault=connecting.vault(),
    )


def _sandbox_key(provider: str, mode: str) -> str:
    """The key behind "Use the sandbox key". Raises: ValidationFailed."""
    if (provider, mode) not in SANDBOX_KEYS:
        raise ValidationFailed({"mode": [service.NO_PERSONAL_MODE]})
    if clients().mode(provider) != "sandbox":
        raise ValidationFailed({"api_key": ["There is no sandbox here. Paste the provider's own key."]})
    return SANDBOX_KEYS[provider, mode]


@blueprint.post("/<id:connection_id>/replace")
@limiter.limit(CONNECT)
def replace(connection_id: str) -> Response | BaseResponse:
    person = current_person()
    connection = load_connection(connection_id, person, at_least=Role.ADMIN)
    allowed = access.load(connection.workspace_id, person)
    require_recent_proof()
    try:
        did = _replace(connection, person.id)
    except _TROUBLE as refusal:
        db.session.rollback()
        return connections_page(allowed, refusal=refusal, form=connection_id)
    db.session.commit()
    flash(_DONE[did.did].format(name=PROVIDER_NAMES[connection.provider]), "success")
    return see_other(PAGE)


def _replace(connection: Connection, actor_id: str) -> service.Connected:
    read = forms.replace_fields(request.form)
    connecting.try_key(connection.provider, read["mode"], read["api_key"])
    return service.replace(
        connection=connection,
        mode=read["mode"],
        api_key=read["api_key"],
        actor_id=actor_id,
        vault=connecting.vault(),
    )


@blueprint.post("/<id:connection_id>/test")
@limiter.limit(CONNECT)
def test(connection_id: str) -> BaseResponse:
    person = current_person()
    connection = load_connection(connection_id, person, at_least=Role.ADMIN)
    try:
        connecting.try_key(connection.provider, connection.mode, connecting.key_of(connection))
    except _TROUBLE as refusal:
        _note_refusal(connection, refusal)
        flash(refusal.message, "error")
        return see_other(PAGE)
    service.note_test(connection=connection, actor_id=person.id)
    db.session.commit()
    flash(f"{PROVIDER_NAMES[connection.provider]} accepts the key ending in {connection.last4}.", "success")
    return see_other(PAGE)


def _note_refusal(connection: Connection, refusal: TokenBoardError) -> None:
    if isinstance(refusal, ValidationFailed):
        service.note_refusal(connection=connection, message=refusal.message)
    db.session.commit()


@blueprint.post("/<id:connection_id>/sync")
@limiter.limit(SYNC)
def sync(connection_id: str) -> BaseResponse:
    person = current_person()
    connection = load_connection(connection_id, person, at_least=Role.OWNER)
    try:
        service.request_sync(connection=connection, actor_id=person.id)
    except Conflict as refusal:
        db.session.rollback()
        flash(refusal.message, "error")
        return see_other(PAGE)
    db.session.commit()
    return see_other(PAGE)


@blueprint.post("/<id:connection_id>/remove")
def remove(connection_id: str) -> BaseResponse:
    person = current_person()
    connection = load_connection(connection_id, person, at_least=Role.ADMIN)
    require_recent_proof()
    history = fields(request.form, history=one_of("keep", "delete"))["history"]
    name = PROVIDER_NAMES[connection.provider]
    service.remove(connection=connection, keeps_history=history == "keep", actor_id=person.id)
    db.session.commit()
    flash(f"{name} is removed; its history {'stays' if history == 'keep' else 'is deleted'}.", "success")
    return see_other(PAGE)


@blueprint.post("/balance")
def type_balance() -> Response | BaseResponse:
    person = current_person()
    allowed = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN)
    try:
        read = forms.balance_fields(request.form)
    except ValidationFailed as refusal:
        return connections_page(allowed, refusal=refusal, form="balance")
    service.type_balance(workspace_id=allowed.workspace.id, actor_id=person.id, **read)
    db.session.commit()
    since = read["as_of_on"] + timedelta(days=1)
    from_when = "from now on" if since > clock.today() else f"from {since} on"
    flash(f"Saved. Costs {from_when} are taken off it.", "success")
    return see_other(PAGE)
