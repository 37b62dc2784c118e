"""Pages of workspaces: the members and invitations of one, making and choosing one, accepting an invitation.

Every form names its workspace, so that a tab left open acts on what it shows and not on what another tab has chosen.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.entrance import HOME, limit_invitations
from tokenboard.accounts.guards import current_person, person_or_none, require_recent_proof
from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError
from tokenboard.core.parsing import parse_email
from tokenboard.web.forms import faults_of, fields, one_of
from tokenboard.web.fragments import page, see_other
from tokenboard.web.paths import page_shown
from tokenboard.workspaces import access, invitations, queries, rules, service
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.forms import cap_cents, workspace_name
from tokenboard.workspaces.models import Role
from tokenboard.workspaces.service import MonthlyCap

blueprint = Blueprint("workspaces", __name__)

SETTINGS = "/settings/workspace"
_ROLES = (("viewer", "Viewer: reads"), ("member", "Member: uses"), ("admin", "Admin: manages"))
_FRAGMENTS = ("workspace_name", "members", "invitations", "new_workspace")


@blueprint.get(SETTINGS)
def show_settings() -> Response:
    return _settings_page(access.load(None, current_person()))


def _settings_page(
    found: WorkspaceAccess, *, block: str = "", refusal: TokenBoardError | None = None, status: int = 200
) -> Response:
    """The page; after a refusal its form says why and keeps what was typed."""
    is_admin = found.allows(Role.ADMIN)
    return page(
        "workspaces/settings.html",
        fragments=_FRAGMENTS,
        status=status,
        access=found,
        workspace=found.workspace,
        me=current_person(),
        is_admin=is_admin,
        members=queries.members(found.workspace.id),
        invited=queries.open_invitations(found.workspace.id) if is_admin else [],
        roles=_ROLES,
        days=rules.INVITATION_DAYS,
        block=block,
        faults=faults_of(refusal) if refusal else {},
        typed=request.form if refusal else {},
    )


def _found(at_least: Role = Role.VIEWER) -> WorkspaceAccess:
    """The workspace a form names. Raises: NotFound, Forbidden."""
    return access.load(request.form.get("workspace_id", ""), current_person(), at_least=at_least)


@blueprint.post(SETTINGS)
def rename() -> Response | BaseResponse:
    found = _found(Role.ADMIN)
    try:
        name = fields(request.form, name=workspace_name)["name"]
    except TokenBoardError as refusal:
        return _settings_page(found, block="workspace_name", refusal=refusal, status=refusal.status)
    service.rename(workspace=found.workspace, name=name, actor=current_person())
    db.session.commit()
    flash("The workspace has its new name.", "success")
    return see_other(SETTINGS)


@blueprint.post("/settings/workspace/members/<id:person_id>")
def change_member(person_id: str) -> Response | BaseResponse:
    found = _found(Role.ADMIN)
    try:
        read = fields(request.form, role=one_of(*rules.GRANTABLE), cap=cap_cents)
    except TokenBoardError as refusal:
        return _settings_page(found, block="members", refusal=refusal, status=refusal.status)
    role, cap = Role(read["role"]), MonthlyCap(read["cap"])
    service.change_member(access_of_actor=found, actor=current_person(), person_id=person_id, role=role, cap=cap)
    db.session.commit()
    flash("The member's role and cap are saved.", "success")
    return see_other(SETTINGS)


@blueprint.post("/settings/workspace/members/<id:person_id>/remove")
def remove_member(person_id: str) -> BaseResponse:
    found, me = _found(), current_person()
    service.remove_member(access_of_actor=found, actor=me, person_id=person_id)
    db.session.commit()
    has_left = person_id == me.id
    flash(f"You have left {found.workspace.name}." if has_left else "The member is removed.", "success")
    return see_other(HOME if has_left else SETTINGS)


@blueprint.post("/settings/workspace/members/<id:person_id>/make-owner")
def transfer(person_id: str) -> BaseResponse:
    found, me = _found(Role.OWNER), current_person()
    require_recent_proof()
    service.transfer(access_of_actor=found, actor=me, person_id=person_id)
    db.session.commit()
    flash(f"{found.workspace.name} is handed over. You are an admin of it now.", "success")
    return see_other(SETTINGS)


@blueprint.post("/settings/workspace/invitations")
@limit_invitations
def invite() -> Response | BaseResponse:
    found = _found(Role.ADMIN)
    try:
        read = fields(request.form, email=parse_email, role=one_of(*rules.GRANTABLE), cap=cap_cents)
        _invite(found, read)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _settings_page(found, block="invitations", refusal=refusal, status=refusal.status)
    db.session.commit()
    flash(f"The invitation to {read['email']} is on its way.", "success")
    return see_other(SETTINGS)


def _invite(found: WorkspaceAccess, read: dict[str, Any]) -> None:
    role = Role(read["role"])
    invitations.invite(
        workspace=found.workspace,
        inviter=current_person(),
        email=read["email"],
        role=role,
        monthly_cap_cents=read["cap"],
    )


@blueprint.post("/settings/workspace/invitations/<id:invitation_id>/withdraw")
def withdraw_invitation(invitation_id: str) -> BaseResponse:
    found = _found(Role.ADMIN)
    invitations.withdraw(workspace=found.workspace, invitation_id=invitation_id, actor=current_person())
    db.session.commit()
    flash("The invitation is withdrawn.", "success")
    return see_other(SETTINGS)


@blueprint.post("/workspaces")
def create() -> Response | BaseResponse:
    person = current_person()
    try:
        name = fields(request.form, name=workspace_name)["name"]
        workspace = service.create(owner=person, name=name)
    except TokenBoardError as refusal:
        db.session.rollback()
        return _settings_page(access.load(None, person), block="new_workspace", refusal=refusal, status=refusal.status)
    db.session.commit()
    access.choose(access.load(workspace.id, person))
    flash(f"{name} is ready, and chosen.", "success")
    return see_other(SETTINGS)


@blueprint.post("/workspaces/switch")
def switch() -> BaseResponse:
    access.choose(_found())
    before = page_shown(HOME)
    return see_other(before if before.startswith("/settings/") else HOME)


@blueprint.get("/invitations/<token>")
def show_invitation(token: str) -> Response:
    return page("workspaces/invitation.html", offer=invitations.offer(token), me=person_or_none(), path=request.path)


@blueprint.post("/invitations/<token>")
def accept_invitation(token: str) -> BaseResponse:
    person = current_person()
    workspace = invitations.accept(token=token, person=person)
    db.session.commit()
    access.choose(access.load(workspace.id, person))
    flash(f"Welcome to {workspace.name}.", "success")
    return see_other(HOME)
