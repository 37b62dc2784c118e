"""The dashboard's doors: the page, its export, and *Sync now*."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core import clock
from tokenboard.core.db import db
from tokenboard.costs import connection_queries, service as costs
from tokenboard.portal import dashboard_csv, dashboard_facts, dashboard_page, onboarding
from tokenboard.portal.dashboard_facts import Facts
from tokenboard.portal.dashboard_sync import POLL_SECONDS, sync_state
from tokenboard.portal.dashboard_view import read_view
from tokenboard.portal.keys_band import keys_near_limit
from tokenboard.portal.wallet_band import wallet_band
from tokenboard.web.clients import clients
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import SYNC, limiter
from tokenboard.web.security import local_path
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

blueprint = Blueprint("portal_dashboard", __name__)

FRAGMENTS = ("panel", "sync_state")


def _read() -> tuple[WorkspaceAccess, Facts]:
    found = access.load(None, current_person())
    return found, dashboard_facts.read_facts(found.workspace.id, read_view(request.args, clock.today()))


@blueprint.get("/dashboard")
def dashboard() -> Response:
    found, facts = _read()
    now = clock.now()
    return page(
        "dashboard/dashboard.html",
        fragments=FRAGMENTS,
        page=dashboard_page.build(facts, now),
        facts=facts,
        sync=sync_state(facts.live, now, may_sync=found.allows(Role.OWNER) and not found.workspace.is_demo),
        steps=onboarding.steps(facts, found),
        workspace=found.workspace,
        wallet=(wallet := wallet_band(found.workspace)),
        keys_near=keys_near_limit(found, current_person()) if wallet else (),
        may_buy=found.allows(Role.MEMBER) and not found.workspace.is_demo,
        has_sandbox=clients().mode("openai") == "sandbox",
        may_manage=found.allows(Role.ADMIN),
        poll_seconds=POLL_SECONDS,
        was_running=request.args.get("was") == "running",
    )


@blueprint.get("/dashboard.csv")
def dashboard_export() -> Response:
    _, facts = _read()
    answer = Response(dashboard_csv.write(facts), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{dashboard_csv.file_name(facts.view)}"'
    return answer


@blueprint.post("/dashboard/sync")
@limiter.limit(SYNC)
def sync_now() -> BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.OWNER)
    for connection in connection_queries.every_automatic(found.workspace.id):
        costs.request_sync(connection=connection, actor_id=person.id)
    db.session.commit()
    flash("Reading the bill anew.", "info")
    return see_other(local_path(request.form.get("next"), "/dashboard"))
