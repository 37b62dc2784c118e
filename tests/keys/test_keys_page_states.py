"""What the keys pages say when something is away, and what one pastes."""

from __future__ import annotations

import html
from collections.abc import Callable

from sqlalchemy import update

from tests.keys.paging import key_of, shop, write
from tests.people import Browser, People, Someone
from tokenboard.core.clock import now
from tokenboard.keys.models import KeySecret, MirrorTarget

__all__ = ["shop"]
Open = Callable[[Someone | None], Browser]


def test_how_litellm_stands_is_said_in_words(shop: People, browser: Open) -> None:
    made, alice = key_of(shop), browser(shop.alice)
    path = f"/keys/{made.key.id}"

    assert "LiteLLM is being told" in alice.get(path).text
    mine = update(MirrorTarget).where(MirrorTarget.kind == "key")
    write(shop, mine.values(last_error="no answer", attempts=3))
    assert "LiteLLM cannot be reached" in alice.get(path).text
    assert "LiteLLM cannot be reached right now" in alice.get(f"/keys?workspace_id={shop.team_id}").text
    write(shop, mine.values(state="sent", last_error="", sent_at=now()))
    assert "LiteLLM knows this key and its limits" in alice.get(path).text
    write(shop, update(KeySecret).values(is_lost_at_proxy=True))
    assert "Rotate it to use it at LiteLLM too" in alice.get(path).text


def test_without_a_model_server_the_page_says_what_is_missing(sqlite_people: People, monkeypatch) -> None:
    clients = sqlite_people.app.extensions["clients"]
    monkeypatch.setattr(clients, "_chat_mode", lambda: "off")
    ada = sqlite_people.browser(sqlite_people.ada).get("/keys").text
    alice = sqlite_people.browser(sqlite_people.alice).get("/keys").text

    assert "No model server is connected" in ada
    assert "LITELLM_BASE_URL" in ada
    assert "Ask the operator" in alice
    assert "No LiteLLM proxy is joined" in alice


def test_the_lines_one_pastes_follow_the_chosen_tool(sqlite_people: People) -> None:
    alice = sqlite_people.browser(sqlite_people.alice)

    assert "curl http" in html.unescape(alice.get("/keys").text)
    piece = alice.fragment("/keys?use=python", "snippets").text
    assert "from openai import OpenAI" in html.unescape(piece)
    assert "<html" not in piece
