"""Words for the tests of answers under way: begun, started, heard, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.metering.calling import begin
from tests.people import People
from tokenboard.core.db import db
from tokenboard.metering import queries
from tokenboard.metering.facts import OpenCall
from tokenboard.metering.generations import Generations
from tokenboard.metering.models import MeteredCall
from tokenboard.metering.relaying import Generation
from tokenboard.metering.stream_events import Delta, Ended, StreamEvent
from tokenboard.providers.chat_client import ChatCall, ChatClient

QUICK, SLOW, REFUSED = "words-20-2", "words-3000-10", "refused"


class Asking:
    """The application's providers, of which only one is asked here."""

    def __init__(self, client: ChatClient) -> None:
        self._client = client

    def chat(self) -> ChatClient:
        return self._client


def started(running: Generations, call: OpenCall, **more: object) -> Generation:
    asked = ChatCall(call.id, call.model, [{"role": "user", "content": "Hello there"}], call.max_output_tokens)
    return running.start(call, asked, **({"on_settled": lambda _settled, _text: None} | more))  # type: ignore[arg-type]


def begun(people: People, model: str = QUICK, **more: Any) -> OpenCall:
    return begin(people, model=model, keeps_text=True, **more)


def text_of(events: Sequence[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def end_of(events: Sequence[StreamEvent]) -> Ended:
    assert isinstance(events[-1], Ended)
    return events[-1]


def row_of(call: OpenCall) -> MeteredCall:
    """As it is now. No transaction is left open: on SQLite it would keep the recorder from writing."""
    db.session.rollback()
    row = db.session.get_one(MeteredCall, call.id, populate_existing=True)
    db.session.expunge(row)
    db.session.rollback()
    return row


def recorded(call: OpenCall) -> str:
    text = queries.recorded_text(call.id)
    db.session.rollback()
    return text
