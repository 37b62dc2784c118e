"""JSON doors to alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint
from sqlalchemy import select

from tokenboard.accounts.guards import require_admin
from tokenboard.audit import alert_queries
from tokenboard.audit.models import Alert
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ops import alert_service, alerts_page, shapes
from tokenboard.ops.alert_forms import AlertBody, AlertsQuery
from tokenboard.web.api import Answer, operation
from tokenboard.web.limits import limiter
from tokenboard.web.shapes import Cursor

blueprint = Blueprint("admin_alerts_api", __name__)

ACTS = "120/minute"
_TAG = "Operator"


@blueprint.get("/api/admin/alerts")
@operation(
    "Alerts, the latest raised first",
    query=AlertsQuery,
    answer={"alerts": list[shapes.Alert], "next_cursor": Cursor},
    errors=(404,),
    tag=_TAG,
)
def alerts(query: AlertsQuery) -> Answer:
    require_admin()
    wanted = alerts_page.read_filter({"state": query.status, "severity": query.severity})
    before = or_none(parse_id, query.cursor) if query.cursor else None
    found = alert_queries.page(wanted, limit=query.limit + 1, before=before)
    cursor = found[query.limit - 1].id if len(found) > query.limit else None
    return {"alerts": [_answer(one) for one in found[: query.limit]], "nextCursor": cursor}


@blueprint.post("/api/admin/alerts")
@limiter.limit(ACTS)
@operation(
    "Raise an alert by hand", body=AlertBody, status=201, answer={"alert": shapes.Alert}, errors=(404,), tag=_TAG
)
def raise_one(body: AlertBody) -> Answer:
    admin = require_admin()
    subject = alert_service.raise_by_hand(message=body.message, severity=body.severity, actor=admin.id)
    db.session.commit()
    key = f"{alert_service.BY_HAND}:{subject}"
    return {"alert": _answer(db.session.scalars(select(Alert).where(Alert.open_key == key)).one())}


@blueprint.post("/api/admin/alerts/<alert_id>/acknowledge")
@limiter.limit(ACTS)
@operation("Say that somebody has taken it up", answer={"alert": shapes.Alert}, tag=_TAG)
def acknowledge(alert_id: str) -> Answer:
    return _done(alert_id, alert_service.acknowledge)


@blueprint.post("/api/admin/alerts/<alert_id>/resolve")
@limiter.limit(ACTS)
@operation("Say that it is dealt with", answer={"alert": shapes.Alert}, tag=_TAG)
def resolve(alert_id: str) -> Answer:
    return _done(alert_id, alert_service.resolve)


def _done(alert_id: str, act: Callable[..., bool]) -> dict[str, Any]:
    admin = require_admin()
    wanted = or_none(parse_id, alert_id)
    if wanted is None or alert_queries.one(wanted) is None:
        raise NotFound
    act(alert_id=wanted, actor=admin.id)
    db.session.commit()
    found = alert_queries.one(wanted)
    assert found is not None, "alerts are never deleted"
    return {"alert": _answer(found)}


def _answer(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity,
        "message": alert.message,
        "status": alert_queries.state_of(alert),
        "times": alert.times,
        "raisedAt": alert.raised_at,
        "lastRaisedAt": alert.last_raised_at,
        "acknowledgedAt": alert.acknowledged_at,
        "resolvedAt": alert.resolved_at,
    }
