"""JSON doors to the mails a person may do without: which they get, and choosing others."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts import mail_choices, shapes
from tokenboard.accounts.forms import MailChoicesBody
from tokenboard.accounts.guards import current_person
from tokenboard.accounts.mail_choices import Mail
from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.web.api import Answer, operation

blueprint = Blueprint("mail_api", __name__, url_prefix="/api/account")

_TAG = "Accounts"


@blueprint.get("/mail-choices")
@operation("Which mails I get", tag=_TAG, answer=shapes.MailChoices)
def chosen() -> Answer:
    return _answer(current_person())


@blueprint.put("/mail-choices")
@operation("Get these mails and no others", body=MailChoicesBody, tag=_TAG, answer=shapes.MailChoices)
def choose(body: MailChoicesBody) -> Answer:
    person = current_person()
    mail_choices.choose(person, mails={Mail.called(name) for name in body.mails})
    db.session.commit()
    return _answer(person)


def _answer(person: Person) -> Answer:
    wanted = mail_choices.wanted(person)
    return {
        "mails": [mail.short for mail in Mail if mail in wanted],
        "offered": [mail.short for mail in Mail],
        "address": person.email,
        "isReachable": mail_choices.is_reachable(person),
    }
