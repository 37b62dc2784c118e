"""JSON doors to usage: sums from roll-ups, and single requests.

In the portal: keys have their names one floor above metering.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint

from tokenboard.accounts.guards import current_person
from tokenboard.metering import usage_queries, usage_trends
from tokenboard.metering.answers import item_answer, log_answer, sums_answer
from tokenboard.metering.usage_rules import By, Span
from tokenboard.portal import usage_files, usage_shapes as shapes
from tokenboard.portal.usage_forms import UsageLogsQuery, UsageSummaryQuery
from tokenboard.portal.usage_names import Names, names
from tokenboard.portal.usage_page import name_of
from tokenboard.web.api import Answer, operation
from tokenboard.web.shapes import Cursor, Day
from tokenboard.workspaces import access

blueprint = Blueprint("portal_usage_api", __name__)


@blueprint.get("/api/usage/summary")
@operation(
    "What was used, by model, key, user, source or day",
    query=UsageSummaryQuery,
    tag="Usage",
    or_csv=True,
    answer={
        "by": shapes.Dimension,
        "from": Day,
        "to": Day,
        "items": list[shapes.UsageItem],
        "total": shapes.UsageSums,
    },
)
def usage_summary(query: UsageSummaryQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    span, by = query.span(), By(query.by)
    found, named = usage_queries.summary(workspace.id, span, by, query.filters()), _names(workspace.id, span)
    if query.format == "csv":
        return usage_files.summary_file(found, by, span, named)
    items = [item_answer(replace(item, name=name_of(item, by, named))) for item in found.items]
    asked = {"by": by.value, "from": str(span.first), "to": str(span.last)}
    return asked | {"items": items, "total": sums_answer(found.total)}


@blueprint.get("/api/usage/logs")
@operation(
    "Single requests, newest first",
    query=UsageLogsQuery,
    tag="Usage",
    or_csv=True,
    answer={"logs": list[shapes.UsageLogEntry], "next_cursor": Cursor},
)
def usage_logs(query: UsageLogsQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    span, named = query.span(), _names(workspace.id, query.span())
    filters = replace(query.filters(), status=query.status, conversation_id=query.conversation_id)
    if query.format == "csv":
        return usage_files.log_file(workspace.id, span, filters, named)
    page = usage_queries.logs(workspace.id, span, filters, limit=query.limit, cursor=query.cursor)
    logs = [log_answer(one) | {"keyName": named.keys.get(one.key_id or "")} for one in page.records]
    return {"logs": logs, "nextCursor": page.next_cursor}


def _names(workspace_id: str, span: Span) -> Names:
    return names(workspace_id, usage_trends.choices(workspace_id, span))
