"""The demo's doors in the browser: load it, put it away."""

from __future__ import annotations

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.demo import service
from tokenboard.web.fragments import see_other
from tokenboard.web.limits import limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("demo", __name__)

LOAD = "6/minute"  # a second of work each


@blueprint.post("/demo")
@limiter.limit(LOAD)
def load_demo() -> BaseResponse:
    person = current_person()
    workspace = service.load(owner=person)
    db.session.commit()
    access.choose(access.load(workspace.id, person))
    flash("Here is the demo: a company that does not exist.", "success")
    return see_other("/dashboard")


@blueprint.post("/demo/remove")
def remove_demo() -> BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.OWNER)
    if not found.workspace.is_demo:
        raise NotFound
    service.put_away(workspace=found.workspace, actor=person)
    db.session.commit()
    flash("The demo is put away.", "success")
    return see_other("/dashboard")
