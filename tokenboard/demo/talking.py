"""The demo's conversations: rows of the chat whose answers are held and settled as every answer is.

Law: a colleague who does not exist is who used the credits, so that no person's cap counts made-up use; the
conversation stands in the list of whoever looks at the demo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tokenboard.chat.models import Conversation, Message, Role, Status
from tokenboard.chat.rules import estimated_tokens
from tokenboard.core import clock
from tokenboard.core.db import db, new_id
from tokenboard.demo.talks import Talk, Turn
from tokenboard.metering import price_queries, service as metering
from tokenboard.metering.facts import CallOrder, Outcome, OutcomeKind, Price
from tokenboard.metering.models import CallPiece
from tokenboard.metering.rules import usual_tokens
from tokenboard.workspaces.models import Workspace

_BETWEEN = timedelta(minutes=3)
_FIRST_WORD = timedelta(milliseconds=620)


@dataclass(frozen=True, slots=True)
class Told:
    """Usage as a provider tells it."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano_usd: int | None = None
    is_odd: bool = False


def models() -> list[Price]:
    """What is offered for chatting here, the dearest first; nothing: the demo has no conversations."""
    offered = [one for one in price_queries.all_offered("chat") if one.output_nano_per_mtok]
    return sorted(offered, key=lambda one: (-one.output_nano_per_mtok, one.model))


def tell(*, talk: Talk, at: datetime, workspace: Workspace, reader_id: str, colleague_id: str) -> None:
    """Write one conversation, with its answers paid for. Nothing where no model is offered."""
    offered = models()
    if not offered:
        return
    model = offered[min(talk.model, len(offered) - 1)].model
    with clock.standing_at(at):
        conversation = _begin(talk, workspace.id, reader_id, model)
    order = CallOrder(
        workspace=workspace,
        person_id=colleague_id,
        source="chat",
        model=model,
        messages=(),
        conversation_id=conversation.id,
        keeps_text=True,
    )
    for number, turn in enumerate(talk.turns):
        _answer(order, talk.turns[: number + 1], at + number * _BETWEEN, 2 * number + 1)
        conversation.updated_at = at + number * _BETWEEN + timedelta(seconds=turn.seconds)
    db.session.flush()


def _begin(talk: Talk, workspace_id: str, person_id: str, model: str) -> Conversation:
    facts = {"workspace_id": workspace_id, "person_id": person_id, "title": talk.title, "model": model}
    conversation = Conversation(id=new_id(), is_pinned=talk.is_pinned, credits_micros=0, **facts)
    db.session.add(conversation)
    db.session.flush()
    return conversation


def _answer(order: CallOrder, turns: Sequence[Turn], at: datetime, position: int) -> None:
    """The last turn's question, the hold, the answer's text, the settlement."""
    turn, answer_id = turns[-1], new_id()
    with clock.standing_at(at):
        _add_messages(order, turn, answer_id, position)
        call = metering.begin(order=_ordered(order, turns, answer_id))
        db.session.add(CallPiece(call_id=call.id, from_char=0, text=turn.answer))
        db.session.flush()
    with clock.standing_at(at + timedelta(seconds=turn.seconds)):
        prompt, size = usual_tokens(call.prompt_bytes), len(turn.answer.encode())
        kind: OutcomeKind = "stopped" if turn.is_stopped else "ok"
        told = Told(prompt, min(usual_tokens(size), call.max_output_tokens))
        outcome = Outcome(kind, told, first_piece_at=at + _FIRST_WORD, delivered_bytes=size)
        metering.settle(call_id=call.id, outcome=outcome)


def _add_messages(order: CallOrder, turn: Turn, answer_id: str, position: int) -> None:
    place = {"conversation_id": order.conversation_id}
    asked = Message(
        **place,
        position=position,
        role=Role.USER,
        content=turn.question,
        status=Status.DONE,
        tokens=estimated_tokens(turn.question),
    )
    answer = Message(
        **place, id=answer_id, position=position + 1, role=Role.ASSISTANT, status=Status.STREAMING, model=order.model
    )
    db.session.add_all([asked, answer])
    db.session.flush()


def _ordered(order: CallOrder, turns: Sequence[Turn], answer_id: str) -> CallOrder:
    said: list[dict[str, str]] = []
    for turn in turns:
        said += [{"role": "user", "content": turn.question}, {"role": "assistant", "content": turn.answer}]
    return replace(order, messages=said[:-1], call_id=answer_id, message_id=answer_id)
