"""How workspaces, members and invitations look on the wire."""

from __future__ import annotations

from typing import Any

from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Invitation
from tokenboard.workspaces.queries import Member


def workspace_answer(access: WorkspaceAccess) -> dict[str, Any]:
    """A workspace as its member sees it. There is no wallet yet, so the balance is nought."""
    workspace = access.workspace
    return {
        "id": workspace.id,
        "name": workspace.name,
        "role": str(access.role),
        "isPersonal": workspace.is_personal,
        "isDemo": workspace.is_demo,
        "balance": 0,
        "balanceMicros": 0,
        "createdAt": workspace.created_at,
    }


def member_answer(member: Member) -> dict[str, Any]:
    """A member; the id is the person's."""
    return {
        "id": member.person_id,
        "email": member.email,
        "displayName": member.name,
        "role": member.role,
        "monthlyCapCents": member.monthly_cap_cents,
        "createdAt": member.created_at,
    }


def invitation_answer(invitation: Invitation) -> dict[str, Any]:
    """An open invitation, without its link: that goes to the invited address only."""
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "monthlyCapCents": invitation.monthly_cap_cents,
        "createdAt": invitation.created_at,
        "expiresAt": invitation.expires_at,
    }
