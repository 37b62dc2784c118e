"""What is done on the chat page: try again, edit, stop, search, rename, pin, erase, export, receipts."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.chat.conftest import wait_until_quiet
from tests.chat.events import Event, one
from tests.chat.talking import streaming_id
from tests.chat.upstream import Script, Scripted
from tests.people import Browser, People

Say = Callable[..., list[Event]]


def _ask(browser: Browser, text: str, path: str = "/chat", **more: str) -> str:
    """Send as a form; the conversation's address."""
    answer = browser.post(path, {"message": text} | more)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def _text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_trying_again_puts_the_answer_aside(people: People, say: Say, upstream: Scripted, rows: Callable):
    upstream.will(Script(pieces=["first"]), Script(pieces=["second"]))
    meta = one(say(people.alice, "Hi"), "meta")
    alice = people.browser(people.alice)

    path = _ask(alice, "", f"/chat/messages/{meta['message_id']}/regenerate")
    wait_until_quiet(people)

    html = _text(alice, path)
    assert ("<p>second</p>" in html, "<p>first</p>" in html) == (True, False)
    kept = rows(meta["conversation_id"])
    assert [(row.content, row.replaced_at is not None) for row in kept] == [
        ("Hi", False),
        ("first", True),
        ("second", False),
    ]
    assert [message["content"] for message in upstream.calls[1].messages[1:]] == ["Hi"]
    refused = alice.post(f"/chat/messages/{meta['message_id']}/regenerate")
    assert refused.status_code == 409


def test_an_edited_message_is_sent_again_and_what_followed_is_put_aside(
    people: People, say: Say, upstream: Scripted, rows: Callable
):
    meta = one(say(people.alice, "Hi"), "meta")
    say(people.alice, "More", conversationId=meta["conversation_id"])
    alice = people.browser(people.alice)
    question = rows(meta["conversation_id"])[0]

    _ask(alice, "Hello instead", f"/chat/messages/{question.id}/edit")
    wait_until_quiet(people)

    shown = [row.content for row in rows(meta["conversation_id"]) if row.replaced_at is None]
    assert shown == ["Hello instead", "Hello, world."]
    assert len(rows(meta["conversation_id"])) == 6
    assert [message["content"] for message in upstream.calls[2].messages[1:]] == ["Hello instead"]


def test_a_refused_edit_changes_nothing(people: People, say: Say, rows: Callable):
    meta = one(say(people.alice, "Hi"), "meta")
    question = rows(meta["conversation_id"])[0]
    answer = people.browser(people.alice).post(
        f"/chat/messages/{question.id}/edit", {"message": "New", "model": "gone"}
    )
    assert answer.status_code == 404
    assert [row.replaced_at for row in rows(meta["conversation_id"])] == [None, None]


def test_stop_without_a_script(people: People, upstream: Scripted):
    upstream.will(Script(pieces=["a" * 40, "b"], gate=threading.Event()))
    alice = people.browser(people.alice)
    path = _ask(alice, "Hi")
    message_id, _ = streaming_id(people, with_text=True)

    assert alice.post(f"/chat/messages/{message_id}/stop").headers["Location"] == path
    wait_until_quiet(people)

    html = _text(alice, path)
    assert "You stopped this answer." in html
    assert "Continue" in html


def test_a_search_shows_what_it_found_as_a_fragment_too(people: People, say: Say):
    say(people.alice, "About apples")
    say(people.alice, "About pears")
    alice = people.browser(people.alice)

    block = alice.fragment("/chat?q=apples", "conversations").get_data(as_text=True)
    assert ("About apples" in block, "About pears" in block, "<html" in block) == (True, False, False)
    assert "About apples" in _text(alice, "/chat?q=apples")
    assert "Nothing found for “zebra”." in _text(alice, "/chat?q=zebra")


def test_renaming_pinning_and_erasing_by_form(people: People, say: Say):
    conversation_id = one(say(people.alice, "Old"), "meta")["conversation_id"]
    alice, path = people.browser(people.alice), f"/chat/{conversation_id}"

    assert alice.post(f"{path}/title", {"title": "New <b>"}).status_code == 303
    assert alice.post(f"{path}/title", {"title": ""}).status_code == 422
    assert alice.post(f"{path}/pin", {"is_pinned": "1"}).status_code == 303
    html = _text(alice, path)
    assert "New &lt;b&gt;" in html
    assert "Pinned" in html
    assert alice.post(f"{path}/delete").headers["Location"] == "/chat"
    assert alice.get(path).status_code == 404


def test_the_exports_hold_what_was_said(people: People, say: Say):
    conversation_id = one(say(people.alice, "Plan: a/b"), "meta")["conversation_id"]
    alice = people.browser(people.alice)

    markdown = alice.get(f"/chat/{conversation_id}/export.md")
    told = alice.get(f"/chat/{conversation_id}/export.json")

    assert markdown.headers["Content-Disposition"] == 'attachment; filename="plan-a-b.md"'
    assert markdown.get_data(as_text=True).startswith(
        "# Plan: a/b\n\n## You\n\nPlan: a/b\n\n## gpt-4o\n\nHello, world."
    )
    assert [row["content"] for row in told.json["messages"]] == ["Plan: a/b", "Hello, world."]


def test_a_receipt_shows_how_the_cost_was_computed(people: People, say: Say):
    meta = one(say(people.alice, "Hi"), "meta")
    alice = people.browser(people.alice)
    html = _text(alice, f"/chat/messages/{meta['message_id']}/receipt")
    block = alice.fragment(f"/chat/messages/{meta['message_id']}/receipt", "").get_data(as_text=True)

    for part in (
        "10 tokens × $2.50 per 1 M",
        "4 tokens × $10.00 per 1 M",
        "$0.000065",
        "0.0065 credits",
        "In the ledger",
    ):
        assert part in html, part
        assert part in block, part
    assert "<html" not in block
