"""One key's page, and what is done there: limits, pause, resume, rotate, revoke; a request's receipt."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound, TokenBoardError
from tokenboard.keys import access as key_access, key_forms, key_page, key_service, list_page, use_page
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.routes import list_answer
from tokenboard.metering import receipt_queries
from tokenboard.metering.receipt_page import written
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import is_fragment_request, page, see_other, wanted_fragment
from tokenboard.web.limits import limiter
from tokenboard.workspaces import access

blueprint = Blueprint("keys_acting", __name__)

ROTATIONS = "60/hour"
_KEY = f"{list_page.PATH}/<id:key_id>"
FRAGMENTS = ("key_state", "use", "limits", "secrets")
LONGEST_KEPT = 40  # of what the list was filtered by
IN_PLACE = ("key_list", "key_state")


@blueprint.get(_KEY)
def key(key_id: str) -> Response:
    person = current_person()
    return _page(key_access.load(key_id, person), person)


def _page(
    key: VirtualKey, person: Person, *, secret: str = "", refusal: TokenBoardError | None = None, block: str = ""
) -> Response:
    view = key_page.build(key, person, secret=secret)
    answer = page(
        "keys/key.html",
        fragments=() if secret else FRAGMENTS,
        status=refusal.status if refusal else 201 if secret else 200,
        view=view,
        workspace=access.load(key.workspace_id, person).workspace,
        use=use_page.build(key, view.href, cursor=request.args.get("cursor")),
        secret=secret,
        block=block,
        faults=faults_of(refusal) if refusal else {},
        is_admin=person.is_admin,
        is_chosen_workspace=access.load(None, person).workspace.id == key.workspace_id,  # what /usage is about
        **_form(view, refusal, block),
    )
    if secret:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _form(view: key_page.KeyPage, refusal: TokenBoardError | None, block: str) -> dict[str, Any]:
    """The limits as they are; as they were typed, after a refusal of them."""
    is_typed = refusal is not None and block == "limits"
    chosen = request.form.getlist("model") if is_typed else [str(one) for one in view.key.models]
    return {
        "typed": key_forms.typed(request.form) if is_typed else view.form,
        "chosen": chosen[: list_page.MOST_MODELS_SHOWN],
        "windows": key_forms.WINDOWS,
        "overlaps": key_forms.OVERLAPS,
        "overlap": request.form.get("overlap", "1440"),
        "until": [request.form.get(name, "")[:20] for name in ("until_day", "until_time")],
    }


@blueprint.post(f"{_KEY}/limits")
def change(key_id: str) -> Response | BaseResponse:
    person = current_person()
    row = key_access.load(key_id, person)
    try:
        changes = key_forms.read_changes(request.form, expires_at=row.expires_at)
        key_service.change_key(key=row, actor=person.id, changes=changes)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _page(key_access.load(key_id, person), person, refusal=refusal, block="limits")
    return _done(key_id, "The limits are changed. At /v1 they count from now on.")


@blueprint.post(f"{_KEY}/pause")
def pause(key_id: str) -> BaseResponse:
    person = current_person()
    row = key_service.pause(key=key_access.load(key_id, person), actor=person.id)
    return _done(key_id, f"{row.name} is paused.")


@blueprint.post(f"{_KEY}/resume")
def resume(key_id: str) -> BaseResponse:
    person = current_person()
    row = key_service.resume(key=key_access.load(key_id, person), actor=person.id)
    return _done(key_id, f"{row.name} may be used again.")


@blueprint.post(f"{_KEY}/rotate")
@limiter.limit(ROTATIONS)
def rotate(key_id: str) -> Response:
    """The answer is no redirect: the new secret is shown this once."""
    person = current_person()
    row = key_access.load(key_id, person)
    try:
        overlap = key_forms.read_overlap(request.form)
        secret = key_service.rotate(key=row, actor=person.id, overlap=overlap)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _page(key_access.load(key_id, person), person, refusal=refusal, block="secrets")
    db.session.commit()
    return _page(row, person, secret=secret)


@blueprint.post(f"{_KEY}/revoke")
def revoke(key_id: str) -> BaseResponse:
    person = current_person()
    row = key_service.revoke(key=key_access.load(key_id, person), actor=person.id)
    return _done(key_id, f"{row.name} is revoked: it opens nothing any more.")


def _done(key_id: str, words: str) -> BaseResponse:
    """Committed here, once; back to where the button was, or in its place."""
    db.session.commit()
    if wanted_fragment(IN_PLACE):
        return _in_place(key_id, words)
    flash(words, "success")
    if request.form.get("back") != "list":
        return see_other(f"{list_page.PATH}/{key_id}")
    kept = {name: request.form[name][:LONGEST_KEPT] for name in ("workspace_id", "tag") if request.form.get(name)}
    return see_other(f"{list_page.PATH}?{urlencode(kept)}" if kept else list_page.PATH)


def _in_place(key_id: str, words: str) -> Response:
    """The block around the button, as it is now, and the word as a toast."""
    person = current_person()
    row = key_access.load(key_id, person)
    is_list = wanted_fragment(("key_list",)) is not None
    answer = list_answer(access.load(row.workspace_id, person), person) if is_list else _page(row, person)
    answer.headers["HX-Trigger"] = json.dumps({"toast": {"text": words, "kind": "success"}})
    return answer


@blueprint.get(f"{_KEY}/requests/<id:record_id>")
def receipt(key_id: str, record_id: str) -> Response:
    """How a request's cost was computed; also swapped in below its row."""
    person = current_person()
    row = key_access.load(key_id, person)
    found = receipt_queries.receipt(workspace_id=row.workspace_id, record_id=record_id)
    if found.record.key_id != row.id:
        raise NotFound
    built = written(found)
    if is_fragment_request():
        return Response(render_block("keys/receipt.html", "receipt_body", receipt=built, key=row))
    return page("keys/receipt.html", receipt=built, key=row)
