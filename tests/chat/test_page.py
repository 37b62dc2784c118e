"""The chat page: with htmx and without, its refusals, its fragments, and who sees nothing of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.chat.conftest import wait_until_quiet
from tests.chat.events import Event, one, read_events
from tests.chat.talking import streaming_id
from tests.chat.upstream import Script, Scripted
from tests.metering.calling import price
from tests.people import Browser, People
from tokenboard.chat.models import Message
from tokenboard.core.db import db

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


def test_an_empty_chat_shows_the_model_its_price_and_suggestions(people: People, upstream: Scripted):
    html = _text(people.browser(people.alice), "/chat")

    assert "gpt-4o · 250 in / 1,000 out per 1 M" in html
    assert html.count("data-suggestion=") == 3
    assert "1,000 credits left" in html
    assert 'href="/chat" aria-current="page"' in html  # first in the navigation


def test_without_a_priced_model_the_page_says_what_is_missing(people: People):
    html = _text(people.browser(people.alice), "/chat")
    assert "No model is offered here yet" in html
    refused = people.browser(people.alice).post("/chat", {"message": "Hi"})
    assert refused.status_code == 422


def test_a_form_leads_to_the_conversation_and_its_answer(people: People, upstream: Scripted):
    alice = people.browser(people.alice)
    upstream.will(Script(pieces=["**Bold** <b>not</b>"]))
    path = _ask(alice, "What is <i>this</i>?")
    wait_until_quiet(people)

    html = _text(alice, path)

    assert "<strong>Bold</strong> &lt;b&gt;not&lt;/b&gt;" in html
    assert "What is &lt;i&gt;this&lt;/i&gt;?" in html
    assert "10 in / 4 out" in html
    assert "0.0065 credits" in html


def test_an_unfinished_answer_is_in_the_page_and_goes_on_from_there(people: People, upstream: Scripted):
    gate = threading.Event()
    upstream.will(Script(pieces=["Hel<", "lo"], gate=gate))
    alice = people.browser(people.alice)
    path = _ask(alice, "Hi")
    message_id, _ = streaming_id(people, with_text=True)

    html = _text(alice, path)
    stream = alice.get(f"/chat/messages/{message_id}/stream?lastEventId=4")
    gate.set()
    events = read_events(stream.get_data(as_text=True))

    assert "<span>Hel&lt;</span>" in html
    assert f'hx-sse:connect="/chat/messages/{message_id}/stream?lastEventId=4"' in html
    assert 'http-equiv="refresh"' in html
    assert "Stop" in html
    assert events[0].text.startswith("<span>lo</span>")
    final = events[-2].text
    assert f'hx-target="#message_{message_id}"' in final
    assert "Hel&lt;lo" in final
    assert 'id="balance_pill"' in final
    assert (events[-1].name, events[-1].id) == ("done", "6")


def test_the_stream_goes_on_after_what_a_reader_has(people: People, upstream: Scripted):
    alice = people.browser(people.alice)
    _ask(alice, "Hi")
    wait_until_quiet(people)
    with people.app.app_context():
        message_id = db.session.scalars(select(Message.id).where(Message.role == "assistant")).one()

    again = alice.get(f"/chat/messages/{message_id}/stream?lastEventId=2", headers={"Last-Event-ID": "7"})

    assert read_events(again.get_data(as_text=True))[0].text.startswith("<span>world.</span>")


def test_htmx_gets_the_room_the_list_and_the_address(people: People, upstream: Scripted):
    alice = people.browser(people.alice)
    headers = {"HX-Request": "true", "HX-Target": "chat_room"}
    answer = alice.post("/chat", {"message": "Hi there"}, headers=headers)
    html = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert re.fullmatch(r"/chat/[0-9a-f-]{36}", answer.headers["HX-Push-Url"])
    assert html.lstrip().startswith('<section id="chat_room"')
    assert '<nav id="conversations"' in html
    assert 'hx-swap-oob="true"' in html
    assert "Hi there" in html
    assert "<html" not in html


def test_the_same_form_twice_asks_once(people: People, upstream: Scripted):
    alice = people.browser(people.alice)
    key = re.search(r'name="key" value="([^"]+)"', _text(alice, "/chat"))[1]

    first = _ask(alice, "Hi", key=key)
    again = _ask(alice, "Hi", key=key)
    wait_until_quiet(people)

    assert first == again
    assert len(upstream.calls) == 1


def test_too_few_credits_keep_what_was_typed(people: People, upstream: Scripted):
    bob = people.browser(people.bob)
    answer = bob.post("/chat", {"message": "A long thought", "workspace_id": people.team_id})
    html = answer.get_data(as_text=True)

    assert answer.status_code == 402
    assert "A long thought</textarea>" in html
    assert "Not enough credits" in html
    assert "Add credits to send" in html
    assert upstream.calls == []


def test_bad_input_is_422_with_the_form(people: People, upstream: Scripted):
    alice = people.browser(people.alice)
    answer = alice.post("/chat", {"message": "x" * 32_001})
    assert answer.status_code == 422
    assert "At most 32000 characters." in answer.get_data(as_text=True)


def test_a_model_that_is_not_offered_is_said_in_place(people: People, upstream: Scripted):
    answer = people.browser(people.alice).post("/chat", {"message": "Hi", "model": "gone"})
    assert answer.status_code == 404
    assert "The model gone is not offered here." in answer.get_data(as_text=True)
    assert "Hi</textarea>" in answer.get_data(as_text=True)


def test_the_estimate_follows_what_is_typed(people: People, upstream: Scripted):
    alice = people.browser(people.alice)
    short = alice.post("/chat/estimate", {"message": "Hi", "is_short": "1"}).get_data(as_text=True)
    long = alice.post("/chat/estimate", {"message": "Hi " * 5_000}).get_data(as_text=True)

    figures = [re.search(r"About ([\d.]+)–([\d.]+) credits", html).groups() for html in (short, long)]
    assert float(figures[0][1]) < float(figures[1][1])
    assert float(figures[0][0]) < float(figures[1][0])


def test_a_tight_balance_offers_a_shorter_answer_and_a_cheaper_model(
    people: People, upstream: Scripted, fund: Callable
):
    with people.app.app_context():
        price(model="tiny", input_nano_per_mtok=10**7, output_nano_per_mtok=10**7, cached_input_nano_per_mtok=None)
    fund(people.team_id, 1)
    given = {"message": "Hi", "workspace_id": people.team_id, "model": "gpt-4o"}
    html = people.browser(people.bob).post("/chat/estimate", given).get_data(as_text=True)

    assert "The balance covers an answer of up to" in html
    assert "Send as a short answer" in html
    assert "Send to tiny" in html


def test_what_no_longer_fits_is_said(people: People, say: Say, upstream: Scripted):
    with people.app.app_context():
        price(model="narrow", max_input_tokens=3_000, max_output_tokens=1_000)
    conversation_id = one(say(people.alice, "word " * 700, model="narrow"), "meta")["conversation_id"]
    say(people.alice, "word " * 700, conversationId=conversation_id)

    html = _text(people.browser(people.alice), f"/chat/{conversation_id}")
    assert "2 earlier messages no longer fit into what this model can read and were not sent." in html.replace(
        "\xa0", " "
    )
    assert len(upstream.calls[1].messages) == 2


@pytest.mark.parametrize("who", ["bob", "charlie", "ada"])
def test_other_people_find_nothing(people: People, say: Say, rows: Callable, who: str):
    meta = one(say(people.alice, "Hi"), "meta")
    question = rows(meta["conversation_id"])[0]
    other = people.browser(getattr(people, who))
    path, answer = f"/chat/{meta['conversation_id']}", f"/chat/messages/{meta['message_id']}"

    for asked in (path, f"{path}/export.md", f"{path}/export.json", f"{answer}/stream", f"{answer}/receipt"):
        assert other.get(asked).status_code == 404, asked
    for sent in (
        *(path, f"{path}/title", f"{path}/pin", f"{path}/delete"),
        *(f"{answer}/stop", f"{answer}/regenerate", f"/chat/messages/{question.id}/edit"),
    ):
        assert other.post(sent, {"message": "x", "title": "x"}).status_code == 404, sent
    estimate = other.post("/chat/estimate", {"message": "x", "conversation_id": meta["conversation_id"]})
    assert estimate.status_code == 404


def test_viewers_are_told_and_not_led_there(people: People):
    vera = people.browser(people.vera)
    assert vera.get(f"/chat?workspace_id={people.team_id}").status_code == 403
    vera.post("/workspaces/switch", {"workspace_id": people.team_id})
    assert vera.get("/chat").status_code == 403
    assert 'href="/chat"' not in _text(vera, "/dashboard")
    assert 'href="/chat"' in _text(people.browser(people.bob), "/dashboard")
