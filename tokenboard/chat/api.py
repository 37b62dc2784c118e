"""JSON doors of the chat: send a message and hear the answer, stop it, hear it again; conversations, messages."""

from __future__ import annotations

from flask import Blueprint, Response, request, stream_with_context

from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.chat import (
    access as chat_access,
    answers,
    asking,
    conversation_service,
    model_choice,
    queries,
    rules,
    service,
    shapes,
    streaming,
)
from tokenboard.chat.access import OwnMessage
from tokenboard.chat.forms import ChatBody, ConversationBody, ConversationsQuery, MessagesQuery
from tokenboard.chat.models import Conversation, Message, Role, Status
from tokenboard.chat.service import Wish
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.metering import queries as metering_queries
from tokenboard.wallet.forms import key_of
from tokenboard.web import sse
from tokenboard.web.api import Answer, operation
from tokenboard.web.shapes import Cursor
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role as Member

blueprint = Blueprint("chat_api", __name__)

_TAG = "Chat"


@blueprint.post("/api/chat")
@asking.looks_first
@operation(
    "Send a message and hear the answer as server-sent events",
    body=ChatBody,
    tag=_TAG,
    media="text/event-stream",
    errors=(402, 404, 409, 502, 504),
    headers=("Idempotency-Key",),
)
def chat(body: ChatBody) -> Answer:
    person = current_person()
    wish = _wish(person, body)
    asked = asking.begin(wish, lambda: service.ask(wish=wish))
    answer = _stream(asked.conversation, asked.answer, 0, wish.workspace.ledger_account_id)
    if asked.call is None:
        answer.headers["Idempotent-Replayed"] = "true"
    return answer


def _wish(person: Person, body: ChatBody) -> Wish:
    own = chat_access.load(body.conversation_id, person) if body.conversation_id else None
    found = own.workspace if own else access.load(body.workspace_id, person, at_least=Member.MEMBER)
    if own and body.workspace_id and own.conversation.workspace_id != body.workspace_id.lower():
        raise NotFound  # the conversation is in another workspace than the one that was named
    key = key_of(body.idempotency_key, request.headers)
    usual = own.conversation.model if own else None
    return Wish(
        person=person,
        workspace=found.workspace,
        text=body.message,
        model=model_choice.required(person.id, body.model, usual),
        conversation=own.conversation if own else None,
        max_output_tokens=body.max_output_tokens,
        request_key=rules.request_key(workspace_id=found.workspace.id, person_id=person.id, key=key) if key else None,
        request_hash=rules.request_hash(
            message=body.message,
            conversation_id=body.conversation_id,
            model=body.model,
            max_tokens=body.max_output_tokens,
        ),
    )


def _stream(conversation: Conversation, message: Message, from_char: int, wallet_id: str) -> Response:
    """The connection to the database is given back before the first byte."""
    db.session.close()
    events = streaming.json_events(conversation, message, from_char, wallet_id)
    return sse.response(stream_with_context(events))


@blueprint.post("/api/chat/<id:message_id>/stop")
@operation("End an answer: what there is of it is kept and charged", status=202, tag=_TAG, answer=shapes.Stopping)
def stop(message_id: str) -> Answer:
    own = chat_access.load_message(message_id, current_person())
    is_running = service.stop(answer=own.message)
    db.session.commit()
    if is_running:
        asking.stop(message_id)
    return {"messageId": message_id, "status": "stopping" if is_running else own.message.status}


@blueprint.get("/api/chat/<id:message_id>/events")
@operation(
    "Hear an answer again, from the Last-Event-ID on", tag=_TAG, media="text/event-stream", headers=("Last-Event-ID",)
)
def events(message_id: str) -> Answer:
    own = chat_access.load_message(message_id, current_person())
    wallet_id = own.workspace.workspace.ledger_account_id
    return _stream(own.conversation, _answer_of(own), sse.last_event_id(), wallet_id)


def _answer_of(own: OwnMessage) -> Message:
    if own.message.role != Role.ASSISTANT:
        raise NotFound
    return own.message


@blueprint.get("/api/conversations")
@operation(
    "Your conversations, last used first",
    query=ConversationsQuery,
    tag=_TAG,
    answer={"conversations": list[shapes.Conversation], "next_cursor": Cursor},
)
def conversations(query: ConversationsQuery) -> Answer:
    person = current_person()
    workspace = access.load(query.workspace_id, person, at_least=Member.MEMBER).workspace
    found = queries.conversations(
        person_id=person.id, workspace_id=workspace.id, search=query.q, cursor=query.cursor, limit=query.limit
    )
    listed = [answers.conversation_answer(one) for one in found.conversations]
    return {"conversations": listed, "nextCursor": found.next_cursor}


@blueprint.get("/api/conversations/<id:conversation_id>/messages")
@operation(
    "What was said, oldest first",
    query=MessagesQuery,
    tag=_TAG,
    answer={"messages": list[shapes.Message], "next_cursor": Cursor},
)
def messages(conversation_id: str, query: MessagesQuery) -> Answer:
    own = chat_access.load(conversation_id, current_person())
    read = queries.messages(own.conversation.id, cursor=query.cursor, limit=query.limit)
    told = [
        answers.message_answer(one, metering_queries.recorded_text(one.id) if one.status == Status.STREAMING else None)
        for one in read.messages
    ]
    return {"messages": told, "nextCursor": read.next_cursor}


@blueprint.patch("/api/conversations/<id:conversation_id>")
@operation(
    "Rename or pin a conversation", body=ConversationBody, tag=_TAG, answer={"conversation": shapes.Conversation}
)
def change(conversation_id: str, body: ConversationBody) -> Answer:
    conversation = chat_access.load(conversation_id, current_person()).conversation
    if body.title is not None:
        conversation_service.rename(conversation=conversation, title=body.title)
    if body.is_pinned is not None:
        conversation_service.pin(conversation=conversation, is_pinned=body.is_pinned)
    db.session.commit()
    return {"conversation": answers.conversation_answer(conversation)}


@blueprint.delete("/api/conversations/<id:conversation_id>")
@operation("Delete a conversation: what was written in it is erased at once", status=204, tag=_TAG)
def delete(conversation_id: str) -> Answer:
    conversation = chat_access.load(conversation_id, current_person()).conversation
    running_id = conversation_service.delete(conversation=conversation)
    db.session.commit()
    if running_id:
        asking.stop(running_id)
    return {}, 204
