"""The keys page: the list, the form for a new key, and its secret, once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import TokenBoardError
from tokenboard.keys import key_forms, key_service, list_page, sync_queries, sync_service, sync_tasks
from tokenboard.keys.key_service import ClientKey, MadeKey
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import SYNC, limiter
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

blueprint = Blueprint("keys", __name__)

MADE = "60/hour"  # keys are made by people
PAGE = list_page.PATH
FRAGMENTS = ("key_list", "new_key", "snippets", "proxy_state")


@blueprint.get(PAGE)
def keys() -> Response:
    person = current_person()
    return list_answer(access.load(request.args.get("workspace_id"), person, at_least=Role.MEMBER), person)


def list_answer(
    found: WorkspaceAccess, person: Person, *, made: MadeKey | None = None, refusal: TokenBoardError | None = None
) -> Response:
    """The page, or the block of it that was asked for."""
    secret = (made.secret or "") if made else ""
    view = list_page.build(found, person, secret=secret, tag=request.values.get("tag", ""))
    given = request.form if refusal else key_forms.Typed()
    answer = page(
        "keys/keys.html",
        fragments=() if made else FRAGMENTS,
        status=refusal.status if refusal else 201 if secret else 200,
        view=view,
        workspace=found.workspace,
        made=made,
        secret=secret,
        is_open=refusal is not None or "new" in request.args or (view.is_empty and not made),
        use=_use(view),
        run=sync_queries.latest(found.workspace.id) if found.allows(Role.ADMIN) else None,
        may_manage=found.allows(Role.ADMIN),
        is_admin=person.is_admin,
        **_form(given, refusal),
    )
    if made:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _form(given: key_forms.Typed, refusal: TokenBoardError | None) -> dict[str, Any]:
    """What the form for a new key shows: sensible first, what was typed after a refusal."""
    usual = {"budget": "limited", "amount": "10.00", "window": "month", "lifetime": "90", "which": "all"}
    typed = key_forms.typed(given)
    return {
        "typed": typed if refusal else typed | usual,
        "chosen": given.getlist("model")[: list_page.MOST_MODELS_SHOWN],
        "form_key": new_id(),
        "faults": faults_of(refusal) if refusal else {},
        "lifetimes": key_forms.LIFETIMES,
        "windows": key_forms.WINDOWS,
    }


def _use(view: list_page.KeysPage) -> str:
    """Which tool's lines are shown."""
    wanted = request.args.get("use", "")
    known = [one.key for one in view.snippets]
    return wanted if wanted in known else known[0]


@blueprint.post(PAGE)
@limiter.limit(MADE)
def make() -> Response:
    """The answer is no redirect: the secret is shown this once."""
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.MEMBER)
    try:
        form = key_forms.read_new(request.form)
        made = key_service.create_key(
            workspace=found.workspace,
            person=person,
            name=form.name,
            limits=form.limits,
            tags=form.tags,
            client_key=ClientKey(form.form_key),
        )
    except TokenBoardError as refusal:
        db.session.rollback()
        return list_answer(found, person, refusal=refusal)
    db.session.commit()
    return list_answer(found, person, made=made)


@blueprint.post(f"{PAGE}/sync")
@limiter.limit(SYNC)
def sync() -> BaseResponse:
    """Tell LiteLLM everything anew, and compare."""
    person = current_person()
    workspace = access.load(request.form.get("workspace_id"), person, at_least=Role.ADMIN).workspace
    run = sync_service.request_sync(workspace_id=workspace.id, actor=person.id)
    sync_tasks.carry_out.ring(run.id)
    db.session.commit()
    flash("LiteLLM is told everything anew and then read back.", "info")
    return see_other(f"{PAGE}?workspace_id={workspace.id}")
