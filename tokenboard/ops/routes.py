"""The development outbox: what would have been sent. Outside development these pages do not exist."""

from __future__ import annotations

import json

from flask import Blueprint, Response

from tokenboard.accounts.guards import current_person
from tokenboard.core.crypto import CannotUnseal
from tokenboard.core.errors import NotFound
from tokenboard.core.settings import settings
from tokenboard.notices import queries
from tokenboard.notices.models import Notice
from tokenboard.notices.service import filled
from tokenboard.web.fragments import page

blueprint = Blueprint("outbox", __name__, url_prefix="/dev/outbox")


@blueprint.before_request
def _development_only() -> None:
    """In development anybody signed in may read every message: that is how a reset link is tried out."""
    if settings().is_production:
        raise NotFound
    current_person()


@blueprint.get("")
def outbox() -> Response:
    return page("ops/outbox.html", fragments=("outbox",), notices=queries.recent())


@blueprint.get("/<id:notice_id>")
def message(notice_id: str) -> Response:
    found = queries.notice(notice_id)
    return page("ops/message.html", notice=found, text=_text(found))


def _text(found: Notice) -> str:
    if found.channel == "webhook":
        return json.dumps(json.loads(found.body), indent=2)
    try:
        return filled(found, found.body)
    except CannotUnseal:
        return found.body  # the secrets of this machine were made anew since
