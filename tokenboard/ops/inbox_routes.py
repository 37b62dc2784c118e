"""The control room's inbox: what providers sent, by state; one event with its bytes; handling it again."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.billing import inbox_queries, inbox_service
from tokenboard.billing.forms import read_replays
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound, ValidationFailed
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ops import control_room, inbox_page
from tokenboard.web.filters import plural
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter

blueprint = Blueprint("admin_webhooks", __name__, url_prefix="/admin/webhooks")

ACTS = "60/minute"
FRAGMENTS = ("inbox", "event")

control_room.furnish(blueprint)


@blueprint.get("")
def webhooks() -> Response:
    return _page(None)


@blueprint.get("/<id:event_id>")
def webhook(event_id: str) -> Response:
    found = inbox_queries.whole(event_id)
    if found is None:
        raise NotFound
    return _page(found)


def _page(shown: InboxEvent | None, refusal: ValidationFailed | None = None) -> Response:
    wanted = inbox_page.read_filter(request.args)
    view = inbox_page.build(wanted, cursor=_cursor(), shown=shown)
    status = refusal.status if refusal else 200
    faults = [fault for found in refusal.fields.values() for fault in found] if refusal else []
    return page("ops/webhooks.html", fragments=FRAGMENTS, status=status, view=view, faults=faults)


def _cursor() -> str:
    return or_none(parse_id, request.args.get("cursor", "")) or ""


@blueprint.post("/<id:event_id>/replay")
@limiter.limit(ACTS)
def replay(event_id: str) -> BaseResponse:
    """Safe: money is keyed by what was bought, not by the event."""
    row = inbox_service.replay(event_row_id=event_id, actor=current_person().id)
    if row is None:
        raise NotFound
    db.session.commit()
    flash("It is handled again.", "info")
    wanted = inbox_page.read_filter(request.args)
    return see_other(inbox_page.href(wanted, path=f"{inbox_page.PATH}/{row.id}", cursor=_cursor()))


@blueprint.post("/replay-dead")
@limiter.limit(ACTS)
def replay_dead() -> Response | BaseResponse:
    """No more than the button said."""
    try:
        most = read_replays(request.form)
    except ValidationFailed as refusal:
        return _page(None, refusal)
    wanted = inbox_page.read_filter(request.args)
    count = inbox_service.replay_dead(wanted=wanted, most=most, actor=current_person().id)
    db.session.commit()
    words = f"{plural(count, 'event')} {'is' if count == 1 else 'are'} handled again." if count else "None was dead."
    flash(words, "info")
    return see_other(inbox_page.href(wanted, state=""))
