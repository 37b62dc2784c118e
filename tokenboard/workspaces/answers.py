"""How workspaces, members and invitations look on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenboard.core.money import credits_from_micros, json_number
from tokenboard.ledger.glance_queries import posted_micros
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Invitation
from tokenboard.workspaces.queries import Member


def workspace_answers(found: Sequence[WorkspaceAccess]) -> list[dict[str, Any]]:
    """Workspaces as their member sees them, with what their wallets have."""
    posted = posted_micros(one.workspace.ledger_account_id for one in found)
    return [_workspace_answer(one, posted[one.workspace.ledger_account_id]) for one in found]


def workspace_answer(access: WorkspaceAccess) -> dict[str, Any]:
    """One of them."""
    return workspace_answers([access])[0]


def _workspace_answer(access: WorkspaceAccess, balance_micros: int) -> dict[str, Any]:
    workspace = access.workspace
    return {
        "id": workspace.id,
        "name": workspace.name,
        "role": str(access.role),
        "isPersonal": workspace.is_personal,
        "isDemo": workspace.is_demo,
        "balance": json_number(credits_from_micros(balance_micros)),
        "balanceMicros": balance_micros,
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
