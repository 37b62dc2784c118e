"""Who may what: every route × everybody. What each row expects stands in docs/map.md, in the column "who may".

A route without a row there fails test_map.py; a row whose request needs an id or a body without a sample here fails
`test_every_row_can_be_asked`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import CRON_SECRET, House
from tests.house.cells import Sampled, samples
from tests.people import Browser, People
from tests.pictures import PutBack, wait_for_answers
from tokenboard.core.db import set_read_only

MAP = (Path(__file__).resolve().parents[2] / "docs" / "map.md").read_text(encoding="utf-8")
STEP = int(re.search(r"^Built up to step: (\d)$", MAP, re.MULTILINE).group(1))  # type: ignore[union-attr]
ROLES = ("viewer", "member", "admin", "owner")
WHO = ("anonymous", "revoked", "stranger", "administrator", *ROLES)


@dataclass(frozen=True, slots=True)
class Row:
    """A route of the map, and what it says of it."""

    call: str
    who_may: str
    step: int
    is_page: bool = field(default=False)

    @property
    def method(self) -> str:
        return self.call.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.call.partition(" ")[2]


def _rows() -> list[Row]:
    found = []
    for section in ("Calls", "Pages"):
        text = MAP.partition(f"## {section}\n")[2].partition("\n## ")[0]
        for call, who, step in re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \| (\d) \|$", text, re.MULTILINE):
            found.append(Row(call, who, int(step), is_page=section == "Pages"))
    return found


def _is_to_come(row: Row, app: Flask) -> bool:
    """A row of a later step whose route is not there yet."""
    plain = re.sub(r":\w+", ":x", row.path)
    rules = (rule for rule in app.url_map.iter_rules() if row.method in (rule.methods or set()))
    return row.step > STEP and plain not in {re.sub(r"<[^>]+>", ":x", rule.rule) for rule in rules}


@pytest.fixture
def asked_by(sqlite_people: People) -> Callable[[str], Browser]:
    """A browser of each kind of person, with the team's workspace chosen where they may choose it."""
    people = sqlite_people
    someone = {
        "stranger": people.charlie,
        "administrator": people.ada,
        "viewer": people.vera,
        "member": people.bob,
        "admin": people.dave,
        "owner": people.alice,
    }

    def browser(who: str) -> Browser:
        opened = people.browser(someone.get(who, people.alice if who == "revoked" else None))
        if who == "revoked":
            opened.post("/logout")
            with opened.client.session_transaction() as session:
                assert "sign_in" not in session
        with opened.client.session_transaction() as session:
            session["workspace_id"] = people.team_id
        return opened

    return browser


@pytest.fixture(scope="session")
def kept() -> list[tuple[defaultdict[str, Sampled], PutBack]]:
    """The samples and a picture of their rows, made once a process: making them takes longer than asking."""
    return []


@pytest.fixture
def fresh(sqlite_house: House, sqlite_people: People, redis_url: str, kept: list[Any]) -> Callable[[], Any]:
    """Fresh rows, and no count of tries: eight people from one address are not what rate limits are for."""

    def samples_again() -> defaultdict[str, Sampled]:
        wait_for_answers(sqlite_house.app)
        redis.Redis.from_url(redis_url).flushdb()
        if not kept:
            set_read_only(False)  # a GET before this left it on
            kept.append((samples(sqlite_people), sqlite_house.picture()))
        kept[0][1]()
        found: defaultdict[str, Sampled] = kept[0][0]
        return found

    return samples_again


def _ask(browser: Browser, row: Row, sample: Sampled) -> TestResponse:
    path = row.path
    for value in sample.ids:
        path = re.sub(r":\w+", value, path, count=1)
    more: dict[str, Any] = {"headers": dict(sample.headers)}
    if row.method == "GET":
        return browser.get(path, query_string=sample.query, **more)
    if row.is_page:
        return browser._send(row.method, path, dict(sample.form), **more)
    return browser._send(row.method, path, None, json=sample.json, query_string=sample.query, **more)


def _is_turned_away(answer: TestResponse) -> bool:
    """401, or a page that leads to the sign-in."""
    return answer.status_code == 401 or (
        answer.status_code in {302, 303} and answer.headers["Location"].startswith("/login")
    )


def _expected(row: Row, who: str, sample: Sampled) -> str:
    """`in`, `turned away`, `hidden` (404) or `forbidden` (403)."""
    may = row.who_may
    if may.startswith(("bearer", "key", "virtual key")):
        return "turned away"
    if may == "anyone":
        return "in"
    if may.endswith("signature"):
        return "unsigned"  # whoever asks
    if may == "who has the link":
        return "hidden"  # asked with a made-up one
    if who in {"anonymous", "revoked"}:
        return "turned away"
    if may == "whose it is":
        return "hidden"  # asked with an id that is nobody's
    if may == "the invited address":
        return "forbidden"  # nobody here is who was invited
    if may.startswith("signed in"):
        return "in"
    if may == "administrator":
        return "in" if who == "administrator" else "hidden"
    if who in {"stranger", "administrator"}:
        # A page without an id is about the caller's own workspace: never about the one they forged into the session.
        return "hidden" if sample.names_workspace else "in"
    return "in" if ROLES.index(who) >= ROLES.index(may) else "forbidden"


def _seen(row: Row, answer: TestResponse) -> str:
    if row.who_may != "anyone" and _is_turned_away(answer):  # signing out leads to the sign-in too
        return "turned away"
    if row.who_may.endswith("signature") and answer.status_code == 400:
        return "unsigned"
    return {403: "forbidden", 404: "hidden"}.get(answer.status_code, "in")


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.call)
def test_a_route_lets_in_whom_the_map_names_and_nobody_else(
    row: Row, sqlite_people: People, asked_by: Callable[[str], Browser], fresh: Callable[[], defaultdict[str, Sampled]]
) -> None:
    if _is_to_come(row, sqlite_people.app):
        pytest.skip(f"comes with step {row.step}")
    found = {}
    for who in WHO:
        sample = fresh()[row.call]  # for each: a DELETE must not hide the next answer
        answer = _ask(asked_by(who), row, sample)
        # No worker beats in a test, and none has checked the books.
        broke = answer.status_code >= 500 and row.path not in {"/readyz", "/healthz/books"}
        assert not broke, f"{row.call} broke for {who}: {answer.status_code}"
        found[who] = (_seen(row, answer), _expected(row, who, sample))
    assert {who: seen for who, (seen, _) in found.items()} == {who: told for who, (_, told) in found.items()}


def test_a_strangers_page_shows_nothing_of_the_team(sqlite_people: People, asked_by: Callable[[str], Browser]) -> None:
    for row in _rows():
        if row.method == "GET" and row.is_page and ":" not in row.path and not _is_to_come(row, sqlite_people.app):
            shown = asked_by("stranger").get(row.path).get_data(as_text=True)
            assert "Acme" not in shown, row.call
            assert sqlite_people.team_id not in shown, row.call


def test_the_cron_call_is_opened_by_its_secret_alone(asked_by: Callable[[str], Browser]) -> None:
    anonymous = asked_by("anonymous").client
    given = {"Authorization": f"Bearer {CRON_SECRET}"}
    assert anonymous.get("/api/cron/sync-openai", headers=given).status_code == 202
    assert anonymous.get("/api/cron/sync-openai", headers={"Authorization": "Bearer wrong"}).status_code == 401
