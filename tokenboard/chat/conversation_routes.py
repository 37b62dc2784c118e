"""What is done to a whole conversation from its page: rename, pin, delete, export. And an answer's receipt."""

from __future__ import annotations

import re

from flask import Blueprint, Response, flash, json, request
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as BaseResponse

from tokenboard.accounts.guards import current_person
from tokenboard.chat import (
    access as chat_access,
    answers,
    asking,
    conversation_service,
    page as chat_page,
    queries,
    receipt_page,
)
from tokenboard.chat.forms import clean_title
from tokenboard.core.db import db
from tokenboard.web.forms import fields
from tokenboard.web.fragments import is_fragment_request, page, see_other

blueprint = Blueprint("chat_conversations", __name__)

_PAGE = chat_page.PATH


@blueprint.post(f"{_PAGE}/<id:conversation_id>/title")
def rename(conversation_id: str) -> Response | BaseResponse:
    person = current_person()
    own = chat_access.load(conversation_id, person)
    title = fields(request.form, title=clean_title)["title"]
    conversation_service.rename(conversation=own.conversation, title=title)
    db.session.commit()
    if not is_fragment_request():
        return see_other(f"{_PAGE}/{conversation_id}")
    listed = chat_page.sidebar(person, own.workspace.workspace, search="", cursor=None)
    return Response(render_block("chat/chat.html", "conversations", sidebar=listed, current=own.conversation))


@blueprint.post(f"{_PAGE}/<id:conversation_id>/pin")
def pin(conversation_id: str) -> BaseResponse:
    own = chat_access.load(conversation_id, current_person())
    conversation_service.pin(conversation=own.conversation, is_pinned=request.form.get("is_pinned") == "1")
    db.session.commit()
    return see_other(f"{_PAGE}/{conversation_id}")


@blueprint.post(f"{_PAGE}/<id:conversation_id>/delete")
def delete(conversation_id: str) -> BaseResponse:
    own = chat_access.load(conversation_id, current_person())
    running_id = conversation_service.delete(conversation=own.conversation)
    db.session.commit()
    if running_id:
        asking.stop(running_id)
    flash("The conversation is erased.", "success")
    return see_other(_PAGE)


@blueprint.get(f"{_PAGE}/<id:conversation_id>/export.md")
def export_markdown(conversation_id: str) -> Response:
    conversation = chat_access.load(conversation_id, current_person()).conversation
    text = answers.markdown_export(conversation, queries.everything(conversation.id))
    return _file(text, f"{_file_name(conversation.title)}.md", "text/markdown")


@blueprint.get(f"{_PAGE}/<id:conversation_id>/export.json")
def export_json(conversation_id: str) -> Response:
    conversation = chat_access.load(conversation_id, current_person()).conversation
    told = answers.export_answer(conversation, queries.everything(conversation.id))
    return _file(
        json.dumps(told, indent=2, ensure_ascii=False), f"{_file_name(conversation.title)}.json", "application/json"
    )


@blueprint.get(f"{_PAGE}/messages/<id:message_id>/receipt")
def receipt(message_id: str) -> Response:
    own = chat_access.load_message(message_id, current_person())
    built = receipt_page.build(own)
    if is_fragment_request():
        return Response(render_block("chat/receipt.html", "receipt_body", receipt=built))
    return page("chat/receipt.html", receipt=built, conversation_id=own.conversation.id)


def _file_name(title: str) -> str:
    """Of the title what every system's files may be called."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "conversation"


def _file(text: str, name: str, mimetype: str) -> Response:
    answer = Response(text, mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
