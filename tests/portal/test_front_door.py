"""The front door: what is told to whoever comes by, and what the operator's settings make of it."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from tests.metering.calling import price
from tests.people import People

PUBLIC = ("/models", "/terms", "/privacy", "/pricing")


@pytest.fixture
def settings_are(sqlite_people: People, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`settings_are(terms_url=…)`."""
    extensions = sqlite_people.app.extensions

    def change(**values: Any) -> None:
        monkeypatch.setitem(extensions, "settings", dataclasses.replace(extensions["settings"], **values))

    return change


def test_the_terminals_lines_stand_in_the_page_for_who_runs_no_script(sqlite_people):
    page = sqlite_people.browser().get("/").text

    assert page.count('class="terminal-line ') == 9
    assert "to-come" not in page
    assert re.search(r"data-terminal-again hidden", page)


def test_who_is_signed_in_is_led_to_the_dashboard(sqlite_people):
    answer = sqlite_people.browser(sqlite_people.alice).get("/")

    assert (answer.status_code, answer.location) == (303, "/dashboard")


def test_the_front_page_and_the_list_tell_the_same_price_markup_included(sqlite_people, settings_are):
    from decimal import Decimal

    with sqlite_people.app.app_context():
        price()
    settings_are(credit_markup=Decimal("1.5"))
    anonymous = sqlite_people.browser()

    shown = re.findall(r'title="([^"]+ credits)"', anonymous.get("/models").text)
    offered = sqlite_people.browser(sqlite_people.alice).get("/api/models").json["models"][0]

    assert [float(one.split()[0].replace(",", "")) for one in (shown[0], shown[-1])] == [
        offered["inputCreditsPerMTok"],
        offered["outputCreditsPerMTok"],
    ]
    assert f"{shown[0]} in, {shown[-1]} out" in anonymous.get("/").text


def test_a_search_finds_models_by_name_and_says_when_there_is_none(sqlite_people):
    with sqlite_people.app.app_context():
        price()
    browser = sqlite_people.browser()

    assert "<code>" in browser.get("/models?q=GPT").text.partition("<tbody>")[2]
    assert "No model is called that." in browser.get("/models?q=nobody").text


def test_a_site_without_prices_says_what_is_missing(sqlite_people):
    assert "No model is offered yet" in sqlite_people.browser().get("/models").text


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_about_nobody_and_may_be_kept_for_a_minute(sqlite_people, path):
    answer = sqlite_people.app.test_client().get(path)

    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize("name", ["terms", "privacy"])
def test_the_operators_own_text_takes_the_placeholders_place(sqlite_people, settings_are, name):
    browser = sqlite_people.browser()
    assert "yet" in browser.get(f"/{name}").text

    settings_are(operator_name="Example Ltd", operator_email="people@example.com")
    named = browser.get(f"/{name}").text
    assert "Example Ltd" in named
    assert "mailto:people@example.com" in named
    assert "not" not in re.findall(r"<h2[^>]*>(.*?)</h2>", named)[0]

    settings_are(**{f"{name}_url": "https://example.com/ours"})
    assert browser.get(f"/{name}").location == "https://example.com/ours"


def test_security_txt_names_whom_to_tell_and_is_not_there_without(sqlite_people, settings_are):
    browser = sqlite_people.browser()
    settings_are(security_contact=("mailto:hole@example.com", "https://example.com/report"))

    told = browser.get("/.well-known/security.txt")

    assert told.mimetype == "text/plain"
    assert "Contact: mailto:hole@example.com\nContact: https://example.com/report\nExpires: 20" in told.text
    assert re.search(r"^Canonical: http.*/\.well-known/security\.txt$", told.text, re.MULTILINE)

    settings_are(security_contact=())
    assert browser.get("/.well-known/security.txt").status_code == 404
