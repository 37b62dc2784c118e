"""Settings that are a person's own."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import service as accounts
from tokenboard.accounts.forms import display_name
from tokenboard.accounts.guards import current_person, signed_in
from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.web.forms import faults_of, fields
from tokenboard.web.fragments import page, see_other

blueprint = Blueprint("settings", __name__)

GENERAL = "/settings/general"


@blueprint.get("/settings")
def first() -> BaseResponse:
    current_person()
    return see_other(GENERAL)


@blueprint.get(GENERAL)
def general() -> Response:
    return _page(current_person())


@blueprint.post(GENERAL)
def save_general() -> Response | BaseResponse:
    person = current_person()
    try:
        name = fields(request.form, display_name=display_name)["display_name"]
    except ValidationFailed as refusal:
        return _page(person, refusal)
    accounts.describe(person, display_name=name)
    db.session.commit()
    flash("Saved.", "success")
    return see_other(GENERAL)


def _page(person: Person, refusal: ValidationFailed | None = None) -> Response:
    return page(
        "settings/general.html",
        fragments=("profile",),
        status=refusal.status if refusal else 200,
        person=person,
        display_name=request.form.get("display_name", "") if refusal else person.display_name,
        faults=faults_of(refusal) if refusal else {},
        theme=signed_in().theme,
    )
