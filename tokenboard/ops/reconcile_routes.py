"""The control room's comparisons with the providers: the latest report, *Look now*, *Heal N*."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.billing import reconcile_queries, reconcile_runs
from tokenboard.billing.reconcile_models import RunState
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict, TokenBoardError, ValidationFailed
from tokenboard.core.parsing import parse_id
from tokenboard.ops import control_room, reconcile_page
from tokenboard.web.forms import faults_of, fields, one_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter

blueprint = Blueprint("admin_reconcile", __name__, url_prefix="/admin/reconcile")

LOOKS = "12/minute"  # each asks both providers for pages
PAGE = reconcile_page.PATH

control_room.furnish(blueprint)


@blueprint.get("")
def reconcile() -> Response:
    return _page()


def _page(refusal: TokenBoardError | None = None) -> Response:
    faults = faults_of(refusal) if refusal else {}
    return page(
        "ops/reconcile.html",
        fragments=("reconcile",),
        status=refusal.status if refusal else 200,
        view=reconcile_page.build(),
        faults=[fault for found in faults.values() for fault in found],
    )


@blueprint.post("/look")
@limiter.limit(LOOKS)
def look() -> Response | BaseResponse:
    """Changes nothing but the report. The queue carries it out; without one, the sweeper."""
    try:
        days = int(fields(request.form, days=one_of(*(str(one) for one in reconcile_page.DAYS)))["days"])
    except ValidationFailed as refusal:
        return _page(refusal)
    _ask(days=days, is_healing=False, heals_run_id=None)
    return see_other(PAGE)


@blueprint.post("/heal")
@limiter.limit(LOOKS)
def heal() -> Response | BaseResponse:
    """Mend what a report showed, and no more."""
    try:
        shown = reconcile_queries.run(fields(request.form, run_id=parse_id)["run_id"])
        if shown is None or shown.state != RunState.DONE:
            raise Conflict("This report is gone. Look again.")
    except TokenBoardError as refusal:
        return _page(refusal)
    _ask(days=shown.days, is_healing=True, heals_run_id=shown.id)
    return see_other(PAGE)


def _ask(*, days: int, is_healing: bool, heals_run_id: str | None) -> None:
    actor = current_person().id
    run, is_new = reconcile_runs.ask(actor=actor, days=days, is_healing=is_healing, heals_run_id=heals_run_id)
    if is_new:
        reconcile_runs.carry_out_task.ring(run.id)
    else:
        flash("A look is under way already; its report comes first.", "info")
    db.session.commit()
