"""Connecting an identity at the provider with an account, and taking it away again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from tests.portal.entering import ZOE, come_in, identities, me, subject
from tokenboard.accounts.security_models import OidcIdentity
from tokenboard.core.clock import now
from tokenboard.core.db import db


@pytest.fixture
def through(people, mock, entered_through):
    """The application as it is entered through the handy provider."""
    with entered_through(people.app, mock):
        yield mock


def test_the_password_connects_what_the_address_alone_does_not(people, through):
    who, browser = subject(through, email=people.alice.email), people.browser()
    come_in(browser, through, who)

    form = {"email": people.alice.email, "password": people.alice.password, "next": "/login/oidc/connect"}
    assert browser.post("/login", form).location == "/login/oidc/connect"
    assert "Connect Acme?" in browser.get("/login/oidc/connect").text
    assert browser.post("/login/oidc/connect").location == "/settings/security"
    browser.post("/login/oidc/connect")  # twice is once

    again = people.browser()
    come_in(again, through, who)
    assert me(again) == people.alice.email
    assert identities(people) == 1


def test_an_identity_that_waits_is_forgotten_after_a_quarter_of_an_hour(people, through):
    browser = people.browser()
    come_in(browser, through, subject(through, email=people.alice.email))

    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        assert browser.get("/login/oidc/connect").location == "/login"


def test_a_signed_in_person_connects_and_disconnects(people, through):
    who, alice = subject(through, **ZOE), people.browser(people.alice)

    assert come_in(alice, through, who, "?purpose=connect").location == "/login/oidc/connect"
    alice.post("/login/oidc/connect")

    assert "zoe@example.com" in alice.get("/settings/security").text
    with people.app.app_context():
        [identity] = db.session.scalars(select(OidcIdentity))
    path = f"/settings/security/identities/{identity.id}/remove"
    assert people.browser(people.bob).post(path).status_code == 404
    assert [alice.post(path).status_code for _ in range(2)] == [303, 404]


def test_an_identity_belongs_to_one_account(people, through):
    who = subject(through, **ZOE)
    come_in(people.browser(), through, who)
    alice = people.browser(people.alice)
    come_in(alice, through, who, "?purpose=connect")

    assert alice.post("/login/oidc/connect").status_code == 409


def test_the_only_way_in_cannot_be_disconnected(people, through):
    browser = people.browser()
    come_in(browser, through, subject(through, **ZOE))
    with people.app.app_context():
        [identity] = db.session.scalars(select(OidcIdentity))

    answer = browser.post(f"/settings/security/identities/{identity.id}/remove")

    assert answer.status_code == 409
    assert "only way" in answer.text
