"""The OpenAPI document is true: valid, complete both ways, and what it shows can be sent and is answered as it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from tests.fuzz.callers import Callers
from tests.house.cells import samples
from tests.house.judging import Judge
from tests.people import People
from tokenboard.ops.openapi_routes import document
from tokenboard.web.limits import limiter
from tokenboard.web.openapi import TAGS, calls

PROGRAMS = ("/api/", "/v1/", "/healthz", "/readyz", "/metrics")
PAGES_AMONG_THEM = {"GET /api/docs"}
LEADS_ON = {
    "GET /payments/paystack/callback"
}  # for Paystack's browser; it tells no JSON, and is asked with `@operation`
# Their examples hold a made-up password, code or key, which is refused for what it is.
SECRET = {
    "DELETE /api/account",
    "POST /api/account/password",
    "POST /api/account/second-factor/confirm",
    "POST /api/auth/confirm",
    "POST /api/auth/login",
    "POST /api/connections",
    "POST /api/openai/connect",
}
# No worker beats in a test, and none has checked the books.
MAY_BE_DOWN = {"GET /readyz", "GET /healthz/books"}


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate limits are another test's."""
    monkeypatch.setattr(limiter, "enabled", False)


@pytest.fixture
def judge(sqlite_app: Flask) -> Judge:
    with sqlite_app.app_context():
        return Judge(document())


def _plain(path: str) -> str:
    return re.sub(r"<[^>]+>|\{\w+\}|:\w+", ":x", path)


def test_the_document_is_valid_openapi_3_1(judge: Judge) -> None:
    faults = [str(error)[:200] for error in OpenAPIV31SpecValidator(judge.document).iter_errors()]

    assert faults == []
    assert judge.document["openapi"].startswith("3.1")


def test_every_json_route_stands_in_it_and_nothing_else(judge: Judge, sqlite_app: Flask) -> None:
    there = {
        f"{method} {_plain(rule.rule)}"
        for rule in sqlite_app.url_map.iter_rules()
        if rule.rule.startswith(PROGRAMS)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {_plain(route) for route in judge.calls} == (there - PAGES_AMONG_THEM) | LEADS_ON


def test_every_call_has_a_known_part_an_own_name_and_what_it_answers(judge: Judge, sqlite_app: Flask) -> None:
    listed = calls(sqlite_app)

    assert {call.operation.tag for call in listed} - set(TAGS) == set()
    assert len({call.id for call in listed}) == len(listed)
    silent = [
        call.route
        for call in listed
        if call.operation.answer is None and call.operation.status == 200 and call.operation.media == "application/json"
    ]
    assert silent == []


def test_two_schemas_never_share_a_name(judge: Judge) -> None:
    assert [name for name in judge.document["components"]["schemas"] if "__" in name] == []


def test_every_example_fits_its_schema(judge: Judge) -> None:
    misfits = {
        f"{route} {place}": faults
        for route, call in judge.calls.items()
        for place, told in _examples(call)
        if (faults := judge.misfits(told["schema"], told["example"]))
    }

    assert misfits == {}


def _expect_none(found: dict[str, list[str]]) -> None:
    """Every fault on a line, so that all of them can be read."""
    lines = [f"{route}: {fault}" for route, faults in found.items() for fault in faults]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def _examples(call: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    bodies = [("body", call["requestBody"])] if "requestBody" in call else []
    answers = [(status, told) for status, told in call["responses"].items() if "content" in told]
    return [
        (place, told["content"]["application/json"])
        for place, told in (*bodies, *answers)
        if "application/json" in told["content"]
    ]


def test_the_examples_run_and_are_answered_as_told(judge: Judge, sqlite_people: People, unlimited: None) -> None:
    callers = Callers(sqlite_people)
    found: dict[str, list[str]] = {}
    for route in judge.calls:
        body = judge.calls[route].get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        answer = callers.send(route, json=body)
        found[route] = judge.faults(route, answer) + _refused(route, answer)

    _expect_none(found)


def _refused(route: str, answer: TestResponse) -> list[str]:
    """What an example must not be: unreadable, invalid, unauthorised, or too much for us."""
    is_down = answer.status_code >= 500 and route not in MAY_BE_DOWN
    is_refused = answer.status_code in (400, 401, 405, 415, 422) and route not in SECRET
    return [answer.text[:200]] if is_down or is_refused else []


def test_real_answers_have_the_shape_that_is_told(judge: Judge, sqlite_people: People, unlimited: None) -> None:
    """The matrix's own requests, which find what they ask for."""
    callers = Callers(sqlite_people)
    listed = {_plain(call): sample for call, sample in samples(sqlite_people).items()}
    found = {}
    for route in judge.calls:
        sample = listed.get(_plain(route))
        if sample is not None and not route.startswith("DELETE"):
            answer = callers.send(route, ids=sample.ids, json=sample.json or None, query=sample.query)
            found[route] = judge.faults(route, answer)

    _expect_none(found)


def test_the_page_shows_every_call_to_anyone(judge: Judge, sqlite_people: People) -> None:
    browser = sqlite_people.browser()
    whole = browser.get("/api/docs").text
    shown = [browser.get("/api/docs", query_string={"tag": tag}).text for tag in TAGS]

    assert [route for route, call in judge.calls.items() if f'#{call["operationId"]}"' not in whole] == []
    together = "".join(shown)
    assert [route for route, call in judge.calls.items() if f'id="{call["operationId"]}"' not in together] == []


def test_the_document_is_the_same_for_everyone_and_may_be_kept(sqlite_people: People) -> None:
    anonymous = sqlite_people.browser().get("/api/openapi.json")
    known = sqlite_people.browser(sqlite_people.ada).get("/api/openapi.json")

    assert anonymous.json == known.json
    assert anonymous.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in anonymous.headers


def test_what_answers_in_another_form_is_told_too(judge: Judge, sqlite_people: People) -> None:
    callers = Callers(sqlite_people)

    table = callers.send("GET /api/usage/logs", query={"format": "csv"})
    page = callers.send("GET /payments/paystack/callback", query={"reference": "x" * 101})

    assert (table.mimetype, page.mimetype) == ("text/csv", "text/html")
    assert judge.faults("GET /api/usage/logs", table) == []
    assert judge.faults("GET /payments/paystack/callback", page) == []
