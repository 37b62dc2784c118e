"""For programs that watch: how every part stands, for administrators; and for Prometheus, with a bearer token."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tokenboard.accounts.guards import require_admin
from tokenboard.core.clock import now
from tokenboard.core.crypto import same_secret
from tokenboard.core.db import db
from tokenboard.core.errors import NotConfigured, Unauthenticated
from tokenboard.core.settings import settings
from tokenboard.ops import books_queries, health, jobs_queue, metrics, monitoring_queries, waiting_queries
from tokenboard.ops.shapes import Monitoring
from tokenboard.web.api import Answer, Operation, operation
from tokenboard.web.limits import limiter

blueprint = Blueprint("admin_monitoring_api", __name__)

SCRAPES = "60/minute"


@blueprint.get("/api/admin/monitoring")
@operation("How every part stands: queues, syncs, webhooks, books", answer=Monitoring, errors=(404,), tag="Operator")
def monitoring() -> Answer:
    require_admin()
    found, syncs, instant = health.readiness(), monitoring_queries.syncs(), now()
    books = books_queries.verdict(books_queries.lamps())
    rows = waiting_queries.waiting()
    return {
        "status": "ok" if found.is_ok and books.is_ok else "down",
        "parts": {one.part: {"ok": one.is_ok, "detail": one.sentence} for one in found.findings},
        "queue": jobs_queue.depths(),
        "waiting": {
            one.name: {"waiting": one.waiting, "late": one.late, "oldestSeconds": one.seconds(instant)} for one in rows
        },
        "webhookLagSeconds": next(one.seconds(instant) for one in rows if one.name == "webhooks"),
        "syncs": {
            "lastDoneAt": syncs.last_done_at,
            "failedToday": syncs.failed_today,
            "rejectedConnections": syncs.rejected,
        },
        "ledger": {"status": books.status, "checkedAt": books.checked_at, "broken": list(books.broken)},
        "workers": monitoring_queries.workers_alive(),
    }


@blueprint.get("/metrics")
@limiter.limit(SCRAPES)
@Operation(summary="Figures for Prometheus", auth="metrics", tag="Health", media="text/plain", errors=(429,)).on
def prometheus() -> Response:
    """Compared in constant time; no cookie counts."""
    expected = settings().metrics_token
    if not expected:
        raise NotConfigured("Metrics are off: set METRICS_TOKEN.", setting="METRICS_TOKEN")
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not same_secret(given.strip(), expected):
        raise Unauthenticated("The bearer token of /metrics is missing or wrong.")
    text = metrics.exposition()
    db.session.rollback()
    return Response(text, mimetype="text/plain; version=0.0.4; charset=utf-8")
