"""Odd input at every door: refused with a sentence, alike on both databases, and never a 5xx.

Source: reference "Reliability", F17 to F20 and case 31. Raw sockets and memory: tests/faults/heavy_sockets.py.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
import redis

from tests.house.cells import samples
from tests.people import PASSWORD, Browser, People
from tokenboard.chat.models import Conversation
from tokenboard.core.db import db

MAP = (Path(__file__).resolve().parents[2] / "docs" / "map.md").read_text(encoding="utf-8")
# Each is refused or kept alike by both databases; PostgreSQL alone would break at the first two.
TEXTS = {
    "a NUL": "a\x00b",
    "a lone surrogate": "\ud800",
    "a direction override": "abc\u202egnp.exe",
    "four bytes, joiners, accents": "\U0001f468\u200d\U0001f469 e\u0301 \u0661\u0662\u0663",
    "very long": "%_" * 3_000,
}
BODIES = {
    "null": b"null",
    "a list": b"[]",
    "not UTF-8": b'{"a": "\xff"}',
    "far too large": b'{"amount": 1e999999999, "amountUsd": 1e400, "limit": 99999999999999999999999}',
    "of other types": b'{"amount": true, "name": ["\\ud800"], "message": {}, "email": 1, "apiKey": null, "token": 1.5}',
}


def _doors() -> list[tuple[str, str]]:
    calls = re.findall(r"^\| `(POST|PUT|PATCH|DELETE) (/(?:api|v1)/[^`]+)`", MAP, re.MULTILINE)
    return [(method, path) for method, path in calls if "/webhook" not in path]


@pytest.mark.parametrize("body", BODIES)
def test_no_json_door_breaks_at_a_body_that_is_none(sqlite_people: People, redis_url: str, body: str):
    sent, line = samples(sqlite_people), redis.Redis.from_url(redis_url)
    alice, found = sqlite_people.bearer(sqlite_people.alice), {}
    for method, path in _doors():
        line.flushdb()
        if path in ("/api/auth/logout", "/api/logout", "/api/account"):
            continue  # they want no body, and would end what the next doors need
        asked = path
        for one in sent[f"{method} {path}"].ids or ("11111111-1111-4111-8111-111111111111",):
            asked = re.sub(r":\w+", one, asked, count=1)
        answer = alice._send(method, asked, data=BODIES[body], content_type="application/json")
        if answer.status_code >= 500 and answer.json["code"] != "not_configured":
            found[f"{method} {path}"] = answer.status_code
    assert found == {}


@pytest.mark.parametrize("text", TEXTS)
def test_odd_text_is_kept_or_refused_never_a_crash(people: People, text: str):
    alice = people.browser(people.alice)
    team, odd = {"workspace_id": people.team_id}, TEXTS[text]
    forms = (
        ("/settings/general", {"display_name": odd}),
        ("/settings/workspace", team | {"name": odd}),
        ("/settings/workspace/invitations", team | {"email": odd, "role": "viewer", "cap": odd}),
        ("/settings/notifications", team | {"kind": "email", "address": odd}),
        ("/credits/low-balance", team | {"threshold": odd}),
        ("/credits/redeem", team | {"code": odd}),
    )
    statuses = {path: _post(alice, path, form) for path, form in forms}
    query = urlencode({"q": odd}, errors="surrogatepass")
    statuses["/api/conversations"] = alice.get(f"/api/conversations?{query}").status_code

    assert {path: code for path, code in statuses.items() if code >= 500} == {}


def _post(browser: Browser, path: str, form: dict[str, str]) -> int:
    """As raw bytes: a surrogate cannot be typed, but it can be sent."""
    body = urlencode(form, errors="surrogatepass").encode()
    kind = "application/x-www-form-urlencoded"
    headers = {"X-CSRFToken": browser.csrf_token}
    return browser.client.post(path, data=body, content_type=kind, headers=headers).status_code


def test_one_mailbox_is_one_account_however_it_is_spelled(people: People):
    spelled = ("alice@example.com", "ALICE@Example.COM", " alice@example.com ", "\uff41lice@example.com")
    answers = [_register(people, one) for one in spelled]
    beyond = [_register(people, one) for one in ("alic\u00e9@example.com", "alice\u0301@example.com")]

    assert [answer.status_code for answer in answers] == [409] * 4
    assert [answer.status_code for answer in beyond] == [422, 422]


def _register(people: People, email: str):
    return people.app.test_client().post("/api/auth/register", json={"email": email, "password": PASSWORD})


def test_wildcards_are_letters_in_a_search_and_cost_nothing(people: People):
    with people.app.app_context():
        for title in ["Prices", "100 % sure", *(f"Talk {number} " + "a" * 90 for number in range(50))]:
            row = Conversation(
                workspace_id=people.alice.workspace_id, person_id=people.alice.id, title=title, model="m"
            )
            db.session.add(row)
        db.session.commit()
    alice = people.bearer(people.alice)

    def found(wanted: str) -> list[str]:
        answer = alice.get("/api/conversations", query_string={"q": wanted})
        assert answer.status_code in {200, 422}, wanted
        return [one["title"] for one in answer.json.get("conversations", answer.json.get("items", []))]

    assert found("%") == ["100 % sure"]
    assert found("_") == []
    begun = time.perf_counter()
    assert found("%_" * 50) == []
    assert time.perf_counter() - begun < 0.2


def test_an_administrators_search_takes_wildcards_as_letters_too(people: People):
    ada = people.browser(people.ada)
    for path in ("/admin/payments", "/admin/adjust"):
        for wanted in ("%", "_" * 100, "%_" * 100):
            answer = ada.get(path, query_string={"q": wanted, "who": wanted, "search": wanted})
            assert answer.status_code < 500, (path, wanted)
            assert "charlie@example.com" not in answer.text, (path, wanted)
