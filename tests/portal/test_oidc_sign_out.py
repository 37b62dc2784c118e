"""Signing out here leads on to signing out at the provider, for those who came from there."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

from tests.portal.entering import ZOE, come_in, me, subject
from tokenboard.accounts.models import SignIn
from tokenboard.core.db import db


def test_who_came_from_the_provider_signs_out_there_too(people, mock, entered_through):
    with entered_through(people.app, mock):
        browser = people.browser()
        come_in(browser, mock, subject(mock, **ZOE))

        assert browser.post("/logout").location == "/signed-out"
        page = browser.get("/signed-out").text

        url = unescape(re.findall(r'http-equiv="refresh" content="1; url=([^"]+)"', page)[0])
        asked = parse_qs(urlsplit(url).query)
        assert url.startswith(f"{mock.url}/oauth2/end_session?")
        assert asked["post_logout_redirect_uri"] == ["http://localhost:8000/login"]
        assert asked["id_token_hint"][0].count(".") == 2
        assert me(browser) is None
        assert browser.get("/signed-out").location == "/login"  # once


def test_the_hint_is_kept_sealed(people, mock, entered_through):
    with entered_through(people.app, mock):
        browser = people.browser()
        come_in(browser, mock, subject(mock, **ZOE))

    with people.app.app_context():
        [sealed] = db.session.scalars(db.select(SignIn.sealed_id_token))
    assert sealed.startswith("v1.")


def test_who_came_with_a_password_is_not_sent_anywhere(people, mock, entered_through):
    with entered_through(people.app, mock):
        assert people.browser(people.alice).post("/logout").location == "/login"


def test_a_provider_that_is_gone_keeps_nobody_signed_in(people, mock, entered_through):
    browser = people.browser()
    with entered_through(people.app, mock):
        come_in(browser, mock, subject(mock, **ZOE))

    class Gone:
        discovery_url = "http://localhost:9/.well-known/openid-configuration"

    with entered_through(people.app, Gone()):
        assert browser.post("/logout").location == "/signed-out"
        assert browser.get("/signed-out").location == "/login"
    assert me(browser) is None
