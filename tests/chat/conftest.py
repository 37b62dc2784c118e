"""The chat's tests: a priced model, a scripted upstream, and words for sending and reading."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from tests.chat.events import Event, read_events
from tests.chat.upstream import Scripted, take_over
from tests.metering import calling
from tests.metering.calling import price
from tests.people import Bearer, People
from tokenboard.chat.models import Message
from tokenboard.core.db import db, set_read_only
from tokenboard.metering.generations import generations
from tokenboard.metering.models import MeteredCall

SETTLE_SECONDS = 20.0


@pytest.fixture
def upstream(people: People) -> Iterator[Scripted]:
    """What models say in this test; one of them has a price."""
    inner = people.app.extensions["clients"]
    set_read_only(False)  # what the last request of the test before has left in this thread
    with people.app.app_context():
        price()
    try:
        yield take_over(people.app)
    finally:
        wait_until_quiet(people)
        people.app.extensions["clients"] = inner


def wait_until_quiet(people: People) -> None:
    """No answer is being written any more, here and in the database."""
    with people.app.app_context():
        running = generations()
        until = time.monotonic() + SETTLE_SECONDS
        while running.running and time.monotonic() < until:
            time.sleep(0.01)
        assert running.running == 0, "an answer still runs"


@pytest.fixture
def say(people: People, upstream: Scripted) -> Callable[..., list[Event]]:
    """`say(people.alice, "Hi")`: what a program hears, to the end."""
    programs: dict[str, Bearer] = {}

    def send(someone: Any, message: str, **more: Any) -> list[Event]:
        program = programs.setdefault(someone.id, people.bearer(someone))
        answer = program.post("/api/chat", {"message": message} | more)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return read_events(answer.get_data(as_text=True))

    return send


@pytest.fixture
def rows(people: People) -> Callable[[str], list[Message]]:
    """All messages of a conversation, in their order."""

    def read(conversation_id: str) -> list[Message]:
        with people.app.app_context():
            asked = select(Message).where(Message.conversation_id == conversation_id).order_by(Message.position)
            return list(db.session.scalars(asked))

    return read


def open_calls(people: People) -> int:
    with people.app.app_context():
        return len(list(db.session.scalars(select(MeteredCall.id).where(MeteredCall.state == "open"))))


@pytest.fixture
def fund(people: People) -> Callable[[str, int], None]:
    """Give a workspace so many credits."""

    def give(workspace_id: str, amount: int) -> None:
        with people.app.app_context():
            calling.fund(workspace_id, amount)

    return give
