"""However an answer ends, its message ends with it: the sweeper, a fault in closing, a lost bell."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import update

from tests.chat.conftest import open_calls, wait_until_quiet
from tests.chat.events import Event, one, read_events, told_text
from tests.chat.talking import streaming_id
from tests.chat.upstream import Script, Scripted
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.chat import closing, service, tasks as chat_tasks
from tokenboard.chat.models import Message
from tokenboard.chat.service import Wish
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.metering import tasks as metering_tasks
from tokenboard.metering.models import CallPiece, MeteredCall
from tokenboard.metering.signals import call_settled
from tokenboard.workspaces.models import Workspace

Say = Callable[..., list[Event]]


def _begun_and_lost(people: People, text: str) -> str:
    """An answer whose process died after so much text: begun, recorded, its lease over."""
    with people.app.app_context():
        workspace = db.session.get_one(Workspace, people.alice.workspace_id)
        wish = Wish(db.session.get_one(Person, people.alice.id), workspace, "Hello", "gpt-4o")
        asked = service.ask(wish=wish)
        if text:
            db.session.add(CallPiece(call_id=asked.answer.id, from_char=0, text=text))
        values = {"lease_until": now() - timedelta(seconds=1), "recorded_chars": len(text), "recorded_bytes": len(text)}
        db.session.execute(update(MeteredCall).where(MeteredCall.id == asked.answer.id).values(values))
        db.session.commit()
        return asked.answer.id


def _message(people: People, message_id: str) -> Message:
    with people.app.app_context():
        return db.session.get_one(Message, message_id)


def test_the_sweeper_closes_the_message_of_a_lost_process(people: People, upstream: Scripted):
    message_id = _begun_and_lost(people, "a" * 400)
    with people.app.app_context():
        metering_tasks.sweep()

    message = _message(people, message_id)
    assert (message.status, message.content) == ("interrupted", "a" * 400)
    assert message.credits_micros > 0
    alice = people.browser(people.alice)
    html = alice.get(f"/chat/{message.conversation_id}").get_data(as_text=True)
    assert "Interrupted" in html
    assert "for what you received" in html
    assert "Continue" in html
    heard = read_events(people.bearer(people.alice).get(f"/api/chat/{message_id}/events").get_data(as_text=True))
    assert told_text(heard) == "a" * 400
    assert [event.name for event in heard][-2:] == ["usage", "error"]
    assert one(heard, "error")["code"] == "lost"


def test_a_lost_process_that_delivered_nothing_costs_nothing(people: People, upstream: Scripted):
    message_id = _begun_and_lost(people, "")
    with people.app.app_context():
        metering_tasks.sweep()

    message = _message(people, message_id)
    assert (message.status, message.content, message.credits_micros) == ("interrupted", "", 0)
    assert people.bearer(people.alice).get("/api/billing/balance").json["balanceMicros"] == 1_000_000_000


def test_a_conversation_goes_on_after_a_lost_answer(people: People, say: Say):
    message_id = _begun_and_lost(people, "half an answer")
    with people.app.app_context():
        metering_tasks.sweep()
    conversation_id = _message(people, message_id).conversation_id

    events = say(people.alice, "Continue where you stopped.", conversationId=conversation_id)

    assert told_text(events) == "Hello, world."


def test_a_fault_in_closing_costs_no_settlement_and_is_mended(people: People, say: Say):
    call_settled.disconnect(closing._on_settled)
    try:
        call_settled.connect(_fail)
        events = say(people.alice, "Hello")
    finally:
        call_settled.disconnect(_fail)
        closing.connect()
    meta = one(events, "meta")
    assert open_calls(people) == 0
    assert _message(people, meta["message_id"]).status == "streaming"

    with people.app.app_context():
        chat_tasks.sweep()
        chat_tasks.sweep()

    message = _message(people, meta["message_id"])
    assert (message.status, message.content, message.credits_micros) == ("done", "Hello, world.", 6_500)


def _fail(_call_id: str, **_: object) -> None:
    raise RuntimeError("a fault in closing")


def test_a_deploy_ends_answers_with_a_word(people: People, say: Say, upstream: Scripted):
    upstream.will(Script(pieces=["a" * 40, "b"], gate=threading.Event()))
    heard: list[list[Event]] = []
    talking = threading.Thread(target=lambda: heard.append(say(people.alice, "Hello")))
    talking.start()
    message_id, _ = streaming_id(people, with_text=True)
    running = people.app.extensions["generations"]

    try:
        assert running.drain(10.0) == 0
    finally:
        running.is_ending = False
    talking.join(20)
    wait_until_quiet(people)

    assert told_text(heard[0]) == "a" * 40
    assert one(heard[0], "error")["code"] == "restarting"
    assert _message(people, message_id).status == "interrupted"
