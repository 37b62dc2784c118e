"""JSON doors to metering: the models on offer with their prices, and what was used."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.metering import price_queries, shapes, usage_queries
from tokenboard.metering.answers import model_answer, usage_answer
from tokenboard.metering.forms import UsageQuery
from tokenboard.web.api import Answer, operation
from tokenboard.web.shapes import Cursor
from tokenboard.workspaces import access

blueprint = Blueprint("metering_api", __name__)


@blueprint.get("/api/models")
@operation("The models on offer and what a million tokens cost", tag="Chat", answer={"models": list[shapes.Model]})
def models() -> Answer:
    return {"models": [model_answer(price) for price in price_queries.all_offered(mode="chat")]}


@blueprint.get("/api/billing/usage")
@operation(
    "What was used, request by request, newest first",
    query=UsageQuery,
    tag="Credits",
    answer={"usage": list[shapes.Usage], "next_cursor": Cursor},
)
def usage(query: UsageQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    page = usage_queries.logs(workspace.id, None, limit=query.limit, cursor=query.cursor)
    return {"usage": [usage_answer(record) for record in page.records], "nextCursor": page.next_cursor}
