"""What is done to a whole conversation: rename, pin, delete.

Deleting erases at once what was written in it, titles included; rows stay with their tokens and credits, because the
ledger and the usage records name them. An answer that is being written then is stopped, and its end writes no text.
"""

from __future__ import annotations

from sqlalchemy import select, update

from tokenboard.chat import queries, service
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.metering import text_service

ERASED = ""


def rename(*, conversation: Conversation, title: str) -> Conversation:
    """Another title. The conversation keeps its place in the list."""
    conversation.title = title
    db.session.flush()
    return conversation


def pin(*, conversation: Conversation, is_pinned: bool) -> Conversation:
    """Keep it at the top of the list, or no longer."""
    conversation.is_pinned = is_pinned
    db.session.flush()
    return conversation


def delete_all(*, person_id: str) -> list[str]:
    """Erase every conversation of somebody; answers with the ids of answers that were being written."""
    theirs = select(Conversation).where(Conversation.person_id == person_id, Conversation.deleted_at.is_(None))
    found = list(db.session.scalars(theirs.order_by(Conversation.id)))
    return [running for one in found if (running := delete(conversation=one))]


def delete(*, conversation: Conversation) -> str | None:
    """Erase it; answers with the id of an answer that was being written, to be stopped after the commit. Idempotent."""
    running = queries.streaming(conversation.id)
    if running:
        service.stop(answer=running)  # before the conversation's lock: the order in which an ending takes both
    queries.lock_finished(conversation.id)
    locked = queries.lock_conversation(conversation.id)
    assert locked is not None, "rows of conversations are never taken away"
    locked.title, locked.deleted_at = ERASED, locked.deleted_at or now()
    db.session.flush()
    mine = Message.conversation_id == conversation.id
    db.session.execute(update(Message).where(mine).values(content=ERASED, request_key=None))
    text_service.erase_text(call_ids=list(db.session.scalars(select(Message.id).where(mine))))
    return running.id if running else None
