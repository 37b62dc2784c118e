"""The control room's people: the list with its CSV, a person's page, caps, who may come in, who runs the site."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import standing_service
from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound, TokenBoardError, ValidationFailed
from tokenboard.ops import control_room, people_page, people_queries, people_service, person_page
from tokenboard.ops.people_forms import read_cap
from tokenboard.web.filters import plural
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.web.spreadsheets import csv_answer

blueprint = Blueprint("admin_users", __name__, url_prefix="/admin/users")

ACTS = "60/minute"
PAGE = people_page.PATH

control_room.furnish(blueprint)


@blueprint.get("")
def people() -> Response:
    wanted = people_page.read_filter(request.args)
    view = people_page.build(wanted, cursor=request.args.get("cursor", "")[:60])
    return page("ops/people.html", fragments=("people",), view=view)


@blueprint.get("/list.csv")
def people_csv() -> Response:
    wanted = people_page.read_filter(request.args)
    return csv_answer("tokenboard-people.csv", people_page.csv_rows(wanted))


@blueprint.get("/<id:person_id>")
def person(person_id: str) -> Response:
    return person_shown(whoever(person_id))


def person_shown(one: Person, refusal: TokenBoardError | None = None) -> Response:
    """A person's page; after a refusal it says why."""
    view = person_page.build(
        one,
        me=current_person().id,
        workspace_id=request.args.get("workspace", "")[:60],
        cursor=request.args.get("cursor", "")[:20],
    )
    return page(
        "ops/person.html",
        fragments=("ledger",),
        status=refusal.status if refusal else 200,
        view=view,
        faults=faults_of(refusal) if refusal else {},
        typed={name: request.form.get(name, "")[:200] for name in ("cap", "reason")} if refusal else {},
    )


def whoever(person_id: str) -> Person:
    """Raises: NotFound."""
    found = people_queries.person(person_id)
    if found is None:
        raise NotFound
    return found


@blueprint.post("/<id:person_id>/cap")
@limiter.limit(ACTS)
def set_cap(person_id: str) -> Response | BaseResponse:
    one = whoever(person_id)
    try:
        cents = read_cap(request.form)
    except ValidationFailed as refusal:
        return person_shown(one, refusal)
    standing_service.set_budget(person=one, cents=cents, actor=current_person().id)
    db.session.commit()
    cap = people_page.dollars(cents)
    flash(f"{one.name} may use {cap} a month." if cap else f"{one.name} has no cap.", "success")
    return see_other(f"{PAGE}/{person_id}")


@blueprint.post("/<id:person_id>/disable")
@limiter.limit(ACTS)
def disable(person_id: str) -> BaseResponse:
    one, actor = whoever(person_id), current_person()
    require_recent_proof()
    keys = people_service.disable(person=one, actor=actor)
    db.session.commit()
    flash(f"{one.name} is kept out: every session has ended, {plural(keys, 'key')} paused.", "success")
    return see_other(f"{PAGE}/{person_id}")


@blueprint.post("/<id:person_id>/enable")
@limiter.limit(ACTS)
def enable(person_id: str) -> BaseResponse:
    one, actor = whoever(person_id), current_person()
    require_recent_proof()
    keys = people_service.enable(person=one, actor=actor)
    db.session.commit()
    flash(f"{one.name} may sign in again, {plural(keys, 'key')} resumed.", "success")
    return see_other(f"{PAGE}/{person_id}")


@blueprint.post("/<id:person_id>/administrator")
@limiter.limit(ACTS)
def set_administrator(person_id: str) -> BaseResponse:
    one, actor = whoever(person_id), current_person()
    require_recent_proof()
    is_admin = request.form.get("is_admin") == "1"
    standing_service.set_administrator(person=one, is_admin=is_admin, actor=actor)
    db.session.commit()
    flash(f"{one.name} runs this site now." if is_admin else f"{one.name} no longer runs this site.", "success")
    return see_other(f"{PAGE}/{person_id}")
