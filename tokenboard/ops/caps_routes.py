"""Many caps at once: a table is read, what it would change is shown, and only then set. /admin/users/caps."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.ops import caps_page, control_room, people_page, people_service
from tokenboard.ops.caps_rules import read_caps
from tokenboard.ops.people_forms import read_table
from tokenboard.ops.people_service import CapPlan
from tokenboard.web.filters import plural
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter

blueprint = Blueprint("admin_caps", __name__, url_prefix="/admin/users/caps")

ACTS = "30/minute"

control_room.furnish(blueprint)


@blueprint.get("")
def caps() -> Response:
    return _page("", None, ())


@blueprint.post("")
@limiter.limit(ACTS)
def preview() -> Response:
    """Changes nothing: what the table says beside what is set."""
    try:
        typed = _typed()
        return _page(typed, _plan(typed), ())
    except ValidationFailed as refusal:
        return _page(request.form.get("table", ""), None, refusal.fields["table"])


@blueprint.post("/apply")
@limiter.limit(ACTS)
def apply() -> Response | BaseResponse:
    """Sets what the preview showed; where something else would change by now, it is shown again first."""
    try:
        typed = _typed()
        plan = _plan(typed)
    except ValidationFailed as refusal:
        return _page(request.form.get("table", ""), None, refusal.fields["table"])
    if not plan.changes or request.form.get("seen") != caps_page.fingerprint_of(plan):
        return _page(typed, plan, (), has_moved=True)
    count = people_service.apply_caps(plan=plan, actor=current_person())
    db.session.commit()
    flash(f"{plural(count, 'cap')} set.", "success")
    return see_other(f"{people_page.PATH}?standing=capped")


def _typed() -> str:
    file = request.files.get("file")
    return read_table(request.form.get("table", ""), file.read() if file else b"")


def _plan(typed: str) -> CapPlan:
    """Raises: ValidationFailed."""
    table = read_caps(typed)
    if table.faults:
        raise ValidationFailed({"table": list(table.faults[: caps_page.MOST_FAULTS])})
    return people_service.plan_caps(table.lines)


def _page(typed: str, plan: CapPlan | None, faults: list[str] | tuple[()], *, has_moved: bool = False) -> Response:
    view = caps_page.build(plan, has_moved=has_moved)
    is_refused = bool(faults) or bool(plan and plan.unknown) or has_moved
    status = 422 if is_refused else 200
    return page("ops/caps.html", fragments=("caps",), status=status, view=view, table=typed, faults=faults)
