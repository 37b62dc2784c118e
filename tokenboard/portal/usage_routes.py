"""The usage pages: sums and log of a workspace, a request's receipt, both tables as files. Viewers may read them."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core import clock
from tokenboard.metering import receipt_queries, usage_queries
from tokenboard.metering.receipt_page import written
from tokenboard.portal import usage_controls, usage_files, usage_log, usage_page
from tokenboard.portal.usage_names import Names, names
from tokenboard.portal.usage_view import CSV_PATH, LOG_CSV_PATH, PATH, UsageView, read_view
from tokenboard.web.fragments import is_fragment_request, page, wanted_fragment
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

blueprint = Blueprint("portal_usage", __name__)

TEMPLATE = "portal/usage.html"
FRAGMENTS = ("panel", "usage_log")


def _read() -> tuple[WorkspaceAccess, UsageView]:
    return access.load(None, current_person()), read_view(request.args, clock.today())


@blueprint.get(PATH)
def usage() -> Response:
    found, view = _read()
    workspace_id = found.workspace.id
    chosen = usage_page.choices(workspace_id, view)
    named = names(workspace_id, chosen)
    controls = usage_controls.build(view, chosen, named)
    log = usage_log.build(workspace_id, view, named)
    if wanted_fragment(FRAGMENTS) == "usage_log":
        return page(TEMPLATE, fragments=FRAGMENTS, view=view, controls=controls, log=log)
    return page(
        TEMPLATE,
        fragments=FRAGMENTS,
        view=view,
        controls=controls,
        log=log,
        page=usage_page.build(workspace_id, view, named),
        may_use=found.allows(Role.MEMBER) and not found.workspace.is_demo,
    )


@blueprint.get("/analytics")
def usage_alias() -> BaseResponse:
    current_person()
    query = request.query_string.decode("ascii", "ignore")
    return redirect(f"{PATH}?{query}" if query else PATH, 308)


@blueprint.get(CSV_PATH)
def usage_csv() -> Response:
    found, view = _read()
    summary = usage_queries.summary(found.workspace.id, view.span, view.by, view.filters)
    return usage_files.summary_file(summary, view.by, view.span, _names(found.workspace.id, view))


@blueprint.get(LOG_CSV_PATH)
def requests_csv() -> Response:
    found, view = _read()
    workspace_id = found.workspace.id
    return usage_files.log_file(workspace_id, view.span, view.logged, _names(workspace_id, view))


def _names(workspace_id: str, view: UsageView) -> Names:
    return names(workspace_id, usage_page.choices(workspace_id, view))


@blueprint.get(f"{PATH}/requests/<id:record_id>")
def request_receipt(record_id: str) -> Response:
    """In any workspace of the caller's: links to receipts outlive the choice of a workspace."""
    record = receipt_queries.workspace_of(record_id)
    found = access.load(record, current_person())
    receipt = written(receipt_queries.receipt(workspace_id=found.workspace.id, record_id=record_id))
    if is_fragment_request():
        return Response(render_block("portal/usage_receipt.html", "receipt_body", receipt=receipt))
    return page("portal/usage_receipt.html", receipt=receipt)
