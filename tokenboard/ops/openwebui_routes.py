"""The control room's page of Open WebUI: which keys may name the person whose wallet pays."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound, TokenBoardError, ValidationFailed
from tokenboard.keys import naming_service, queries
from tokenboard.keys.models import VirtualKey
from tokenboard.ops import control_room, openwebui_page
from tokenboard.web.forms import faults_of, fields, line
from tokenboard.web.fragments import page, see_other

blueprint = Blueprint("admin_open_webui", __name__, url_prefix=openwebui_page.PATH)

LONGEST_NUMBER = 40

control_room.furnish(blueprint)


@blueprint.get("")
def open_webui() -> Response:
    return _page()


def _page(refusal: TokenBoardError | None = None) -> Response:
    return page(
        "ops/openwebui.html",
        status=refusal.status if refusal else 200,
        view=openwebui_page.build(),
        typed=request.values.get("key", "")[:LONGEST_NUMBER],
        faults=faults_of(refusal) if refusal else {},
    )


@blueprint.post("/keys")
def allow() -> Response | BaseResponse:
    """Trust in a whole program: who sits there is asked again."""
    require_recent_proof()
    try:
        key = naming_service.allow(key=_known_as(request.form), actor=current_person().id)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _page(refusal)
    name = key.name
    db.session.commit()
    flash(f"{name} may name people now.", "success")
    return see_other(openwebui_page.PATH)


def _known_as(given: Mapping[str, str]) -> VirtualKey:
    """The one key of this number or these first letters. Raises: ValidationFailed."""
    found = queries.known_as(fields(given, key=line(LONGEST_NUMBER, 1))["key"])
    if len(found) != 1:
        why = "No living key is called this." if not found else "Several keys begin so: use the key's number instead."
        raise ValidationFailed({"key": [why]})
    return found[0].key


@blueprint.post("/keys/<id:key_id>/end")
def end(key_id: str) -> BaseResponse:
    key = queries.by_id(key_id)
    if key is None:
        raise NotFound
    name = naming_service.end(key=key, actor=current_person().id).name
    db.session.commit()
    flash(f"{name} names nobody any more.", "success")
    return see_other(openwebui_page.PATH)
