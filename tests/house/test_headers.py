"""What every answer carries: pages, refusals, redirects, static files. And how heavy the first page is."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.people import People

STATIC = Path(__file__).resolve().parents[2] / "static"
FIRST_PAGE_LIMIT_BYTES = 60 * 1024  # gzip, HTML with style, script and icons, without the font
AN_ID = "00000000-0000-4000-8000-000000000000"


def _addresses(app: Flask) -> list[tuple[str, str]]:
    """Every route as method and askable path."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", AN_ID, rule.rule)
        found += [(method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return [*found, ("GET", "/nowhere"), ("GET", "/static/nothing.css"), ("PATCH", "/")]


def _faults(answer: TestResponse) -> list[str]:
    headers = answer.headers
    policy = headers.get("Content-Security-Policy", "")
    faults = []
    if headers.get("X-Content-Type-Options") != "nosniff":
        faults.append("nosniff")
    if "default-src 'none'" not in policy or "unsafe" in policy or "frame-ancestors 'none'" not in policy:
        faults.append("policy")
    if headers.get("Referrer-Policy") != "same-origin":
        faults.append("referrer")
    if "Access-Control-Allow-Origin" in headers:
        faults.append("open to other origins")
    if "Traceback" in answer.get_data(as_text=True):
        faults.append("a trace")
    return faults


def test_every_answer_carries_the_security_headers(sqlite_people: People) -> None:
    app = sqlite_people.app
    for who in (None, sqlite_people.alice):
        browser = sqlite_people.browser(who)
        answers = {
            (method, path): browser._send(method, path, None) if method != "GET" else browser.get(path)
            for method, path in _addresses(app)
        }
        assert {call: faults for call, answer in answers.items() if (faults := _faults(answer))} == {}


def test_signed_in_pages_are_kept_by_no_cache(sqlite_people: People) -> None:
    for path in ("/dashboard", "/account", "/api/me"):
        assert sqlite_people.browser(sqlite_people.alice).get(path).headers["Cache-Control"] == "no-store", path


@pytest.mark.parametrize("path", ["/", "/login", "/dashboard", "/chat", "/settings/connections"])
def test_a_first_visit_weighs_less_than_sixty_kilobytes(sqlite_people: People, path: str) -> None:
    alice = sqlite_people.browser(sqlite_people.alice)
    if path == "/dashboard":
        alice.post("/demo")
    html = (sqlite_people.browser(None) if path in {"/", "/login"} else alice).get(path).get_data()
    named = set(re.findall(r'(?:src|href)="/static/([^"?#]+)', html.decode()))
    parts = [html, *((STATIC / name).read_bytes() for name in named if not name.endswith(".woff2"))]
    assert sum(len(gzip.compress(part)) for part in parts) < FIRST_PAGE_LIMIT_BYTES


def test_a_page_asks_no_other_host(sqlite_people: People) -> None:
    alice = sqlite_people.browser(sqlite_people.alice)
    for path in ("/", "/dashboard", "/settings/connections"):
        html = alice.get(path).get_data(as_text=True)
        assert re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?://', html) == []
