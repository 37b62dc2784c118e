"""Settings, Data: take everything along, or delete the account; by page and by JSON. Both ask who sits there."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, send_file
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import service as accounts, sessions
from tokenboard.accounts.forms import LONGEST_TYPED, DisplayName
from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.chat import asking
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import or_none, parse_email
from tokenboard.portal import data_export, farewell_service
from tokenboard.portal.answers import user_answer
from tokenboard.portal.farewell_service import Unsettled
from tokenboard.portal.shapes import User
from tokenboard.wallet.credits_page import money, pill_text
from tokenboard.web.api import Answer, Body, operation
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import EXPORT, limiter

blueprint = Blueprint("data", __name__)

DATA = "/settings/data"
_FILE_NAME = "tokenboard-export.zip"


class ProfileBody(Body):
    """What a person is called."""

    display_name: DisplayName


class FarewellBody(Body):
    """The account's own address, as a confirmation that is typed."""

    email: str = Field(max_length=LONGEST_TYPED)


@blueprint.get(DATA)
def data() -> Response:
    return _page(current_person())


def _page(person: Person, refusal: ValidationFailed | None = None) -> Response:
    given_up = farewell_service.given_up_micros(person)
    return page(
        "settings/data.html",
        fragments=("farewell",),
        status=refusal.status if refusal else 200,
        person=person,
        faults=faults_of(refusal) if refusal else {},
        obstacles=farewell_service.obstacles(person),
        given_up=f"{pill_text(given_up)} ({money(given_up)})" if given_up else "",
    )


@blueprint.post(f"{DATA}/export")
@limiter.limit(EXPORT)
def export() -> Response:
    return _exported()


@blueprint.post("/api/account/export")
@limiter.limit(EXPORT)
@operation(
    "Everything we hold on me and my workspaces, as a ZIP of JSON files", tag="Accounts", media="application/zip"
)
def export_by_json() -> Answer:
    return _exported()


def _exported() -> Response:
    person = current_person()
    require_recent_proof()
    audit.record("accounts.exported", actor=person.id, subject=person.id)
    db.session.commit()
    file = data_export.write(person)
    db.session.rollback()  # nothing was written since; the answer is sent without a transaction
    return send_file(file, "application/zip", as_attachment=True, download_name=_FILE_NAME, max_age=0)


@blueprint.post(f"{DATA}/delete")
def delete() -> Response | BaseResponse:
    person = current_person()
    require_recent_proof()
    try:
        _delete(person, request.form.get("email", "")[:LONGEST_TYPED])
    except ValidationFailed as refusal:
        db.session.rollback()
        return _page(person, refusal)
    except Unsettled:
        db.session.rollback()
        return see_other(DATA)  # it says what stands in the way
    sessions.drop()
    flash("Your account is deleted. Goodbye.", "success")
    answer = see_other("/")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.delete("/api/account")
@operation("Delete my account", body=FarewellBody, status=204, tag="Accounts", errors=(409,))
def delete_by_json(body: FarewellBody) -> Answer:
    person = current_person()
    require_recent_proof()
    _delete(person, body.email)
    sessions.drop()
    return {}


def _delete(person: Person, typed: str) -> None:
    """Raises: ValidationFailed, Unsettled."""
    if or_none(parse_email, typed) != person.email:
        raise ValidationFailed({"email": [f"Type {person.email} to confirm."]})
    running = farewell_service.delete_account(person)
    db.session.commit()
    for answer_id in running:
        asking.stop(answer_id)


@blueprint.patch("/api/account")
@operation("Change what I am called", body=ProfileBody, tag="Accounts", answer={"user": User})
def change_profile(body: ProfileBody) -> Answer:
    person = current_person()
    accounts.describe(person, display_name=body.display_name)
    db.session.commit()
    return {"user": user_answer(person)}
