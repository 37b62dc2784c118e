"""JSON doors to a wallet: balance, statement, spend, grant, and the worked example."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db, new_id
from tokenboard.ledger.results import Posting
from tokenboard.wallet import adjustment_service, example, queries, service, shapes
from tokenboard.wallet.adjustment_service import Wish
from tokenboard.wallet.answers import balance_answer, credits_number, line_answer, posting_answer
from tokenboard.wallet.forms import (
    ExampleBody,
    GrantBody,
    LedgerQuery,
    SpendBody,
    WalletQuery,
    key_of,
    required_key,
)
from tokenboard.wallet.guards import admin_key_only
from tokenboard.wallet.models import AdjustmentKind
from tokenboard.web.api import Answer, operation
from tokenboard.web.limits import limiter
from tokenboard.web.security import exempt_from_csrf
from tokenboard.web.shapes import Cursor
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("wallet_api", __name__)

GRANTS = "60/minute"  # of one address, refused keys included
_TAG = "Credits"


@blueprint.get("/api/billing/balance")
@operation("What a workspace's wallet has", query=WalletQuery, tag=_TAG, answer=shapes.Balance)
def balance(query: WalletQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    return balance_answer(queries.balance(workspace))


@blueprint.get("/api/credits/ledger")
@operation(
    "A wallet's transactions, newest first",
    query=LedgerQuery,
    tag=_TAG,
    answer={"entries": list[shapes.Entry], "next_cursor": Cursor},
)
def ledger(query: LedgerQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    page = queries.statement(workspace, kind=query.kind, cursor=query.cursor, limit=query.limit)
    following = None if page.next_before is None else str(page.next_before)
    return {"entries": [line_answer(line) for line in page.lines], "nextCursor": following}


@blueprint.post("/api/credits/spend")
@operation(
    "Use credits now, all or nothing",
    body=SpendBody,
    tag=_TAG,
    answer=shapes.Posting,
    errors=(402, 409),
    headers=("Idempotency-Key",),
)
def spend(body: SpendBody) -> Answer:
    person = current_person()
    workspace = access.load(body.workspace_id, person, at_least=Role.MEMBER).workspace
    key = required_key(body.idempotency_key, request.headers)
    posting = service.spend(workspace=workspace, amount_micros=body.amount, reason=body.reason, key=key)
    db.session.commit()
    return _answer(posting)


@blueprint.post("/api/credits/grant")
@exempt_from_csrf("only the admin key opens it; no cookie counts")
@limiter.limit(GRANTS)
@admin_key_only
@operation(
    "Give credits to a person or workspace",
    body=GrantBody,
    auth="admin_key",
    tag=_TAG,
    answer=shapes.Posting,
    errors=(404, 409),
    headers=("Idempotency-Key",),
)
def grant(body: GrantBody) -> Answer:
    key = required_key(body.idempotency_key, request.headers)
    workspace = queries.target(workspace_id=body.workspace_id, person_id=body.user_id, email=body.email)
    wish = Wish(workspace, AdjustmentKind.GIFT, body.amount, body.reason, body.expires_at)
    posting = adjustment_service.grant_by_key(wish=wish, key=key)
    db.session.commit()
    return _answer(posting)


@blueprint.post("/api/example/use-credits")
@operation(
    "A worked example of a metered feature: spends 1 credit and answers",
    body=ExampleBody,
    tag=_TAG,
    answer=shapes.ExampleAnswer,
    errors=(402, 409),
    headers=("Idempotency-Key",),
)
def use_credits(body: ExampleBody) -> Answer:
    person = current_person()
    workspace = access.load(body.workspace_id, person, at_least=Role.MEMBER).workspace
    key = key_of(body.idempotency_key, request.headers) or new_id()
    posting = service.use_example(workspace=workspace, prompt=body.prompt, key=key)
    db.session.commit()
    found = example.read(body.prompt)
    return _answer(posting, answer=found.text, credits=credits_number(example.PRICE_MICROS))


def _answer(posting: Posting, **more: Any) -> Response:
    """The first answer again for a repeated key, and a header that says so."""
    answer = jsonify(posting_answer(posting) | more)
    if posting.is_replay:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer
