"""Viewing the site as a person sees it, read-only; and ending that, which is the one form that works meanwhile."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, session
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import view_service
from tokenboard.accounts.guards import current_person, require_admin, require_recent_proof, signed_in_or_none
from tokenboard.core.db import db
from tokenboard.core.errors import Forbidden, NotFound, Unauthenticated, ValidationFailed
from tokenboard.ops import people_page
from tokenboard.ops.control_room import OVERVIEW
from tokenboard.ops.people_forms import read_view
from tokenboard.ops.people_routes import person_shown, whoever
from tokenboard.web.fragments import see_other
from tokenboard.web.limits import limiter
from tokenboard.web.security import uses_cookies
from tokenboard.workspaces import access

blueprint = Blueprint("views", __name__)

BEGINNINGS = "20/minute"


@blueprint.post("/admin/users/<id:person_id>/view")
@limiter.limit(BEGINNINGS)
def begin(person_id: str) -> Response | BaseResponse:
    require_admin()
    one, admin, sign_in = whoever(person_id), current_person(), require_recent_proof()
    if not uses_cookies():
        raise Forbidden("Only a browser can view as somebody else.")
    try:
        form = read_view(request.form)
    except ValidationFailed as refusal:
        return person_shown(one, refusal)
    view_service.begin(sign_in=sign_in, admin=admin, person=one, reason=form.reason)
    db.session.commit()
    session.pop(access.CHOSEN, None)
    if any(mine.workspace.id == form.workspace_id for mine in access.all_of(one)):
        session[access.CHOSEN] = form.workspace_id
    return see_other("/dashboard")


@blueprint.post("/view/end")
def end() -> BaseResponse:
    """Twice is once: without a look it leads to the front page."""
    found = signed_in_or_none()
    if found is None:
        raise Unauthenticated
    if found.sign_in is None:
        raise NotFound  # an API token views as nobody
    viewed = view_service.end(sign_in_id=found.sign_in.id)
    db.session.commit()
    if viewed is None:
        return see_other(OVERVIEW if found.person.is_admin else "/")
    session.pop(access.CHOSEN, None)
    flash("You see the site as yourself again.", "success")
    return see_other(f"{people_page.PATH}/{viewed}")
