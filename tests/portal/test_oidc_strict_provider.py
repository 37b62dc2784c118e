"""The same with a second, stricter provider: PKCE required, secret checked, e-mail told at userinfo only."""

from __future__ import annotations

import dataclasses

import pytest

from tests.portal.entering import ZOE, come_in, me, subject
from tokenboard.wiring import WiredClients


@pytest.fixture
def through(people, node, entered_through):
    with entered_through(people.app, node, oidc_admin_groups=("ops",)):
        yield node


def test_somebody_new_comes_in_with_what_userinfo_tells(people, through):
    browser = people.browser()

    answer = come_in(browser, through, subject(through, **ZOE, groups=["ops"]))

    assert (answer.status_code, answer.location) == (303, "/dashboard")
    user = browser.get("/api/me").json["user"]
    assert (user["email"], user["displayName"], user["isAdmin"]) == ("zoe@example.com", "Zoe", True)


def test_an_unverified_address_takes_no_account(people, through):
    browser = people.browser()

    answer = come_in(browser, through, subject(through, email=people.alice.email, email_verified=False))

    assert answer.location == "/login/oidc/connect"
    assert me(browser) is None


def test_a_wrong_secret_or_verifier_is_refused_there_and_here(people, through):
    who, browser = subject(through, **ZOE), people.browser()
    back = through.come_back(browser.get("/login/oidc").location, who)
    with browser.client.session_transaction() as session:
        session["oidc_attempts"] = [[*one[:3], "another" * 8, *one[4:]] for one in session["oidc_attempts"]]
    assert browser.get(back).status_code == 400

    wrong = dataclasses.replace(people.app.extensions["settings"], oidc_client_secret="another")
    people.app.extensions["clients"] = WiredClients(wrong)
    assert come_in(browser, through, who).status_code == 400
    assert me(browser) is None


def test_a_code_is_used_once(people, through):
    who, browser = subject(through, **ZOE), people.browser()
    back = through.come_back(browser.get("/login/oidc").location, who)
    with browser.client.session_transaction() as session:
        kept = list(session["oidc_attempts"])

    assert browser.get(back).status_code == 303
    with browser.client.session_transaction() as session:
        session["oidc_attempts"] = kept  # even if the state could be brought again
    assert browser.get(back).status_code == 400


def test_signing_out_is_asked_with_the_hint(people, through):
    browser = people.browser()
    come_in(browser, through, subject(through, **ZOE))
    browser.post("/logout")

    assert f"{through.url}/session/end?id_token_hint=" in browser.get("/signed-out").text
