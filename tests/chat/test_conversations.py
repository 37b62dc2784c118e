"""Conversations as rows and calls: lists, search, paging, renaming, pinning, erasing, exports, regenerate, edit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.chat.conftest import wait_until_quiet
from tests.chat.events import Event, one
from tests.chat.talking import streaming_id
from tests.chat.upstream import Script, Scripted
from tests.people import People, Someone
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.db import db, new_id
from tokenboard.metering.models import CallPiece

Say = Callable[..., list[Event]]


def _add(people: People, someone: Someone, *titles: str) -> list[str]:
    """Conversations without messages, each a minute after the one before; their ids."""
    start, ids = datetime(2026, 11, 1, tzinfo=UTC), []
    with people.app.app_context():
        for number, title in enumerate(titles):
            ids.append(new_id())
            at = start + timedelta(minutes=number)
            row = {"workspace_id": someone.workspace_id, "person_id": someone.id, "model": "gpt-4o", "updated_at": at}
            db.session.add(Conversation(id=ids[-1], title=title, **row))
        db.session.commit()
    return ids


def test_the_list_is_ones_own_newest_first_with_pages(people: People):
    ids = _add(people, people.alice, *(f"Talk {number}" for number in range(5)))
    _add(people, people.bob, "Not hers")
    alice = people.bearer(people.alice)

    seen, cursor = [], None
    for _ in range(3):
        page = alice.get("/api/conversations", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).json
        seen += [listed["id"] for listed in page["conversations"]]
        cursor = page["nextCursor"]
    assert seen == list(reversed(ids))
    assert cursor is None
    assert set(page["conversations"][0]) >= {"id", "userId", "title", "createdAt", "updatedAt"}


def test_conversations_of_one_instant_are_neither_lost_nor_told_twice(people: People):
    ids = _add(people, people.alice, *"abcdef")
    with people.app.app_context():
        db.session.execute(update(Conversation).values(updated_at=datetime(2026, 11, 2, 3, 4, 5, 678_901, tzinfo=UTC)))
        db.session.commit()
    alice = people.bearer(people.alice)

    seen, cursor = [], ""
    while cursor is not None:
        page = alice.get("/api/conversations", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).json
        seen += [listed["id"] for listed in page["conversations"]]
        cursor = page["nextCursor"]
    assert sorted(seen) == sorted(ids)


@pytest.mark.parametrize("cursor", ["x", "1.x", "-1.2", "9" * 30, "1." + "z" * 36, f"{10**18}.{'0' * 36}"])
def test_a_cursor_that_is_none_of_ours_is_422(people: People, cursor: str):
    refused = people.bearer(people.alice).get("/api/conversations", query_string={"cursor": cursor})
    assert refused.status_code == 422


def test_a_search_takes_its_signs_as_they_are(people: People, say: Say):
    _add(people, people.alice, "100% sure", "100 times", "under_score", "underscore")
    say(people.alice, "Where is the Hidden Word?")
    alice = people.bearer(people.alice)

    def found(text: str) -> set[str]:
        return {
            one_["title"] for one_ in alice.get("/api/conversations", query_string={"q": text}).json["conversations"]
        }

    assert found("100%") == {"100% sure"}
    assert found("under_s") == {"under_score"}
    assert found("hidden word") == {"Where is the Hidden Word?"}
    assert found("world") == {"Where is the Hidden Word?"}  # in the answer
    assert found("nothing of it") == set()
    assert found("%") == {"100% sure"}


def test_messages_come_oldest_first_with_pages(people: People, say: Say):
    conversation_id = one(say(people.alice, "One"), "meta")["conversation_id"]
    say(people.alice, "Two", conversationId=conversation_id)
    alice = people.bearer(people.alice)

    first = alice.get(f"/api/conversations/{conversation_id}/messages", query_string={"limit": 3}).json
    rest = alice.get(
        f"/api/conversations/{conversation_id}/messages", query_string={"cursor": first["nextCursor"]}
    ).json
    told = first["messages"] + rest["messages"]

    assert [(row["role"], row["content"]) for row in told] == [
        ("user", "One"),
        ("assistant", "Hello, world."),
        ("user", "Two"),
        ("assistant", "Hello, world."),
    ]
    assert rest["nextCursor"] is None
    assert (told[1]["tokens"], told[1]["credits"], told[1]["status"]) == (14, 0.0065, "done")
    assert told[0]["conversationId"] == conversation_id


def test_an_unfinished_answer_is_shown_as_far_as_it_is(people: People, say: Say, upstream: Scripted):
    gate = threading.Event()
    upstream.will(Script(gate=gate))
    alice = people.bearer(people.alice)
    talking = threading.Thread(target=lambda: say(people.alice, "Hello"))
    talking.start()
    message_id, conversation_id = streaming_id(people, with_text=True)

    told = alice.get(f"/api/conversations/{conversation_id}/messages").json["messages"]
    gate.set()
    talking.join(20)

    assert (told[1]["id"], told[1]["status"], told[1]["content"]) == (message_id, "streaming", "Hello")


def test_renaming_and_pinning(people: People):
    (conversation_id,) = _add(people, people.alice, "Old")
    alice = people.bearer(people.alice)
    path = f"/api/conversations/{conversation_id}"

    assert alice.patch(path, {"title": "  New  "}).json["conversation"]["title"] == "New"
    assert alice.patch(path, {"isPinned": True}).json["conversation"]["isPinned"] is True
    assert alice.patch(path, {"title": ""}).status_code == 422
    assert alice.patch(path, {"title": "x" * 121}).status_code == 422
    assert people.bearer(people.bob).patch(path, {"title": "Mine"}).status_code == 404


def test_deleting_erases_what_was_written_and_keeps_what_it_cost(people: People, say: Say):
    conversation_id = one(say(people.alice, "A secret plan", idempotencyKey="k"), "meta")["conversation_id"]
    alice = people.bearer(people.alice)

    assert alice.delete(f"/api/conversations/{conversation_id}").status_code == 204
    assert alice.delete(f"/api/conversations/{conversation_id}").status_code == 404
    assert alice.get("/api/conversations").json["conversations"] == []
    assert alice.get(f"/api/conversations/{conversation_id}/messages").status_code == 404
    with people.app.app_context():
        rows = list(db.session.scalars(select(Message)))
        assert {row.content for row in rows} == {""}
        assert db.session.get_one(Conversation, conversation_id).title == ""
        assert sum(row.credits_micros for row in rows) == 6_500
        assert list(db.session.scalars(select(CallPiece))) == []


def test_an_answer_that_ends_after_the_deletion_writes_no_text(people: People, say: Say, upstream: Scripted):
    upstream.will(Script(pieces=["secret " * 10, "more"], gate=threading.Event()))
    alice = people.bearer(people.alice)
    talking = threading.Thread(target=lambda: say(people.alice, "Hello"))
    talking.start()
    _, conversation_id = streaming_id(people, with_text=True)

    assert alice.delete(f"/api/conversations/{conversation_id}").status_code == 204
    talking.join(20)
    wait_until_quiet(people)

    with people.app.app_context():
        rows = list(db.session.scalars(select(Message).order_by(Message.position)))
        assert [(row.content, row.status) for row in rows] == [("", "done"), ("", "stopped")]
        assert rows[1].credits_micros > 0
        assert list(db.session.scalars(select(CallPiece))) == []


def test_a_repeated_key_of_a_deleted_conversation_is_a_new_message(people: People, say: Say):
    first = one(say(people.alice, "Hello", idempotencyKey="k"), "meta")
    people.bearer(people.alice).delete(f"/api/conversations/{first['conversation_id']}")
    assert one(say(people.alice, "Hello", idempotencyKey="k"), "meta") != first
