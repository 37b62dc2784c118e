"""Settings, Notifications: which mails a person gets, and last month's summary once more."""

from __future__ import annotations

from flask import Blueprint, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import mail_choices
from tokenboard.accounts.entrance import limit_letters
from tokenboard.accounts.guards import current_person
from tokenboard.accounts.mail_choices import Mail
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, ValidationFailed
from tokenboard.core.parsing import parse_id
from tokenboard.portal import month_letter_service
from tokenboard.web.forms import fields
from tokenboard.web.fragments import see_other

blueprint = Blueprint("mails", __name__, url_prefix="/settings/notifications")

PAGE = "/settings/notifications"


@blueprint.post("/mails")
def choose() -> BaseResponse:
    given = request.form.getlist("mails")
    if not set(given) <= set(Mail):
        raise ValidationFailed({"mails": ["Please choose among these."]})
    mail_choices.choose(current_person(), mails=[Mail(one) for one in given])
    db.session.commit()
    flash("Saved.", "success")
    return see_other(PAGE)


@blueprint.post("/summary")
@limit_letters
def send_summary() -> BaseResponse:
    person = current_person()
    form_key = fields(request.form, form_key=parse_id)["form_key"]
    if not mail_choices.is_reachable(person):
        raise Conflict("Confirm your address first: a link to it is in the mail we sent you.")
    is_written = month_letter_service.tell_again(person=person, form_key=form_key)
    db.session.commit()
    if is_written:
        flash(f"It is on its way to {person.email}.", "success")
    else:
        flash("Nothing happened last month in any of your workspaces, so there is nothing to sum up.", "info")
    return see_other(PAGE)
