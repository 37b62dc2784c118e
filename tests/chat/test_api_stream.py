"""POST /api/chat: the events and their order, what they cost, resuming, stopping, one key once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from tests.chat.conftest import open_calls, wait_until_quiet
from tests.chat.events import Event, names, one, read_events, told_text
from tests.chat.talking import streaming_id
from tests.chat.upstream import Script, Scripted
from tests.people import People
from tokenboard.chat.models import Conversation
from tokenboard.core.db import db
from tokenboard.providers.chat_client import TokenUsage
from tokenboard.providers.chat_errors import ChatUnavailable, StreamCut

Say = Callable[..., list[Event]]


def test_the_events_come_in_their_order_with_ids(people: People, say: Say):
    events = say(people.alice, "Hello")

    assert names(events)[0] == "meta"
    assert names(events)[-2:] == ["usage", "done"]
    assert set(names(events)[1:-2]) == {"answer"}
    assert told_text(events) == "Hello, world."
    assert [event.data["finished"] for event in events if event.name == "answer"][-1] is True
    assert all(event.id.isdigit() for event in events)
    assert events[-1].id == str(len("Hello, world."))


def test_the_usage_says_what_it_cost_and_what_is_left(people: People, say: Say):
    events = say(people.alice, "Hello")

    meta, usage = one(events, "meta"), one(events, "usage")
    # 10 tokens in at 250, 4 out at 1,000 micro-credits each.
    assert usage == {
        "conversationId": meta["conversation_id"],
        "tokensUsed": 14,
        "promptTokens": 10,
        "completionTokens": 4,
        "credits": 0.0065,
        "balanceAfter": 999.9935,
        "balanceAfterMicros": 999_993_500,
    }


def test_the_conversation_is_kept_and_goes_on(people: People, say: Say, upstream: Scripted, rows: Callable):
    first = say(people.alice, "Hello")
    conversation_id = one(first, "meta")["conversation_id"]

    second = say(people.alice, "And now?", conversationId=conversation_id)

    assert one(second, "meta")["conversation_id"] == conversation_id
    assert [(row.role, row.content, row.status) for row in rows(conversation_id)] == [
        ("user", "Hello", "done"),
        ("assistant", "Hello, world.", "done"),
        ("user", "And now?", "done"),
        ("assistant", "Hello, world.", "done"),
    ]
    sent = [message["content"] for message in upstream.calls[1].messages]
    assert sent[1:] == ["Hello", "Hello, world.", "And now?"]
    assert upstream.calls[1].end_user == "alice@example.com"


def test_an_answer_can_be_heard_again_from_any_character_and_costs_nothing_more(people: People, say: Say):
    events = say(people.alice, "Hello")
    message_id = one(events, "meta")["message_id"]
    alice = people.bearer(people.alice)

    for start in (0, 5, 13):
        headers = {"Last-Event-ID": str(start)} if start else {}
        again = read_events(alice.get(f"/api/chat/{message_id}/events", headers=headers).get_data(as_text=True))
        assert told_text(again) == "Hello, world."[start:]
        assert one(again, "usage") == one(events, "usage")
        assert names(again)[-1] == "done"
    assert alice.get("/api/billing/balance").json["balanceMicros"] == 999_993_500


def test_two_listeners_hear_the_same_answer(people: People, say: Say, upstream: Scripted):
    gate = threading.Event()
    upstream.will(Script(gate=gate))
    heard: list[list[Event]] = []
    alice = people.bearer(people.alice)
    talking = threading.Thread(target=lambda: heard.append(say(people.alice, "Hello")))
    talking.start()
    message_id, _ = streaming_id(people)

    other = alice.get(f"/api/chat/{message_id}/events")  # not read yet: the stream is lazy
    gate.set()
    again = read_events(other.get_data(as_text=True))
    talking.join(20)

    assert told_text(again) == told_text(heard[0]) == "Hello, world."
    assert one(again, "usage") == one(heard[0], "usage")


def test_stop_keeps_and_charges_what_there_is(people: People, say: Say, upstream: Scripted):
    upstream.will(Script(pieces=["a" * 40, "b" * 40], gate=threading.Event()))
    heard: list[list[Event]] = []
    alice = people.bearer(people.alice)
    talking = threading.Thread(target=lambda: heard.append(say(people.alice, "Hello")))
    talking.start()
    message_id, _ = streaming_id(people, with_text=True)

    answer = alice.post(f"/api/chat/{message_id}/stop")
    talking.join(20)
    wait_until_quiet(people)

    assert (answer.status_code, answer.json["status"]) == (202, "stopping")
    assert told_text(heard[0]) == "a" * 40
    assert one(heard[0], "done")["status"] == "stopped"
    assert one(heard[0], "usage")["credits"] > 0
    assert open_calls(people) == 0
    assert alice.post(f"/api/chat/{message_id}/stop").json["status"] == "stopped"


def test_a_refusal_by_the_provider_costs_nothing_and_says_why(people: People, say: Say, upstream: Scripted):
    upstream.will(Script(error_before=ChatUnavailable("down")))
    events = say(people.alice, "Hello")

    assert names(events) == ["meta", "error"]
    error = one(events, "error")
    assert (error["code"], error["balance"]) == ("upstream_error", 1000)
    assert error["error"].endswith(".")
    assert open_calls(people) == 0


def test_what_came_before_an_error_is_kept_and_charged(people: People, say: Say, upstream: Scripted, rows: Callable):
    upstream.will(Script(pieces=["a" * 400], error_after=StreamCut("cut")))
    events = say(people.alice, "Hello")

    assert names(events)[-2:] == ["usage", "error"]
    assert told_text(events) == "a" * 400
    assert one(events, "usage")["credits"] > 0
    answer = rows(one(events, "meta")["conversation_id"])[1]
    assert (answer.status, answer.content, answer.error_code) == ("failed", "a" * 400, "upstream_error")


def test_one_key_is_one_answer(people: People, say: Say, upstream: Scripted):
    first = say(people.alice, "Hello", idempotencyKey="test-123")
    again = say(people.alice, "Hello", idempotencyKey="test-123")

    assert one(again, "meta") == one(first, "meta")
    assert one(again, "usage") == one(first, "usage")
    assert told_text(again) == told_text(first)
    assert len(upstream.calls) == 1
    other = people.bearer(people.alice).post("/api/chat", {"message": "Other", "idempotencyKey": "test-123"})
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")
    assert one(say(people.bob, "Hello", idempotencyKey="test-123"), "meta") != one(first, "meta")


def test_the_same_key_at_once_is_one_answer(people: People, say: Say, upstream: Scripted):
    heard: list[list[Event]] = []
    barrier = threading.Barrier(6)

    def send() -> None:
        barrier.wait()
        heard.append(say(people.alice, "Hello", idempotencyKey="at-once"))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(heard) == 6
    assert len({one(events, "meta")["message_id"] for events in heard}) == 1
    assert {told_text(events) for events in heard} == {"Hello, world."}
    assert len(upstream.calls) == 1


def test_without_credits_it_is_402_before_any_stream(people: People, upstream: Scripted):
    with people.app.app_context():
        team = people.team_id
    refused = people.bearer(people.bob).post("/api/chat", {"message": "Hi", "workspaceId": team})

    assert (refused.status_code, refused.json["code"]) == (402, "insufficient_credits")
    assert {"balance", "balanceMicros", "required"} <= set(refused.json)
    assert refused.mimetype == "application/json"
    assert upstream.calls == []
    with people.app.app_context():
        assert list(db.session.scalars(select(Conversation))) == []


def test_a_model_without_a_price_is_not_offered(people: People, upstream: Scripted):
    refused = people.bearer(people.alice).post("/api/chat", {"message": "Hi", "model": "unheard-of"})

    assert (refused.status_code, refused.json["code"]) == (404, "model_not_found")
    assert upstream.calls == []


def test_a_full_process_refuses_before_anything_is_asked_of_the_database(
    people: People, upstream: Scripted, monkeypatch: pytest.MonkeyPatch
):
    alice, asked = people.bearer(people.alice), []
    with people.app.app_context():
        engine = db.engine
    monkeypatch.setattr(people.app.extensions["generations"], "limit", 0)

    def note(*_: object) -> None:
        asked.append("a connection")

    sa.event.listen(engine, "checkout", note)
    try:
        refused = alice.post("/api/chat", {"message": "Hi"})
    finally:
        sa.event.remove(engine, "checkout", note)

    assert (refused.status_code, refused.json["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert asked == []
    assert alice.get("/api/billing/balance").json["held"] == 0


def test_one_answer_at_a_time_in_a_conversation(people: People, say: Say, upstream: Scripted):
    conversation_id = one(say(people.alice, "Hello"), "meta")["conversation_id"]
    gate = threading.Event()
    upstream.will(Script(gate=gate))
    alice = people.bearer(people.alice)
    talking = threading.Thread(target=lambda: say(people.alice, "Go on", conversationId=conversation_id))
    talking.start()
    streaming_id(people)

    refused = alice.post("/api/chat", {"message": "Too", "conversationId": conversation_id})
    gate.set()
    talking.join(20)

    assert (refused.status_code, refused.json["code"]) == (409, "answer_running")


def test_a_wallet_that_pays_for_a_part_gets_a_shorter_answer(
    people: People, say: Say, upstream: Scripted, fund: Callable
):
    fund(people.team_id, 2)  # 2 credits: some 1,900 tokens out
    usage = TokenUsage(prompt_tokens=10, completion_tokens=1_800)
    upstream.will(Script(pieces=["word " * 100], finish_reason="length", usage=usage))

    events = say(people.bob, "Hello", workspaceId=people.team_id)

    assert 0 < upstream.calls[0].max_output_tokens < 2_000
    assert one(events, "done")["status"] == "length"
    assert one(events, "usage")["balanceAfterMicros"] >= 0


def test_bad_input_is_422_and_says_where(people: People, upstream: Scripted):
    alice = people.bearer(people.alice)
    for body, field in (
        ({}, "message"),
        ({"message": ""}, "message"),
        ({"message": "  \n"}, "message"),
        ({"message": 5}, "message"),
        ({"message": "x" * 32_001}, "message"),
        ({"message": "a\x00b"}, "message"),
        ({"message": "x", "maxOutputTokens": 0}, "maxOutputTokens"),
        ({"message": "x", "idempotencyKey": ""}, "idempotencyKey"),
    ):
        refused = alice.post("/api/chat", body)
        assert (refused.status_code, field in refused.json["fields"]) == (422, True), body
    assert upstream.calls == []


def test_other_peoples_answers_and_conversations_are_not_there(people: People, say: Say):
    meta = one(say(people.alice, "Hello", workspaceId=people.alice.workspace_id), "meta")
    for someone in (people.bob, people.charlie, people.ada):
        other = people.bearer(someone)
        assert other.get(f"/api/chat/{meta['message_id']}/events").status_code == 404
        assert other.post(f"/api/chat/{meta['message_id']}/stop").status_code == 404
        assert other.get(f"/api/conversations/{meta['conversation_id']}/messages").status_code == 404
        asked = {"message": "Hi", "conversationId": meta["conversation_id"]}
        assert other.post("/api/chat", asked).status_code == 404


def test_viewers_may_not_chat(people: People, upstream: Scripted):
    refused = people.bearer(people.vera).post("/api/chat", {"message": "Hi", "workspaceId": people.team_id})
    assert refused.status_code == 403
    assert upstream.calls == []
