"""Announcements: administrators write and end them, everybody puts them away for themselves."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import ValidationFailed
from tokenboard.notices import announcement_service
from tokenboard.ops import announcements_page, control_room
from tokenboard.ops.announcement_forms import FIELDS, LONGEST_TEXT, read_announcement
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.web.paths import page_shown

blueprint = Blueprint("admin_announcements", __name__, url_prefix="/admin/announcements")
dismissals = Blueprint("announcements", __name__)

ACTS = "60/minute"

control_room.furnish(blueprint)


@blueprint.get("")
def announcements() -> Response:
    return _page()


def _page(refusal: ValidationFailed | None = None) -> Response:
    return page(
        "ops/announcements.html",
        fragments=("announcements",),
        status=refusal.status if refusal else 200,
        lines=announcements_page.build(),
        typed={name: request.form.get(name, "")[:LONGEST_TEXT] for name in FIELDS},
        faults=faults_of(refusal) if refusal else {},
        form_key=new_id(),
        longest=LONGEST_TEXT,
    )


@blueprint.post("")
@limiter.limit(ACTS)
def announce() -> Response | BaseResponse:
    try:
        form = read_announcement(request.form)
    except ValidationFailed as refusal:
        return _page(refusal)
    announcement_service.announce(wish=form.wish, actor=current_person().id, announcement_id=form.form_key)
    db.session.commit()
    flash("It is announced.", "success")
    return see_other(announcements_page.PATH)


@blueprint.post("/<id:announcement_id>/end")
@limiter.limit(ACTS)
def end(announcement_id: str) -> BaseResponse:
    announcement_service.end(announcement_id=announcement_id, actor=current_person().id)
    db.session.commit()
    flash("It is shown no longer.", "success")
    return see_other(announcements_page.PATH)


@dismissals.post("/announcements/<id:announcement_id>/dismiss")
def dismiss(announcement_id: str) -> BaseResponse:
    """For this person, on every device of theirs."""
    announcement_service.dismiss(announcement_id=announcement_id, person_id=current_person().id)
    db.session.commit()
    return see_other(page_shown("/dashboard"))
