"""Coming in through a sign-in provider: there and back, who becomes whom, and every way it must not work."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import func, select

from tests.mailbox import SMTP, mails
from tests.portal.entering import ZOE, come_in, identities, me, subject, verify
from tokenboard.accounts.models import Person, SignIn
from tokenboard.core.db import db


@pytest.fixture
def through(people, mock, entered_through):
    """The application as it is entered through the handy provider."""
    with entered_through(people.app, mock):
        yield mock


def test_somebody_new_gets_an_account_with_workspace_and_credits(people, through):
    browser = people.browser()
    assert 'href="/login/oidc?next=/dashboard"' in browser.get("/login").text

    answer = come_in(browser, through, subject(through, **ZOE), "?next=/settings/general")

    assert (answer.status_code, answer.location) == (303, "/settings/general")
    user = browser.get("/api/me").json["user"]
    assert (user["email"], user["displayName"], user["balance"]) == ("zoe@example.com", "Zoe", 1000)
    with people.app.app_context():
        person = db.session.scalars(select(Person).where(Person.email == "zoe@example.com")).one()
        assert person.email_verified_at is not None
        assert person.password_hash == ""


def test_the_second_time_it_is_the_same_person_whatever_the_address_is_now(people, through):
    who = subject(through, **ZOE)
    first, second = people.browser(), people.browser()
    come_in(first, through, who)
    through.set_user(who, email="alice@example.com", email_verified=True)  # Alice's own, here

    come_in(second, through, who)

    assert me(first) == me(second) == "zoe@example.com"


def test_two_verified_sides_are_connected_by_the_address(people, through):
    verify(people, people.alice)
    browser = people.browser()

    come_in(browser, through, subject(through, email="Alice@example.com", email_verified=True))

    assert me(browser) == people.alice.email


@pytest.mark.parametrize("told", [False, None, "true", "false", 1])
def test_an_address_the_provider_has_not_verified_takes_no_account(people, through, told):
    verify(people, people.alice)
    browser = people.browser()
    claims = {"email": people.alice.email} | ({} if told is None else {"email_verified": told})

    answer = come_in(browser, through, subject(through, **claims))

    assert (answer.status_code, answer.location) == (303, "/login/oidc/connect")
    assert "You have an account here" in browser.get("/login/oidc/connect").text
    assert me(browser) is None
    assert browser.post("/login/oidc/connect").location.startswith("/login?next=")
    assert identities(people) == 0


def test_who_registered_a_strangers_address_does_not_get_the_strangers_sign_in(people, through):
    # Mallory has made an account with Zoe's address, which nobody has confirmed, and waits.
    mallory, zoe = people.browser(), people.browser()
    mallory.post("/register", {"email": "zoe@example.com", "password": people.alice.password})

    answer = come_in(zoe, through, subject(through, **ZOE))

    assert answer.location == "/login/oidc/connect"
    assert me(zoe) is None
    assert identities(people) == 0


def test_without_an_address_there_is_a_page_that_says_so(people, through):
    for claims in ({}, {"email": ""}, {"email": "nobody"}, {"email": 5}, {"email": ["a@b.c"]}):
        browser = people.browser()
        answer = come_in(browser, through, subject(through, **claims))
        assert answer.status_code == 422
        assert "told no e-mail" in answer.text
        assert me(browser) is None


def test_an_unverified_new_person_confirms_by_mail_where_there_is_mail(people, mock, entered_through):
    with entered_through(people.app, mock, smtp_url=SMTP):
        browser = people.browser()
        come_in(browser, mock, subject(mock, email="zoe@example.com"))

        assert browser.get("/api/me").json["user"]["balance"] == 0
        assert [mail.address for mail in mails(people.app, "accounts.verify")] == ["zoe@example.com"]


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"nonce": "another"}, "InvalidClaimError"),
        ({"aud": "another-client"}, "InvalidClaimError"),
        ({"iss": "https://evil.example"}, "InvalidClaimError"),
        ({"exp": 1}, "ExpiredTokenError"),
    ],
)
def test_a_token_for_another_time_place_or_sign_in_is_one_neutral_page(people, through, caplog, claims, kind):
    browser, who = people.browser(), subject(through, **ZOE, **claims)

    with caplog.at_level(logging.WARNING):
        answer = come_in(browser, through, who)

    assert answer.status_code == 400
    assert "That did not work" in answer.text
    assert kind not in answer.text
    assert kind in [getattr(record, "kind", "") for record in caplog.records]
    assert me(browser) is None
    with people.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SignIn)) == 0


def test_an_answer_is_taken_once_and_by_the_browser_that_asked(people, through):
    who, mine, other = subject(through, **ZOE), people.browser(), people.browser()
    back = through.come_back(mine.get("/login/oidc").location, who)

    assert other.get(back).status_code == 400
    assert me(other) is None
    assert mine.get(back).status_code == 303
    assert mine.get(back).status_code == 400  # the state is used


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?state=x&code=y", "?error=access_denied&state=x"])
def test_an_answer_nobody_asked_for_is_the_neutral_page(people, through, query):
    answer = people.browser().get(f"/login/oidc/callback{query}")

    assert answer.status_code == 400
    assert "That did not work" in answer.text


def test_who_says_no_there_is_not_in(people, through):
    browser = people.browser()

    answer = browser.get(through.deny(browser.get("/login/oidc").location))

    assert answer.status_code == 400
    assert me(browser) is None


def test_many_tabs_do_not_overflow_the_cookie_and_the_newest_three_count(people, through):
    browser, who = people.browser(), subject(through, **ZOE)
    addresses = [browser.get(f"/login/oidc?next=/{'x' * 300}").location for _ in range(12)]

    cookie = browser.client.get_cookie("tb_session")
    assert len(cookie.value) < 2_000
    assert browser.get(through.come_back(addresses[0], who)).status_code == 400
    assert browser.get(through.come_back(addresses[-3], who)).status_code == 303


def test_a_disabled_person_is_not_let_in(people, through):
    who = subject(through, **ZOE)
    come_in(people.browser(), through, who)
    with people.app.app_context():
        db.session.scalars(select(Person).where(Person.email == "zoe@example.com")).one().is_disabled = True
        db.session.commit()
    browser = people.browser()

    assert come_in(browser, through, who).status_code == 403
    assert me(browser) is None


def test_the_session_begins_anew(people, through):
    alice = people.browser(people.alice)
    with alice.client.session_transaction() as session:
        before = session["sign_in"]

    come_in(alice, through, subject(through, **ZOE))

    with alice.client.session_transaction() as session:
        assert session["sign_in"] != before
    assert me(alice) == "zoe@example.com"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_only_places_of_this_site_are_led_to(people, through, wanted):
    browser = people.browser()
    address = browser.get("/login/oidc", query_string={"next": wanted}).location

    assert browser.get(through.come_back(address, subject(through, **ZOE))).location == "/dashboard"


def test_a_name_that_cannot_be_kept_is_cut_to_what_can(people, through):
    browser = people.browser()

    come_in(browser, through, subject(through, **ZOE | {"name": "Z\u202eo\u0000e " + "x" * 200}))

    assert browser.get("/api/me").json["user"]["displayName"].startswith("Zoe x")


def test_a_provider_that_is_down_is_the_neutral_page(people, entered_through):
    class Gone:
        discovery_url = "http://localhost:9/.well-known/openid-configuration"

    with entered_through(people.app, Gone()):
        answer = people.browser().get("/login/oidc")

    assert answer.status_code == 502
    assert "That did not work" in answer.text


def test_without_a_provider_the_page_leads_to_the_sign_in(sqlite_people):
    assert sqlite_people.browser().get("/login/oidc").location == "/login"
    assert sqlite_people.browser().get("/login/oidc/callback?state=x&code=y").status_code == 400
    assert "/login/oidc" not in sqlite_people.browser().get("/login").text
