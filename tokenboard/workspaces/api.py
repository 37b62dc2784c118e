"""JSON doors of workspaces: list and make them, members, invitations."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts.entrance import limit_invitations
from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.core.db import db
from tokenboard.web.api import Answer, operation
from tokenboard.web.shapes import Cursor
from tokenboard.workspaces import access, invitations, queries, service, shapes
from tokenboard.workspaces.answers import invitation_answer, member_answer, workspace_answer, workspace_answers
from tokenboard.workspaces.forms import AcceptBody, InvitationBody, MemberBody, TransferBody, WorkspaceBody
from tokenboard.workspaces.models import Role, Workspace
from tokenboard.workspaces.service import MonthlyCap

blueprint = Blueprint("workspaces_api", __name__)


@blueprint.get("/api/workspaces")
@operation("My workspaces", tag="Workspaces", answer={"workspaces": list[shapes.Workspace], "next_cursor": Cursor})
def workspaces() -> Answer:
    return {"workspaces": workspace_answers(access.all_of(current_person())), "nextCursor": None}


@blueprint.post("/api/workspaces")
@operation(
    "Make a workspace",
    body=WorkspaceBody,
    status=201,
    tag="Workspaces",
    answer={"workspace": shapes.Workspace},
    errors=(409,),
)
def create_workspace(body: WorkspaceBody) -> Answer:
    person = current_person()
    workspace = service.create(owner=person, name=body.name)
    db.session.commit()
    return {"workspace": workspace_answer(access.load(workspace.id, person))}


@blueprint.patch("/api/workspaces/<id:workspace_id>")
@operation("Rename a workspace", body=WorkspaceBody, tag="Workspaces", answer={"workspace": shapes.Workspace})
def rename_workspace(workspace_id: str, body: WorkspaceBody) -> Answer:
    person = current_person()
    found = access.load(workspace_id, person, at_least=Role.ADMIN)
    service.rename(workspace=found.workspace, name=body.name, actor=person)
    db.session.commit()
    return {"workspace": workspace_answer(found)}


@blueprint.get("/api/workspaces/<id:workspace_id>/members")
@operation(
    "Members; for admins also open invitations",
    tag="Workspaces",
    answer={"members": list[shapes.Member], "invitations": list[shapes.Invitation], "next_cursor": Cursor},
)
def members(workspace_id: str) -> Answer:
    found = access.load(workspace_id, current_person())
    invited = queries.open_invitations(workspace_id) if found.allows(Role.ADMIN) else []
    return {
        "members": [member_answer(one) for one in queries.members(workspace_id)],
        "invitations": [invitation_answer(one) for one in invited],
        "nextCursor": None,
    }


@blueprint.post("/api/workspaces/<id:workspace_id>/members")
@blueprint.post("/api/workspaces/<id:workspace_id>/invitations", endpoint="create_invitation")
@limit_invitations
@operation(
    "Invite somebody by e-mail",
    body=InvitationBody,
    status=201,
    tag="Workspaces",
    answer={"invitation": shapes.Invitation},
    errors=(409,),
)
def invite(workspace_id: str, body: InvitationBody) -> Answer:
    person = current_person()
    invitation = invitations.invite(
        workspace=_administered(workspace_id),
        inviter=person,
        email=body.email,
        role=Role(body.role),
        monthly_cap_cents=body.monthly_cap_cents,
    )
    db.session.commit()
    return {"invitation": invitation_answer(invitation)}


@blueprint.patch("/api/workspaces/<id:workspace_id>/members/<id:person_id>")
@operation(
    "Change a member's role or monthly cap",
    body=MemberBody,
    tag="Workspaces",
    answer={"member": shapes.Member},
    errors=(409,),
)
def change_member(workspace_id: str, person_id: str, body: MemberBody) -> Answer:
    person = current_person()
    service.change_member(
        access_of_actor=access.load(workspace_id, person, at_least=Role.ADMIN),
        actor=person,
        person_id=person_id,
        role=Role(body.role) if body.role else None,
        cap=MonthlyCap(body.monthly_cap_cents) if "monthly_cap_cents" in body.model_fields_set else None,
    )
    db.session.commit()
    changed = queries.member(workspace_id, person_id)
    assert changed is not None  # it was written a moment ago, in this transaction's view
    return {"member": member_answer(changed)}


@blueprint.delete("/api/workspaces/<id:workspace_id>/members/<id:person_id>")
@operation("Remove a member, or leave", status=204, tag="Workspaces", errors=(409,))
def remove_member(workspace_id: str, person_id: str) -> Answer:
    person = current_person()
    found = access.load(workspace_id, person)
    service.remove_member(access_of_actor=found, actor=person, person_id=person_id)
    db.session.commit()
    return {}


@blueprint.post("/api/workspaces/<id:workspace_id>/transfer")
@operation(
    "Hand a workspace over to a member",
    body=TransferBody,
    tag="Workspaces",
    answer={"workspace": shapes.Workspace},
    errors=(409,),
)
def transfer(workspace_id: str, body: TransferBody) -> Answer:
    person = current_person()
    found = access.load(workspace_id, person, at_least=Role.OWNER)
    require_recent_proof()
    service.transfer(access_of_actor=found, actor=person, person_id=body.person_id)
    db.session.commit()
    return {"workspace": workspace_answer(access.load(workspace_id, person))}


@blueprint.get("/api/workspaces/<id:workspace_id>/invitations")
@operation("Open invitations", tag="Workspaces", answer={"invitations": list[shapes.Invitation], "next_cursor": Cursor})
def open_invitations(workspace_id: str) -> Answer:
    _administered(workspace_id)
    return {
        "invitations": [invitation_answer(one) for one in queries.open_invitations(workspace_id)],
        "nextCursor": None,
    }


@blueprint.delete("/api/workspaces/<id:workspace_id>/invitations/<id:invitation_id>")
@operation("Withdraw an invitation", status=204, tag="Workspaces")
def withdraw_invitation(workspace_id: str, invitation_id: str) -> Answer:
    workspace = _administered(workspace_id)
    invitations.withdraw(workspace=workspace, invitation_id=invitation_id, actor=current_person())
    db.session.commit()
    return {}


@blueprint.post("/api/invitations/accept")
@operation(
    "Accept an invitation with the token of its link",
    body=AcceptBody,
    tag="Workspaces",
    answer={"workspace": shapes.Workspace},
    errors=(404, 409),
)
def accept_invitation(body: AcceptBody) -> Answer:
    person = current_person()
    workspace = invitations.accept(token=body.token, person=person)
    db.session.commit()
    return {"workspace": workspace_answer(access.load(workspace.id, person))}


def _administered(workspace_id: str) -> Workspace:
    """Raises: NotFound, Forbidden."""
    return access.load(workspace_id, current_person(), at_least=Role.ADMIN).workspace
