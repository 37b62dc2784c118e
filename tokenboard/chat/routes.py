"""Pages of the chat to look at: a new one, a conversation, the list, what a message would cost."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request
from jinja2_fragments.flask import render_block

from tokenboard.accounts.guards import current_person
from tokenboard.chat import access as chat_access, model_choice, page as chat_page, rules, showing
from tokenboard.chat.page import Draft
from tokenboard.web.fragments import wanted_fragment
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("chat", __name__)

PAGE = chat_page.PATH


@blueprint.get(PAGE)
def new_chat() -> Response:
    person = current_person()
    workspace = access.load(request.args.get("workspace_id"), person, at_least=Role.MEMBER).workspace
    if wanted_fragment(("conversations",)):
        answer = Response(showing.list_block(person, workspace, None))
        answer.vary.update(["HX-Request", "HX-Target"])
        return answer
    draft = Draft(request.args.get("draft", "")[: rules.LONGEST_MESSAGE], request.args.get("model"))
    return showing.show(person, workspace, None, draft)


@blueprint.get(f"{PAGE}/<id:conversation_id>")
def conversation(conversation_id: str) -> Response:
    person = current_person()
    own = chat_access.load(conversation_id, person)
    return showing.show(person, own.workspace.workspace, own.conversation, Draft(model=request.args.get("model")))


@blueprint.post(f"{PAGE}/estimate")
def estimate() -> Response:
    """What the typed message would cost; changes nothing, and is a POST because a message is longer than an address."""
    person = current_person()
    named = request.form.get("conversation_id")
    own = chat_access.load(named, person) if named else None
    found = own.workspace if own else access.load(request.form.get("workspace_id"), person, at_least=Role.MEMBER)
    draft, offered = showing.typed_draft(), model_choice.choices()
    model = model_choice.chosen(offered, [draft.model, own.conversation.model if own else None])
    draft = replace(draft, model=model.id if model else None)
    line = chat_page.estimate_line(person, found.workspace, own.conversation if own else None, draft, offered)
    return Response(render_block(showing.TEMPLATE, "estimate", line=line, is_short=draft.is_short))
