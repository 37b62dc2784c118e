"""What mailed links do: confirm an address, choose a new password, change the e-mail; by page and by JSON.

Laws: a link is used by a button, never by a look, since mail programs open links by themselves; whatever confirms a
mailbox brings the welcome credits that waited for it.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import mailbox_service, one_time_links
from tokenboard.accounts.doors import password_door
from tokenboard.accounts.entrance import HOME, limit_letters, limit_links
from tokenboard.accounts.forms import LONGEST_TYPED, ResetBody, VerifyBody
from tokenboard.accounts.guards import current_person, person_or_none
from tokenboard.accounts.one_time_links import Purpose
from tokenboard.accounts.passwords import LONGEST, SHORTEST
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.portal import signup
from tokenboard.web.api import Answer, operation
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.paths import page_shown

blueprint = Blueprint("links", __name__)


@blueprint.post("/verify")
@limit_letters
def send_again() -> BaseResponse:
    person = current_person()
    mailbox_service.send_verification(person)
    db.session.commit()
    flash(f"A link is on its way to {person.email}.", "success")
    return see_other(page_shown("/settings/security"))


@blueprint.get("/verify/<token>")
def show_verification(token: str) -> Response:
    person, _ = one_time_links.holder(token, Purpose.VERIFY)
    return page("portal/verify.html", email=person.email, path=request.path)


@blueprint.post("/verify/<token>")
@limit_links
def verify(token: str) -> BaseResponse:
    person = signup.confirm_address(token=token)
    db.session.commit()
    flash(f"{person.email} is confirmed. Thank you.", "success")
    return see_other(HOME if person_or_none() else "/login")


@blueprint.post("/api/auth/verify")
@limit_links
@operation(
    "Confirm an e-mail address with a mailed link",
    body=VerifyBody,
    auth="none",
    status=204,
    tag="Accounts",
    errors=(404, 409),
)
def verify_by_json(body: VerifyBody) -> Answer:
    signup.confirm_address(token=body.token)
    db.session.commit()
    return {}


@blueprint.get("/reset")
@password_door
def reset_without_link() -> BaseResponse:
    return see_other("/forgot")


@blueprint.get("/reset/<token>")
@password_door
def reset(token: str) -> Response:
    person, _ = one_time_links.holder(token, Purpose.RESET)
    return _reset_page(person.email)


@blueprint.post("/reset/<token>")
@password_door
@limit_links
def choose_password(token: str) -> Response | BaseResponse:
    person, _ = one_time_links.holder(token, Purpose.RESET)
    email = person.email
    try:
        signup.reset_password(token=token, password=request.form.get("password", "")[:LONGEST_TYPED])
    except ValidationFailed as refusal:
        db.session.rollback()
        return _reset_page(email, refusal)
    db.session.commit()
    flash("Your password is new, and you are signed out everywhere. Sign in with it.", "success")
    return see_other("/login")


def _reset_page(email: str, refusal: ValidationFailed | None = None) -> Response:
    return page(
        "portal/reset.html",
        status=refusal.status if refusal else 200,
        faults=faults_of(refusal) if refusal else {},
        email=email,
        path=request.path,
        shortest=SHORTEST,
        longest=LONGEST,
    )


@blueprint.post("/api/auth/reset")
@password_door
@limit_links
@operation(
    "Choose a new password with a mailed link",
    body=ResetBody,
    auth="none",
    status=204,
    tag="Accounts",
    errors=(403, 404),
)
def reset_by_json(body: ResetBody) -> Answer:
    signup.reset_password(token=body.token, password=body.password)
    db.session.commit()
    return {}


@blueprint.get("/account/email/<token>")
def show_email_change(token: str) -> Response:
    person, row = one_time_links.holder(token, Purpose.CHANGE_EMAIL)
    return page("portal/email_change.html", old=person.email, new=row.email, path=request.path)


@blueprint.post("/account/email/<token>")
@limit_links
def change_email(token: str) -> BaseResponse:
    person = signup.change_email(token=token)
    db.session.commit()
    flash(f"You sign in with {person.email} from now on.", "success")
    return see_other(HOME if person_or_none() else "/login")
