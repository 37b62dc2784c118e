"""OIDC_ONLY: every password door is shut, and those who came through one before are out."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from tests.portal.entering import ZOE, come_in, me, subject, verify
from tokenboard.accounts.models import Person, SignIn
from tokenboard.core.clock import now
from tokenboard.core.db import db

PAGES = (
    "/register",
    "/setup/made-up",
    "/forgot",
    "/forgot/sent",
    "/reset",
    "/reset/made-up",
)
FORMS = ("/login", "/register", "/setup/made-up", "/forgot", "/reset/made-up", "/settings/security/password")
CALLS = {
    "/api/auth/login": {"email": "alice@example.com", "password": "correct horse battery staple"},
    "/api/auth/register": {"email": "new@example.com", "password": "correct horse battery staple"},
    "/api/auth/forgot": {"email": "alice@example.com"},
    "/api/account/password": {"password": "correct horse battery staple"},
    "/api/auth/reset": {"token": "x", "password": "correct horse battery staple"},
}


@pytest.fixture
def shut(people, mock, entered_through):
    with entered_through(people.app, mock, oidc_only=True):
        yield mock


@pytest.mark.parametrize("path", PAGES)
def test_a_page_behind_a_password_door_leads_to_the_sign_in(people, shut, path):
    answer = people.browser().get(path)

    assert (answer.status_code, answer.location) == (303, "/login")


@pytest.mark.parametrize("path", FORMS)
def test_a_form_behind_a_password_door_is_refused(people, shut, path):
    form = {"email": people.alice.email, "password": people.alice.password}

    assert people.browser().post(path, form).status_code == 403


@pytest.mark.parametrize("path", sorted(CALLS))
def test_a_call_behind_a_password_door_is_refused(people, shut, path):
    program = {"Authorization": "Bearer none"}  # what needs no cookie needs no form's token

    answer = people.app.test_client().post(path, json=CALLS[path], headers=program)

    assert (answer.status_code, answer.json["code"]) == (403, "oidc_only")


def test_no_password_door_is_left_out_of_these_lists(sqlite_app):
    shut = {
        rule.rule.replace("<token>", "made-up")
        for rule in sqlite_app.url_map.iter_rules()
        if hasattr(sqlite_app.view_functions[rule.endpoint], "is_password_door")
    }

    assert shut == {*PAGES, *FORMS, *CALLS}


def test_the_sign_in_offers_the_provider_alone(people, shut):
    for path in ("/login", "/"):
        text = people.browser().get(path).text
        assert 'name="password"' not in text
        assert "/register" not in text
        assert "/forgot" not in text
    assert "Continue with Acme" in people.browser().get("/login").text


def test_a_session_opened_with_a_password_counts_no_more(people, mock, entered_through):
    browser, program = people.browser(people.alice), people.bearer(people.alice)
    with entered_through(people.app, mock, oidc_only=True):
        assert me(browser) is None
        assert program.get("/api/me").status_code == 401


def test_a_password_confirms_nothing_and_the_provider_does(people, shut):
    verify(people, people.alice)
    who, alice = subject(shut, email=people.alice.email, email_verified=True), people.browser()
    come_in(alice, shut, who)
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        assert "Confirm with Acme" in alice.get("/confirm").text
        assert alice.post("/confirm", {"password": people.alice.password}).status_code == 403
        answer = alice.post("/api/auth/confirm", json={"password": people.alice.password})
        assert (answer.status_code, answer.json["code"]) == (403, "oidc_only")


def test_the_provider_confirms_for_its_own_person_only(people, shut):
    zoe, other = subject(shut, **ZOE), subject(shut, email="other@example.com", email_verified=True)
    browser = people.browser()
    come_in(browser, shut, zoe)
    come_in(people.browser(), shut, other)
    let_proofs_grow_old(people)  # in the rows: the provider's own clock does not travel
    assert come_in(browser, shut, other, "?purpose=confirm").status_code == 403
    assert browser.get("/confirm").status_code == 200
    assert come_in(browser, shut, zoe, "?purpose=confirm&next=/settings/security").location == "/settings/security"
    assert browser.get("/confirm?next=/credits").location == "/credits"


def test_a_provider_that_has_asked_long_ago_confirms_nothing(people, shut):
    who = subject(shut, **ZOE)
    browser = people.browser()
    come_in(browser, shut, who)
    let_proofs_grow_old(people)
    shut.set_user(who, **ZOE, auth_time=int(now().timestamp()) - 3_600)

    assert come_in(browser, shut, who, "?purpose=confirm").status_code == 403


def let_proofs_grow_old(people) -> None:
    with people.app.app_context():
        db.session.execute(update(SignIn).values(proven_at=now() - timedelta(minutes=16)))
        db.session.commit()


def test_an_account_nobody_has_confirmed_is_not_taken_and_the_page_says_what_to_do(people, shut):
    who = subject(shut, email=people.alice.email, email_verified=True)

    refused = come_in(people.browser(), shut, who)
    assert (refused.status_code, "Ask who runs this site" in refused.text) == (409, True)

    people.app.test_cli_runner().invoke(args=["accounts", "confirm-email", people.alice.email])
    browser = people.browser()
    come_in(browser, shut, who)
    assert me(browser) == people.alice.email


def test_the_first_administrator_comes_from_a_group(people, mock, entered_through):
    with entered_through(people.app, mock, oidc_only=True, oidc_admin_groups=("ops",)):
        come_in(people.browser(), mock, subject(mock, **ZOE, groups=["ops"]))

    with people.app.app_context():
        assert db.session.scalars(select(Person).where(Person.email == "zoe@example.com")).one().is_admin
