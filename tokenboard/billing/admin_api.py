"""JSON doors for the operator: refunds, the inbox, the catalogue."""

from __future__ import annotations

from flask import Blueprint, request

from tokenboard.accounts.guards import require_admin, require_recent_proof
from tokenboard.billing import inbox_queries, inbox_service, refunding, shapes, tasks
from tokenboard.billing.answers import event_answer
from tokenboard.billing.errors import ProviderFailed
from tokenboard.billing.forms import InboxQuery, RefundBody
from tokenboard.billing.inbox_queries import InboxFilter
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.providers.payments import PaymentError
from tokenboard.wallet.forms import key_of
from tokenboard.wallet.guards import admin_key_only
from tokenboard.web.api import Answer, operation
from tokenboard.web.clients import clients
from tokenboard.web.limits import limiter
from tokenboard.web.security import exempt_from_csrf
from tokenboard.web.shapes import Count, Cursor

blueprint = Blueprint("billing_admin_api", __name__)

ACTS = "60/minute"
_TAG = "Operator"


@blueprint.post("/api/billing/sync-prices")
@exempt_from_csrf("only the admin key opens it; no cookie counts")
@limiter.limit(ACTS)
@admin_key_only
@operation(
    "Take over Stripe's catalogue",
    auth="admin_key",
    tag=_TAG,
    answer={"products": Count, "prices": Count, "skipped": list[shapes.Skipped]},
    errors=(502, 504),
)
def sync_prices() -> Answer:
    try:
        synced = tasks.sync_catalogue()
    except PaymentError as error:
        raise ProviderFailed(error) from error
    return {"products": synced.products, "prices": synced.prices, "skipped": synced.skipped}


@blueprint.post("/api/admin/payments/<payment_id>/refund")
@limiter.limit(ACTS)
@operation(
    "Give money back",
    body=RefundBody,
    status=202,
    tag=_TAG,
    answer={"refund": shapes.Refund},
    errors=(409, 502, 504),
    headers=("Idempotency-Key",),
)
def refund(payment_id: str, body: RefundBody) -> Answer:
    admin = require_admin()
    require_recent_proof()
    made = refunding.refund(
        payment_id=payment_id,
        amount_minor=body.amount_cents,
        actor=admin.id,
        intent_key=key_of(body.idempotency_key, request.headers),
        providers=clients(),
    )
    return {"refund": {"id": made.id, "status": made.state, "amountCents": made.amount_minor}}


@blueprint.get("/api/admin/webhooks")
@operation(
    "The inbox of webhooks",
    query=InboxQuery,
    tag=_TAG,
    answer={"webhooks": list[shapes.WebhookEvent], "next_cursor": Cursor},
    errors=(404,),
)
def webhooks(query: InboxQuery) -> Answer:
    require_admin()
    before = or_none(parse_id, query.cursor) if query.cursor else None
    wanted = InboxFilter(state=query.state or "", provider=query.provider or "", type=query.type or "")
    rows = inbox_queries.page(wanted, limit=query.limit + 1, before=before)
    shown = rows[: query.limit]
    cursor = shown[-1].id if len(rows) > query.limit else None
    return {"webhooks": [event_answer(row) for row in shown], "nextCursor": cursor}


@blueprint.post("/api/admin/webhooks/<event_id>/replay")
@limiter.limit(ACTS)
@operation("Handle an event again", status=202, tag=_TAG, answer={"webhook": shapes.WebhookEvent}, errors=(409,))
def replay(event_id: str) -> Answer:
    admin = require_admin()
    wanted = or_none(parse_id, event_id)
    row = inbox_service.replay(event_row_id=wanted, actor=admin.id) if wanted else None
    if row is None:
        raise NotFound
    db.session.commit()
    return {"webhook": event_answer(row)}
