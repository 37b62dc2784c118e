"""What surrounds every page."""

from __future__ import annotations

import dataclasses
import re

import pytest
from sqlalchemy.exc import OperationalError

from tests.people import Someone
from tokenboard.accounts.models import Person
from tokenboard.core.db import db


def test_only_pages_that_are_built_are_linked(sqlite_people):
    page = sqlite_people.browser(sqlite_people.alice).get("/account").text
    links = re.findall(r'<a href="(/[^"]*)"', page.partition('aria-label="Main"')[2].partition("</nav>")[0])

    browser = sqlite_people.browser(sqlite_people.alice)
    assert "/settings" in links
    assert all(browser.get(link).status_code in {200, 303} for link in links)


def test_the_page_one_is_on_is_marked(sqlite_people):
    page = sqlite_people.browser(sqlite_people.alice).get("/settings/general").text

    assert re.search(r'href="/settings" aria-current="page"', page)
    assert re.search(r'href="/settings/general" aria-current="page"', page)


def test_the_sandbox_is_announced_on_every_page_and_its_absence_is_silent(sqlite_people, monkeypatch):
    for browser in (sqlite_people.browser(), sqlite_people.browser(sqlite_people.alice)):
        for path in ("/login", "/settings/general"):
            assert "built-in sandbox" in browser.get(path, follow_redirects=True).text
    extensions = sqlite_people.app.extensions
    monkeypatch.setitem(extensions, "settings", dataclasses.replace(extensions["settings"], sandbox_url=""))

    assert "sandbox" not in sqlite_people.browser().get("/").text


def test_a_flash_is_shown_once(sqlite_people):
    browser = sqlite_people.browser(sqlite_people.alice)
    browser.post("/settings/general", {"display_name": "Alice L."})

    assert "Saved." in browser.get("/settings/general").text
    assert "Saved." not in browser.get("/settings/general").text


def test_the_settings_lead_to_the_first_tab(sqlite_people):
    assert sqlite_people.browser(sqlite_people.vera).get("/settings").location == "/settings/general"


def test_the_name_is_changed_and_a_bad_one_comes_back(people):
    browser = people.browser(people.alice)

    assert browser.post("/settings/general", {"display_name": " Alice Liddell "}).status_code == 303
    assert browser.get("/api/me").json["user"]["displayName"] == "Alice Liddell"
    refused = browser.post(
        "/settings/general", {"display_name": "x" * 81}, headers={"HX-Request": "true", "HX-Target": "profile"}
    )
    assert refused.status_code == 422
    assert "x" * 81 in refused.text
    assert "<html" not in refused.text


def test_markup_in_a_name_is_only_text(people):
    browser = people.browser(people.alice)
    browser.post("/settings/general", {"display_name": "<script>alert(1)</script>"})

    for path in ("/account", "/settings/general", "/settings/workspace"):
        assert "<script>alert" not in browser.get(path).text


def test_an_error_page_is_drawn_when_the_database_is_away(sqlite_people, monkeypatch):
    browser = sqlite_people.browser(sqlite_people.alice)

    def gone(_request):
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(sqlite_people.app.login_manager, "_request_callback", gone)

    assert browser.get("/account").status_code == 503
    assert "Not Found" in browser.get("/no/such/page").text


def test_somebody_whose_last_workspace_has_gone_reads_so_on_a_page(sqlite_people):
    with sqlite_people.app.app_context():
        nobody = Person(email="nobody@example.com")  # as an account that is being deleted looks to its last request
        db.session.add(nobody)
        db.session.commit()
        someone = Someone(nobody.id, nobody.email, "", "")
    browser = sqlite_people.browser(someone)

    for path, status in (("/nowhere", 404), ("/dashboard", 404), ("/credits", 404), ("/settings/security", 200)):
        answer = browser.get(path)
        assert (answer.status_code, "</main>" in answer.text) == (status, True), path
    assert browser.post("/logout").status_code == 303


@pytest.mark.parametrize("path", ["/", "/login", "/register", "/settings/general", "/settings/workspace", "/account"])
def test_no_page_holds_inline_script_or_style(sqlite_people, path):
    for browser in (sqlite_people.browser(), sqlite_people.browser(sqlite_people.alice)):
        page = browser.get(path, follow_redirects=True).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", page)


def test_a_signed_in_page_is_never_kept(sqlite_people):
    answer = sqlite_people.browser(sqlite_people.alice).get("/account")

    assert answer.headers["Cache-Control"] == "no-store"


def test_members_are_led_to_open_webui_where_there_is_one(sqlite_people, monkeypatch):
    link = '<a href="https://chat.example.com" rel="noreferrer">'
    alice = sqlite_people.browser(sqlite_people.alice)
    assert link not in alice.get("/account").text
    extensions = sqlite_people.app.extensions
    known = dataclasses.replace(extensions["settings"], openwebui_url="https://chat.example.com")
    monkeypatch.setitem(extensions, "settings", known)

    for path in ("/account", "/dashboard", "/keys"):
        assert link in alice.get(path).text
    assert "Open chat" in alice.get("/keys").text
