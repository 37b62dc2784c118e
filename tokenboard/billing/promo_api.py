"""JSON doors to promo codes, for administrators: make a batch, look at batches, end one."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, request

from tokenboard.accounts.guards import require_admin
from tokenboard.billing import promo_queries, promo_service, shapes
from tokenboard.billing.promo_forms import BatchBody, BatchQuery
from tokenboard.billing.promo_queries import BatchLine
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.wallet.answers import credits_number
from tokenboard.wallet.forms import required_key
from tokenboard.web.api import Answer, operation
from tokenboard.web.limits import limiter
from tokenboard.web.shapes import Cursor

blueprint = Blueprint("promo_api", __name__)

ACTS = "60/minute"
PATH = "/api/admin/promo-codes"
_TAG = "Operator"
_KEYS = uuid.UUID("6c1f3c1e-52a5-4f0e-9c3b-0c8a6f6f7b21")  # made up once: turns a caller's key into a batch's id


@blueprint.get(PATH)
@operation(
    "Batches of promo codes",
    query=BatchQuery,
    tag=_TAG,
    answer={"batches": list[shapes.PromoBatch], "next_cursor": Cursor},
    errors=(404,),
)
def batches(query: BatchQuery) -> Answer:
    require_admin()
    before = or_none(parse_id, query.cursor) if query.cursor else None
    rows = promo_queries.batches(limit=query.limit + 1, before=before)
    shown = rows[: query.limit]
    cursor = shown[-1].batch.id if len(rows) > query.limit else None
    return {"batches": [_answer(row) for row in shown], "nextCursor": cursor}


@blueprint.post(PATH)
@limiter.limit(ACTS)
@operation(
    "Make a batch of promo codes",
    body=BatchBody,
    status=201,
    tag=_TAG,
    answer={"batch": shapes.PromoBatch, "codes": list[str]},
    errors=(404, 409),
    headers=("Idempotency-Key",),
)
def make_batch(body: BatchBody) -> Answer:
    """The codes are in this answer only; the same key gets them again for an hour."""
    admin = require_admin()
    key = required_key(body.idempotency_key, request.headers)
    batch_id = str(uuid.uuid5(_KEYS, f"{admin.id}:{key}"))
    batch, codes = promo_service.make_batch(wish=body.wish(), actor=admin.id, batch_id=batch_id)
    db.session.commit()
    return {"batch": _answer(_line(batch.id)), "codes": codes}


@blueprint.post(f"{PATH}/<batch_id>/end")
@limiter.limit(ACTS)
@operation(
    "End a batch: its codes are worth nothing from now on", tag=_TAG, answer={"batch": shapes.PromoBatch}, errors=(409,)
)
def end_batch(batch_id: str) -> Answer:
    admin = require_admin()
    wanted = or_none(parse_id, batch_id)
    if wanted is None:
        raise NotFound
    promo_service.end_batch(batch_id=wanted, actor=admin.id)
    db.session.commit()
    return {"batch": _answer(_line(wanted))}


def _line(batch_id: str) -> BatchLine:
    found = promo_queries.batch(batch_id)
    assert found is not None, "made or ended just now"
    return found


def _answer(line: BatchLine) -> dict[str, Any]:
    batch = line.batch
    return {
        "id": batch.id,
        "name": batch.name,
        "status": line.state,
        "credits": credits_number(batch.credits_micros) if batch.credits_micros else None,
        "plan": batch.plan_price_provider_id or None,
        "codes": line.codes,
        "usesEach": batch.uses_each,
        "redeemed": line.redeemed,
        "left": max(0, line.possible - line.redeemed),
        "expiresAt": batch.expires_at,
        "creditsLiveDays": batch.credits_live_days or None,
        "createdAt": batch.created_at,
        "endedAt": batch.ended_at,
    }
