"""Deleting an account: what it takes with it, what stays, and what has to be settled first.

Laws: nobody else loses a workspace by it, no plan goes on renewing, and the site keeps an administrator; what opens
something is destroyed at once; what names the person is taken out; the ledger and the audit log stay, and point at a
row that names nobody. Source: reference/security.md 8, item 27.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select

from tokenboard.accounts import service as accounts
from tokenboard.accounts.models import Person
from tokenboard.billing import payment_queries, topup_service
from tokenboard.chat import conversation_service as conversations
from tokenboard.core.db import db
from tokenboard.core.errors import Conflict
from tokenboard.costs import connection_queries, service as costs
from tokenboard.keys import key_service as keys
from tokenboard.notices import service as notices
from tokenboard.notices.letters import send_letter
from tokenboard.wallet import queries as wallet
from tokenboard.workspaces import access, invitations, service as workspaces
from tokenboard.workspaces.models import AlertChannel, Membership, Role, Workspace

CLOSED_NAME = "Closed workspace"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What must be settled before the account can go, and where."""

    sentence: str
    href: str


class Unsettled(Conflict):
    """The account cannot go yet. `obstacles` says why."""

    code = "account_in_use"

    def __init__(self, obstacles: list[Obstacle]) -> None:
        super().__init__(" ".join(one.sentence for one in obstacles), obstacles=[one.sentence for one in obstacles])


def obstacles(person: Person) -> list[Obstacle]:
    """Everything that stands in the way, in words."""
    found = [one for workspace in _owned(person) for one in _of_workspace(workspace)]
    if person.is_admin and not _has_other_administrator(person):
        sentence = "You are the only administrator of this site. Make somebody else one first."
        found.append(Obstacle(sentence, "/admin"))
    return found


def _of_workspace(workspace: Workspace) -> list[Obstacle]:
    found = []
    others = (db.session.scalar(select(func.count()).where(Membership.workspace_id == workspace.id)) or 0) - 1
    if others and not workspace.is_demo:
        act = "Remove them" if workspace.is_personal else "Hand it over, or remove them,"
        people = "1 other member" if others == 1 else f"{others} other members"
        found.append(Obstacle(f"{workspace.name} has {people}. {act} first.", "/settings/workspace"))
    if payment_queries.live_subscription(workspace.id) is not None:
        found.append(Obstacle(f"The plan of {workspace.name} renews. Cancel it first.", "/subscription"))
    return found


def _has_other_administrator(person: Person) -> bool:
    others = select(Person.id).where(Person.is_admin.is_(True), Person.is_disabled.is_(False), Person.id != person.id)
    return db.session.scalar(others.limit(1)) is not None


def given_up_micros(person: Person) -> int:
    """The credits that go with the account: what its workspaces can still spend."""
    real = (workspace for workspace in _owned(person) if not workspace.is_demo)
    return sum(max(0, wallet.balance(workspace).available_micros) for workspace in real)


def delete_account(person: Person) -> list[str]:
    """Delete an account; answers with the ids of answers that were being written, to be stopped after the commit.

    Raises: Unsettled.
    """
    found = obstacles(person)
    if found:
        raise Unsettled(found)
    email = person.email
    for workspace in _owned(person):
        _close(workspace, person)
    for membership in db.session.scalars(select(Membership).where(Membership.person_id == person.id)):
        db.session.delete(membership)  # one by one: keys of leavers pause with it
    db.session.flush()
    running = conversations.delete_all(person_id=person.id)
    accounts.forget(person)
    invitations.forget(email=email, put_instead=person.email)
    notices.forget(email)
    _say_goodbye(email, person.id)
    access.forget()
    return running


def _close(workspace: Workspace, person: Person) -> None:
    """Keys are shredded and revoked, nothing is bought or told any more; history and ledger stay, under no name."""
    for connection in connection_queries.of_workspace(workspace.id):
        costs.remove(connection=connection, keeps_history=True, actor_id=person.id)
    keys.revoke_all(workspace_id=workspace.id, actor=person.id)
    topup_service.forget(workspace.id)
    db.session.execute(delete(AlertChannel).where(AlertChannel.workspace_id == workspace.id))
    workspaces.close(workspace=workspace, actor=person)
    workspace.name = CLOSED_NAME


def _owned(person: Person) -> list[Workspace]:
    return [one.workspace for one in access.all_of(person) if one.role == Role.OWNER]


def _say_goodbye(email: str, person_id: str) -> None:
    """The last message to the address; the outbox forgets it as it forgets every sent one."""
    send_letter(
        "goodbye",
        kind="accounts.goodbye",
        address=email,
        subject="Your account is deleted",
        idempotency_key=f"goodbye:{person_id}",
        facts={"email": email},
    )
