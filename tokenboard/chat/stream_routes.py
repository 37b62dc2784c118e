"""The page's own stream: escaped text as it comes, then the finished answer and what it changed on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Blueprint, Response, render_template, stream_with_context
from jinja2_fragments.flask import render_block
from markupsafe import Markup, escape

from tokenboard.accounts.guards import current_person
from tokenboard.chat import access as chat_access, model_choice, page as chat_page, streaming
from tokenboard.chat.access import OwnMessage
from tokenboard.chat.message_view import view
from tokenboard.chat.models import Conversation, Message, Role
from tokenboard.core.clock import monotonic
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.metering import calls, service as metering
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.stream_events import Delta, Ended, Heartbeat
from tokenboard.wallet import queries as wallet
from tokenboard.web import sse
from tokenboard.web.filters import credit_amount
from tokenboard.workspaces.models import Workspace

blueprint = Blueprint("chat_stream", __name__)

COST_EVERY_SECONDS = 0.5


@blueprint.get(f"{chat_page.PATH}/messages/<id:message_id>/stream")
def stream(message_id: str) -> Response:
    own = chat_access.load_message(message_id, current_person())
    if own.message.role != Role.ASSISTANT:
        raise NotFound
    from_char = sse.last_event_id()
    cost = _cost_so_far(message_id)
    db.session.close()
    return sse.response(stream_with_context(_events(own, from_char, cost)))


def _events(own: OwnMessage, from_char: int, cost: Callable[[int], str]) -> Iterator[bytes]:
    reached, told_at = from_char, 0.0
    for event in streaming.told(own.message, from_char):
        if isinstance(event, Heartbeat):
            yield sse.HEARTBEAT
        elif isinstance(event, Delta):
            reached = event.to_char
            piece = Markup("<span>{}</span>").format(_text(event.text))
            if monotonic() - told_at > COST_EVERY_SECONDS:
                told_at = monotonic()
                piece += _live_cost(own.message.id, cost(reached))
            yield sse.event(piece, event_id=reached)
        elif isinstance(event, Ended):
            yield sse.event(_finished(own), event_id=reached)
            yield sse.event("", name="done", event_id=reached)
            return


def _text(text: str) -> Markup:
    """Escaped; a carriage return as a reference, since a bare one would end the event's line."""
    return Markup(escape(text).replace("\r", "&#13;"))  # noqa: S704 - escaped just here


def _live_cost(message_id: str, cost: str) -> Markup:
    return Markup('<span id="live_{}" hx-swap-oob="innerHTML">≈ {} credits</span>').format(message_id, cost)


def _cost_so_far(message_id: str) -> Callable[[int], str]:
    """About what an answer has cost after so many characters: one read, then arithmetic."""
    row = db.session.get(MeteredCall, message_id)
    if row is None:
        return lambda _characters: "0"
    call = calls.open_call_of(row)
    return lambda characters: credit_amount(metering.watermark_micros(call, characters))


def _finished(own: OwnMessage) -> str:
    """The drawn answer in the place of the streamed one; beside it what else the page shows of it."""
    with streaming.looking():
        message = db.session.get_one(Message, own.message.id)
        conversation = db.session.get_one(Conversation, own.conversation.id)
        html = render_template("chat/_finished.html", **_parts(message, conversation, own.workspace.workspace))
        return html + render_block("base.html", "balance_pill", is_out_of_band=True)


def _parts(message: Message, conversation: Conversation, workspace: Workspace) -> dict[str, object]:
    return {
        "message": view(message),
        "cost": chat_page.total(conversation),
        "composer": chat_page.Acts(
            running_id="",
            models=tuple(model_choice.choices()),
            can_pay=wallet.balance(workspace).available_micros > 0,
        ),
    }
