"""Invitations: an offer by e-mail to join a workspace.

Laws: the link goes to the invited address and only who signs in with that address can use it; it is single use, lasts
seven days and is kept as a hash; inviting the same address again sends nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token, token_hash
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.notices.letters import send_letter
from tokenboard.workspaces import queries, rules, service
from tokenboard.workspaces.errors import AnotherInvited, BelongsAlready, InvitationGone, TooMany
from tokenboard.workspaces.models import Invitation, Membership, Role, Workspace


@dataclass(frozen=True, slots=True)
class Offer:
    """What the holder of a link is shown."""

    workspace: Workspace
    role: str
    email: str
    inviter: str


def invite(
    *, workspace: Workspace, inviter: Person, email: str, role: Role, monthly_cap_cents: int | None = None
) -> Invitation:
    """Offer an address a role. Raises: BelongsAlready, TooMany.

    Idempotent: an open offer to the same address takes on the new role and sends nothing.
    """
    db.session.execute(select(Workspace.id).where(Workspace.id == workspace.id).with_for_update())  # one at a time
    _check_belongs_not(workspace.id, email)
    there = db.session.scalars(
        select(Invitation).where(Invitation.workspace_id == workspace.id, Invitation.email == email, *queries.is_open())
    ).first()
    if there is not None:
        there.role, there.monthly_cap_cents = role, monthly_cap_cents
        return there
    if queries.seats(workspace.id) >= rules.MOST_MEMBERS:
        raise TooMany(f"A workspace has at most {rules.MOST_MEMBERS} members and open invitations.")
    return _write(workspace, inviter, email, role, monthly_cap_cents)


def _check_belongs_not(workspace_id: str, email: str) -> None:
    belonging = (
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.workspace_id == workspace_id, Person.email == email)
    )
    if db.session.scalar(belonging) is not None:
        raise BelongsAlready


def _write(workspace: Workspace, inviter: Person, email: str, role: Role, cap_cents: int | None) -> Invitation:
    token = new_token()
    invitation = Invitation(
        workspace_id=workspace.id,
        email=email,
        role=role,
        monthly_cap_cents=cap_cents,
        token_hash=token_hash(token),
        invited_by_id=inviter.id,
        expires_at=now() + timedelta(days=rules.INVITATION_DAYS),
    )
    db.session.add(invitation)
    db.session.flush()
    _send(workspace, inviter, invitation, token)
    facts = {"role": str(role)}
    audit.record("workspaces.invited", actor=inviter.id, subject=invitation.id, workspace_id=workspace.id, facts=facts)
    return invitation


def _send(workspace: Workspace, inviter: Person, invitation: Invitation, token: str) -> None:
    send_letter(
        "invitation",
        kind="workspaces.invitation",
        address=invitation.email,
        subject=f"{inviter.name} invites you to {workspace.name}",
        idempotency_key=f"invitation:{invitation.id}",
        path="/invitations/",
        secret=token,
        workspace_id=workspace.id,
        facts={
            "inviter": inviter.name,
            "workspace": workspace.name,
            "role": invitation.role,
            "days": rules.INVITATION_DAYS,
        },
    )


def withdraw(*, workspace: Workspace, invitation_id: str, actor: Person) -> None:
    """Take an offer back. Idempotent. Raises: NotFound."""
    invitation = db.session.scalars(
        select(Invitation).where(Invitation.id == invitation_id, Invitation.workspace_id == workspace.id)
    ).one_or_none()
    if invitation is None or invitation.accepted_at is not None:
        raise NotFound
    if invitation.withdrawn_at is None:
        invitation.withdrawn_at = now()
        audit.record(
            "workspaces.invitation_withdrawn", actor=actor.id, subject=invitation.id, workspace_id=workspace.id
        )


def forget(*, email: str, put_instead: str) -> None:
    """Open offers to an address end, and it is taken out of all of them: its holder is gone."""
    mine = update(Invitation).where(Invitation.email == email)
    db.session.execute(mine.where(*queries.is_open()).values(withdrawn_at=now()))
    db.session.execute(mine.values(email=put_instead))


def offer(token: str) -> Offer:
    """What a link offers, to whoever holds it. Raises: InvitationGone."""
    row = db.session.execute(
        select(Invitation, Workspace, Person)
        .join(Workspace, Workspace.id == Invitation.workspace_id)
        .outerjoin(Person, Person.id == Invitation.invited_by_id)
        .where(Invitation.token_hash == token_hash(token), Workspace.archived_at.is_(None), *queries.is_open())
    ).one_or_none()
    if row is None:
        raise InvitationGone
    invitation, workspace, inviter = row
    return Offer(workspace, invitation.role, invitation.email, _name_of(inviter))


def _name_of(inviter: Person | None) -> str:
    return "Somebody" if inviter is None else inviter.name  # an account may be gone


def accept(*, token: str, person: Person) -> Workspace:
    """Join by a link. Raises: InvitationGone, AnotherInvited, TooMany.

    Idempotent: the person who accepted it may press the button again.
    """
    invitation = db.session.scalars(
        select(Invitation).where(Invitation.token_hash == token_hash(token)).with_for_update()
    ).one_or_none()
    workspace = db.session.get(Workspace, invitation.workspace_id) if invitation else None
    if invitation is None or workspace is None or workspace.archived_at is not None:
        raise InvitationGone
    if invitation.email != person.email:
        raise AnotherInvited
    if invitation.accepted_at is not None and service.membership(workspace.id, person.id) is not None:
        return workspace
    _use(invitation)
    cap = invitation.monthly_cap_cents
    service.join(workspace=workspace, person=person, role=Role(invitation.role), monthly_cap_cents=cap)
    return workspace


def _use(invitation: Invitation) -> None:
    """Of two at once one passes, also on SQLite, where nothing is locked row by row."""
    used = update(Invitation).where(Invitation.id == invitation.id, *queries.is_open()).values(accepted_at=now())
    if db.session.scalar(used.returning(Invitation.id)) is None:
        raise InvitationGone
