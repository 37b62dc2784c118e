"""What the chat's pages and calls read: lists of conversations, their messages, what is sent to a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from tokenboard.chat import rules
from tokenboard.chat.models import Conversation, Message, Role, Status
from tokenboard.core.clock import midnight, today
from tokenboard.core.db import db, is_postgresql
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import parse_id

MOST_LISTED, USUALLY_LISTED = 200, 50
MOST_PINNED = 50
MOST_SEARCHED = 2_000  # of a person's conversations, newest first: a search looks no further back
MOST_EXPORTED = 5_000  # messages
_CURSOR = re.compile(r"(\d{1,19})\.([0-9a-f-]{36})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of conversations, newest first."""

    conversations: tuple[Conversation, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Read:
    """One page of messages, in their order."""

    messages: tuple[Message, ...]
    next_cursor: str | None


def conversations(
    *,
    person_id: str,
    workspace_id: str | None,
    search: str = "",
    cursor: str | None = None,
    limit: int = USUALLY_LISTED,
    is_pinned: bool | None = None,
) -> Listed:
    """A person's conversations, last used first; of every workspace when none is named. Raises: ValidationFailed."""
    asked = _of(person_id, workspace_id)
    if is_pinned is not None:
        asked = asked.where(Conversation.is_pinned == is_pinned)
    if search.strip():
        asked = asked.where(_mentions(rules.like_pattern(search), person_id, workspace_id))
    if cursor:
        at, last_id = _read_cursor(cursor)
        same_instant = and_(Conversation.updated_at == at, Conversation.id < last_id)
        asked = asked.where(or_(Conversation.updated_at < at, same_instant))
    newest = asked.order_by(Conversation.updated_at.desc(), Conversation.id.desc()).limit(limit + 1)
    found = list(db.session.scalars(newest))
    following = _cursor(found[limit - 1]) if len(found) > limit else None
    return Listed(tuple(found[:limit]), following)


def _of(person_id: str, workspace_id: str | None) -> Select[Conversation]:
    asked = select(Conversation).where(Conversation.person_id == person_id, Conversation.deleted_at.is_(None))
    return asked.where(Conversation.workspace_id == workspace_id) if workspace_id else asked


def _mentions(pattern: str, person_id: str, workspace_id: str | None) -> ColumnElement[bool]:
    """In its title, or in a message that was not replaced; among the newest of the person's conversations."""
    newest = _of(person_id, workspace_id).order_by(Conversation.updated_at.desc()).limit(MOST_SEARCHED)
    within = select(newest.subquery().c.id)
    said = select(Message.conversation_id).where(
        Message.conversation_id.in_(within),
        Message.replaced_at.is_(None),
        func.lower(Message.content).like(pattern, escape="\\"),
    )
    return or_(func.lower(Conversation.title).like(pattern, escape="\\"), Conversation.id.in_(said))


def _cursor(last: Conversation) -> str:
    """Where the next page begins: the last one's instant, to the microsecond, and its id."""
    return f"{(last.updated_at - _EPOCH) // _MICROSECOND}.{last.id}"


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    found = _CURSOR.fullmatch(cursor)
    try:
        if not found:
            raise ValueError(cursor)
        return _EPOCH + int(found[1]) * _MICROSECOND, parse_id(found[2])
    except (ValueError, OverflowError) as error:
        raise ValidationFailed({"cursor": ["Take the cursor from `nextCursor` of the page before."]}) from error


def last_model(person_id: str) -> str | None:
    """The model this person chose last."""
    newest = _of(person_id, None).order_by(Conversation.updated_at.desc(), Conversation.id.desc()).limit(1)
    found = db.session.scalar(newest)
    return found.model if found else None


def messages(conversation_id: str, *, cursor: str | None = None, limit: int = USUALLY_LISTED) -> Read:
    """From the first one on; replaced ones are left out. Raises: ValidationFailed."""
    asked = _current(conversation_id)
    if cursor:
        if not re.fullmatch(r"[0-9]{1,9}", cursor):
            raise ValidationFailed({"cursor": ["Take the cursor from `nextCursor` of the page before."]})
        asked = asked.where(Message.position > int(cursor))
    found = list(db.session.scalars(asked.order_by(Message.position).limit(limit + 1)))
    following = str(found[limit - 1].position) if len(found) > limit else None
    return Read(tuple(found[:limit]), following)


def latest(conversation_id: str, *, before: int | None, limit: int) -> Read:
    """The last messages, oldest first, with the position the next page of earlier ones ends before."""
    asked = _current(conversation_id)
    if before is not None:
        asked = asked.where(Message.position < before)
    found = list(db.session.scalars(asked.order_by(Message.position.desc()).limit(limit + 1)))
    earlier = str(found[limit - 1].position) if len(found) > limit else None
    return Read(tuple(reversed(found[:limit])), earlier)


def everything(conversation_id: str) -> tuple[Message, ...]:
    """All messages for an export, replaced ones included."""
    asked = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.position)
    return tuple(db.session.scalars(asked.limit(MOST_EXPORTED)))


def _current(conversation_id: str) -> Select[Message]:
    return select(Message).where(Message.conversation_id == conversation_id, Message.replaced_at.is_(None))


def history(conversation_id: str) -> list[dict[str, str]]:
    """What was said, oldest first, as a model is told it: nothing replaced, nothing empty, nothing unfinished."""
    newest = (
        _current(conversation_id)
        .where(Message.status != Status.STREAMING, Message.content != "")
        .order_by(Message.position.desc())
        .limit(rules.MOST_SENT)
    )
    return [{"role": one.role, "content": one.content} for one in reversed(list(db.session.scalars(newest)))]


def last_position(conversation_id: str) -> int:
    """The place of the last message, replaced ones included; 0 in an empty conversation."""
    return db.session.scalar(select(func.max(Message.position)).where(Message.conversation_id == conversation_id)) or 0


def streaming(conversation_id: str) -> Message | None:
    """The answer that is being written."""
    asked = select(Message).where(Message.conversation_id == conversation_id, Message.status == Status.STREAMING)
    return db.session.scalar(asked)


def by_request_key(key: str) -> Message | None:
    """The answer that was asked for with a key."""
    return db.session.scalar(select(Message).where(Message.request_key == key))


def question_before(answer: Message) -> Message | None:
    """The person's message that an answer answers."""
    asked = select(Message).where(
        Message.conversation_id == answer.conversation_id,
        Message.position < answer.position,
        Message.role == Role.USER,
        Message.replaced_at.is_(None),
    )
    return db.session.scalar(asked.order_by(Message.position.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class Shelf:
    """A heading of the sidebar and what stands under it."""

    title: str
    conversations: tuple[Conversation, ...]


def shelves(pinned: Sequence[Conversation], rest: Sequence[Conversation]) -> tuple[Shelf, ...]:
    """Pinned, Today, Earlier; those without any are left out."""
    morning = midnight(today())
    groups = (
        Shelf("Pinned", tuple(pinned)),
        Shelf("Today", tuple(one for one in rest if one.updated_at >= morning)),
        Shelf("Earlier", tuple(one for one in rest if one.updated_at < morning)),
    )
    return tuple(shelf for shelf in groups if shelf.conversations)


def lock_finished(conversation_id: str) -> None:
    """Its messages, but for one that is being written, held until the commit: taken before the conversation's row.

    Editing and asking again change messages first and the conversation last; an ending takes the conversation, then the
    one message it fills. Whoever wants all of them takes the first ones so, or two of them wait for each other.
    """
    finished = (Message.conversation_id == conversation_id, Message.status != Status.STREAMING)
    if is_postgresql():
        db.session.execute(
            select(Message.id).where(*finished).order_by(Message.position).with_for_update(key_share=True)
        )


def lock_conversation(conversation_id: str) -> Conversation | None:
    """The row, held until the commit, so that a deletion and an answer's end come one after the other.

    FOR NO KEY UPDATE: a new message's foreign key must not wait for it.
    """
    asked = select(Conversation).where(Conversation.id == conversation_id)
    locked = asked.with_for_update(key_share=True) if is_postgresql() else asked
    return db.session.scalar(locked.execution_options(populate_existing=True))
