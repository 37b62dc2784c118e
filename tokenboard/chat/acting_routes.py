"""What is done in a conversation from its page: send, ask again, edit, stop. After each the room is drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.accounts.models import Person
from tokenboard.chat import access as chat_access, asking, model_choice, page as chat_page, rules, service, showing
from tokenboard.chat.access import OwnMessage
from tokenboard.chat.forms import SHORT_ANSWER_TOKENS, clean_message
from tokenboard.chat.message_view import CONTINUE
from tokenboard.chat.models import Conversation
from tokenboard.chat.page import Draft
from tokenboard.chat.service import Asked, Wish
from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError
from tokenboard.wallet.rules import read_key
from tokenboard.web.forms import fields
from tokenboard.web.fragments import is_fragment_request, see_other
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role, Workspace

blueprint = Blueprint("chat_acts", __name__)

PAGE = chat_page.PATH


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody writes: a conversation, or none yet."""

    person: Person
    workspace: Workspace
    conversation: Conversation | None


@blueprint.post(PAGE)
@asking.looks_first
def begin() -> Response | BaseResponse:
    person = current_person()
    found = access.load(request.form.get("workspace_id"), person, at_least=Role.MEMBER)
    return _sent(Place(person, found.workspace, None))


@blueprint.post(f"{PAGE}/<id:conversation_id>")
@asking.looks_first
def send(conversation_id: str) -> Response | BaseResponse:
    person = current_person()
    own = chat_access.load(conversation_id, person)
    return _sent(Place(person, own.workspace.workspace, own.conversation))


def _sent(place: Place) -> Response | BaseResponse:
    is_continued = bool(request.form.get("continue")) and place.conversation is not None
    given = {"message": CONTINUE} if is_continued else request.form
    return _answered(place, lambda: _typed(given), lambda wish: service.ask(wish=wish))


@blueprint.post(f"{PAGE}/messages/<id:message_id>/regenerate")
@asking.looks_first
def regenerate(message_id: str) -> Response | BaseResponse:
    own = chat_access.load_message(message_id, current_person())
    answer, text = own.message, own.message.content
    return _answered(_place(own), lambda: text, lambda wish: service.regenerate(wish=wish, answer=answer))


@blueprint.post(f"{PAGE}/messages/<id:message_id>/edit")
@asking.looks_first
def edit(message_id: str) -> Response | BaseResponse:
    own = chat_access.load_message(message_id, current_person())
    message = own.message
    return _answered(_place(own), lambda: _typed(request.form), lambda wish: service.edit(wish=wish, message=message))


def _place(own: OwnMessage) -> Place:
    return Place(current_person(), own.workspace.workspace, own.conversation)


def _typed(given: Mapping[str, str]) -> str:
    text: str = fields(given, message=clean_message)["message"]
    return text


def _answered(place: Place, text: Callable[[], str], act: Callable[[Wish], Asked]) -> Response | BaseResponse:
    """The room with the answer begun; or with the refusal and what was typed. Who may not at all was refused before."""
    try:
        wish = _wish(place, text())
        asked = asking.begin(wish, lambda: act(wish))
    except TokenBoardError as refusal:
        db.session.rollback()
        return showing.show(place.person, place.workspace, place.conversation, showing.typed_draft(), refusal)
    path = f"{PAGE}/{asked.conversation.id}"
    if not is_fragment_request():
        return see_other(path)
    answer = showing.show(place.person, place.workspace, asked.conversation, Draft())
    answer.headers["HX-Push-Url"] = path
    block = showing.list_out_of_band(place.person, place.workspace, asked.conversation)
    answer.set_data(answer.get_data(as_text=True) + block)
    return answer


def _wish(place: Place, text: str) -> Wish:
    draft = showing.typed_draft()
    key = fields(request.form, key=_key)["key"]
    conversation, person, workspace = place.conversation, place.person, place.workspace
    most = SHORT_ANSWER_TOKENS if draft.is_short else None
    asked_for = conversation.id if conversation else None
    return Wish(
        person=person,
        workspace=workspace,
        text=text,
        model=model_choice.required(person.id, draft.model, conversation.model if conversation else None),
        conversation=conversation,
        max_output_tokens=most,
        request_key=rules.request_key(workspace_id=workspace.id, person_id=person.id, key=key) if key else None,
        request_hash=rules.request_hash(message=text, conversation_id=asked_for, model=draft.model, max_tokens=most),
    )


def _key(text: str) -> str:
    """The key that the form was drawn with; forms without one are sent as often as they are sent."""
    return read_key(f"page:{text}") if text else ""


@blueprint.post(f"{PAGE}/messages/<id:message_id>/stop")
def stop(message_id: str) -> BaseResponse:
    own = chat_access.load_message(message_id, current_person())
    is_running = service.stop(answer=own.message)
    db.session.commit()
    if is_running:
        asking.stop(message_id)
    if is_fragment_request():
        return Response(status=204)  # the stream itself shows how it ended
    return see_other(f"{PAGE}/{own.conversation.id}")
