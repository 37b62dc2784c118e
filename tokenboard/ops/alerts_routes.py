"""The control room's alerts: the list, taking one up, resolving it, raising one by hand."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ops import alert_service, alerts_page, control_room
from tokenboard.ops.alert_forms import LONGEST_MESSAGE, read_alert
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.web.paths import page_shown

blueprint = Blueprint("admin_alerts", __name__, url_prefix="/admin/alerts")

ACTS = "120/minute"

control_room.furnish(blueprint)


@blueprint.get("")
def alerts() -> Response:
    return _page()


def _page(refusal: ValidationFailed | None = None) -> Response:
    wanted = alerts_page.read_filter(request.args)
    cursor = or_none(parse_id, request.args.get("cursor", "")) or ""
    return page(
        "ops/alerts.html",
        fragments=("alerts",),
        status=refusal.status if refusal else 200,
        view=alerts_page.build(wanted, cursor=cursor),
        faults=faults_of(refusal) if refusal else {},
        typed={name: request.form.get(name, "")[:LONGEST_MESSAGE] for name in ("message", "severity")},
        longest=LONGEST_MESSAGE,
    )


@blueprint.post("")
@limiter.limit(ACTS)
def raise_one() -> Response | BaseResponse:
    try:
        message, severity = read_alert(request.form)
    except ValidationFailed as refusal:
        return _page(refusal)
    alert_service.raise_by_hand(message=message, severity=severity, actor=current_person().id)
    db.session.commit()
    flash("Raised: every administrator sees it.", "success")
    return see_other(alerts_page.PATH)


@blueprint.post("/<id:alert_id>/acknowledge")
@limiter.limit(ACTS)
def acknowledge(alert_id: str) -> BaseResponse:
    alert_service.acknowledge(alert_id=alert_id, actor=current_person().id)
    db.session.commit()
    return see_other(page_shown(alerts_page.PATH))


@blueprint.post("/<id:alert_id>/resolve")
@limiter.limit(ACTS)
def resolve(alert_id: str) -> BaseResponse:
    """Twice is once: one that is closed stays closed."""
    alert_service.resolve(alert_id=alert_id, actor=current_person().id)
    db.session.commit()
    return see_other(page_shown(alerts_page.PATH))
