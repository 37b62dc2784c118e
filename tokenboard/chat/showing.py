"""Draws the chat page, whole or the block that was asked for. Shared by its doors: looking, acting, refusing."""

from __future__ import annotations

from flask import Response, request
from jinja2_fragments.flask import render_block

from tokenboard.accounts.models import Person
from tokenboard.chat import page as chat_page, rules
from tokenboard.chat.models import Conversation
from tokenboard.chat.page import Draft
from tokenboard.core.errors import TokenBoardError
from tokenboard.web.fragments import page
from tokenboard.workspaces.models import Workspace

TEMPLATE = "chat/chat.html"


def show(
    person: Person,
    workspace: Workspace,
    conversation: Conversation | None,
    draft: Draft,
    refusal: TokenBoardError | None = None,
) -> Response:
    """The page, or its `chat_room`."""
    room = chat_page.room(person, workspace, conversation, draft=draft, before=_before(), refusal=refusal)
    return page(
        TEMPLATE,
        fragments=("chat_room",),
        status=refusal.status if refusal else 200,
        room=room,
        current=conversation,
        sidebar=_sidebar(person, workspace),
        workspace=workspace,
        line=room.composer.estimate,
        is_short=draft.is_short,
    )


def _sidebar(person: Person, workspace: Workspace) -> chat_page.Sidebar:
    search = request.args.get("q", "")[: rules.LONGEST_SEARCH]
    return chat_page.sidebar(person, workspace, search=search, cursor=request.args.get("cursor"))


def _before() -> int | None:
    given = request.args.get("before", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def list_block(person: Person, workspace: Workspace, current: Conversation | None) -> str:
    """The list of conversations, as it is searched or turned over."""
    return render_block(TEMPLATE, "conversations", sidebar=_sidebar(person, workspace), current=current)


def list_out_of_band(person: Person, workspace: Workspace, current: Conversation) -> str:
    """The list's beginning, for htmx to put in its place."""
    listed = chat_page.sidebar(person, workspace, search="", cursor=None)
    return render_block(TEMPLATE, "conversations", sidebar=listed, current=current, is_out_of_band=True)


def typed_draft() -> Draft:
    """What the composer held."""
    given = request.form
    model = given.get("cheaper") or given.get("model") or None
    return Draft(given.get("message", "")[: rules.LONGEST_MESSAGE], model, given.get("is_short") == "1")
