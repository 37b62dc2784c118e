"""Settings, Notifications: where alerts go. Members see it; owner and admins change it.

Every form names its workspace, as in routes.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts import mail_choices
from tokenboard.accounts.guards import current_person
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import Conflict, ValidationFailed
from tokenboard.core.parsing import parse_id
from tokenboard.core.settings import settings
from tokenboard.notices.models import Notice
from tokenboard.notices.queries import latest_by_address
from tokenboard.web.forms import faults_of, fields, line, one_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.limits import limiter
from tokenboard.workspaces import access, channels
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import AlertChannel, Role

blueprint = Blueprint("channels", __name__, url_prefix="/settings/notifications")

TESTS = "6/minute; 30/hour"  # test messages, for one address: they go to whoever was typed in
_KINDS = ("email", "webhook")


@dataclass(frozen=True, slots=True)
class Row:
    """One channel as the page shows it, with what became of the last message there."""

    channel: AlertChannel
    address: str
    last: Notice | None
    form_key: str


@blueprint.get("")
def notifications() -> Response:
    return _page(access.load(None, current_person()))


def _administered() -> WorkspaceAccess:
    """The workspace a form names. Raises: NotFound, Forbidden."""
    return access.load(request.form.get("workspace_id", ""), current_person(), at_least=Role.ADMIN)


@blueprint.post("")
def add() -> Response | BaseResponse:
    allowed = _administered()
    try:
        kind, secret = _added(allowed.workspace.id, current_person().id)
    except (ValidationFailed, Conflict) as refusal:
        db.session.rollback()
        return _page(allowed, status=refusal.status, errors=faults_of(refusal))
    db.session.commit()
    if kind == "email":
        flash("Alerts will be sent there. Send a test to be sure.", "success")
        return see_other("/settings/notifications")
    return _page(allowed, status=201, secret=secret)  # no redirect: the secret is shown this once


def _added(workspace_id: str, actor: str) -> tuple[str, str]:
    read = fields(request.form, kind=one_of(*_KINDS), address=line(500, 1))
    db.session.rollback()  # nothing was written; a slow name server must not hold the transaction
    if read["kind"] == "email":
        channels.add_email(workspace_id=workspace_id, address=read["address"], actor=actor)
        return "email", ""
    _, secret = channels.add_webhook(workspace_id=workspace_id, address=read["address"], actor=actor)
    return "webhook", secret


@blueprint.post("/<id:channel_id>/test")
@limiter.limit(TESTS)
def send_test(channel_id: str) -> BaseResponse:
    allowed = _administered()
    form_key = fields(request.form, form_key=parse_id)["form_key"]
    channels.send_test(channels.channel(allowed.workspace.id, channel_id), form_key=form_key)
    db.session.commit()
    flash("A test is on its way. What became of it shows here in a moment.", "success")
    return see_other("/settings/notifications")


@blueprint.post("/<id:channel_id>/remove")
def remove(channel_id: str) -> BaseResponse:
    allowed = _administered()
    found = channels.channel(allowed.workspace.id, channel_id)
    channels.remove(workspace_id=allowed.workspace.id, channel_id=found.id, actor=current_person().id)
    db.session.commit()
    flash("Removed. Alerts no longer go there.", "success")
    return see_other("/settings/notifications")


def _page(
    allowed: WorkspaceAccess, *, status: int = 200, errors: dict[str, list[str]] | None = None, secret: str = ""
) -> Response:
    may_change = allowed.allows(Role.ADMIN)
    last = latest_by_address(allowed.workspace.id)
    rows = [
        Row(one, one.address if may_change else one.public_address, last.get(one.address), new_id())
        for one in channels.channels(allowed.workspace.id)
    ]
    return page(
        "settings/notifications.html",
        fragments=("channels",),
        status=status,
        rows=rows,
        may_change=may_change,
        workspace=allowed.workspace,
        errors=errors or {},
        typed=request.form if errors else {},
        secret=secret,
        me=current_person(),
        mails=mail_choices.wanted(current_person()),
        form_key=new_id(),
        has_mail=bool(settings().smtp_url),
        is_production=settings().is_production,
    )
