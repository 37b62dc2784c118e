"""Settings, Budgets: the list, the form with its preview, deletion. Everybody in the workspace sees it."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError, ValidationFailed
from tokenboard.costs import budget_forms, budget_page, budget_queries, budget_service
from tokenboard.costs.budget_tasks import check_budgets
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

PAGE = "/settings/budgets"
FRAGMENTS = ("budget_list", "budget_form", "budget_preview")

blueprint = Blueprint("costs_budgets", __name__)


@blueprint.get(PAGE)
def budgets() -> Response:
    return _page(access.load(None, current_person()))


def _page(found: WorkspaceAccess, *, refusal: TokenBoardError | None = None) -> Response:
    given = request.form if request.method == "POST" else request.args
    return page(
        "costs/budgets.html",
        fragments=FRAGMENTS,
        status=refusal.status if refusal else 200,
        budgets=budget_page.build(found.workspace.id),
        workspace=found.workspace,
        may_manage=found.allows(Role.ADMIN),
        typed={name: given.get(name, "")[:120] for name in ("amount", "project_id", "month")},
        faults=faults_of(refusal) if refusal else {},
        preview=_preview(found.workspace.id),
    )


def _preview(workspace_id: str) -> str:
    """What the typed amount would have done; nothing while there is none that can be read."""
    if request.method == "POST" or not request.args.get("amount"):
        return ""
    try:
        wanted = budget_forms.read(workspace_id, request.args)
    except ValidationFailed as refusal:
        return next(iter(refusal.fields.values()))[0]
    return budget_page.preview(workspace_id, wanted.amount_cents, wanted.project_id)


@blueprint.post(PAGE)
def save_budget() -> Response | BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN)
    try:
        wanted = budget_forms.read(found.workspace.id, request.form)
        budget_service.set_budget(
            workspace_id=found.workspace.id,
            actor=person,
            amount_cents=wanted.amount_cents,
            project_id=wanted.project_id,
            month=wanted.month,
        )
    except TokenBoardError as refusal:
        db.session.rollback()
        return _page(found, refusal=refusal)
    check_budgets.ring(found.workspace.id)
    db.session.commit()
    flash("The budget is set.", "success")
    return see_other(PAGE)


@blueprint.post("/settings/budgets/<id:budget_id>/delete")
def delete_budget(budget_id: str) -> BaseResponse:
    person = current_person()
    budget = budget_queries.budget_of(budget_id)
    access.load(budget.workspace_id, person, at_least=Role.ADMIN)
    budget_service.remove_budget(budget=budget, actor=person)
    db.session.commit()
    flash("The budget is deleted.", "success")
    return see_other(PAGE)
