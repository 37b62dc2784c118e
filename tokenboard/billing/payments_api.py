"""JSON door to a workspace's payments: the list behind the tab on /credits."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint
from pydantic import Field

from tokenboard.accounts.guards import current_person
from tokenboard.billing import history_queries, shapes
from tokenboard.billing.answers import payment_answer
from tokenboard.billing.forms import MOST, USUAL
from tokenboard.billing.rules import PaymentState
from tokenboard.web.api import Answer, Query, operation
from tokenboard.web.shapes import Cursor
from tokenboard.workspaces import access

blueprint = Blueprint("billing_payments_api", __name__)

State = Literal[
    "started",
    "pending",
    "paid",
    "credited",
    "failed",
    "expired",
    "partly_refunded",
    "refunded",
    "disputed",
    "lost",
]


class PaymentsQuery(Query):
    workspace_id: str | None = None
    limit: int = Field(USUAL, ge=1, le=MOST)
    cursor: str | None = Field(None, max_length=200)
    status: State | None = None


@blueprint.get("/api/billing/payments")
@operation(
    "The workspace's payments, newest first",
    query=PaymentsQuery,
    tag="Payments",
    answer={"payments": list[shapes.Payment], "next_cursor": Cursor},
)
def payments(query: PaymentsQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    found = history_queries.payments(
        workspace.id,
        limit=query.limit + 1,
        states=(PaymentState(query.status),) if query.status else (),
        cursor=query.cursor or "",
    )
    shown = found[: query.limit]
    cursor = shown[-1].id if len(found) > query.limit else None
    return {"payments": [payment_answer(one) for one in shown], "nextCursor": cursor}
