"""Whose a conversation or message is. All access to one goes through here.

Laws: a conversation belongs to its author, in the workspace it was begun in; to everybody else, the workspace's owner
and the site's administrators included, it does not exist (404). Its author needs the member's role still: who became a
viewer is told so (403), who left the workspace finds nothing (404).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role


@dataclass(frozen=True, slots=True)
class Own:
    """A conversation of the caller's, and the workspace that pays for it."""

    conversation: Conversation
    workspace: WorkspaceAccess


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """A message in a conversation of the caller's."""

    message: Message
    conversation: Conversation
    workspace: WorkspaceAccess


def load(conversation_id: str, person: Person) -> Own:
    """Raises: NotFound, Forbidden."""
    wanted = or_none(parse_id, conversation_id)
    found = db.session.get(Conversation, wanted) if wanted else None
    return _own(found, person)


def load_message(message_id: str, person: Person) -> OwnMessage:
    """Raises: NotFound, Forbidden."""
    wanted = or_none(parse_id, message_id)
    row = db.session.execute(
        select(Message, Conversation)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id == wanted)
    ).one_or_none()
    own = _own(row[1] if row else None, person)
    assert row is not None, "_own refuses where there is none"
    return OwnMessage(row[0], own.conversation, own.workspace)


def _own(found: Conversation | None, person: Person) -> Own:
    if found is None or found.person_id != person.id or found.deleted_at is not None:
        raise NotFound
    return Own(found, access.load(found.workspace_id, person, at_least=Role.MEMBER))
