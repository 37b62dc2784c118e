"""Confirming an address: with mail set up the welcome credits wait for it, and come once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from tests.mailbox import SMTP, link, mails, settings, token
from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.notices.service import SECRET_PLACE

KIND = "accounts.verify"
ZOE = {"email": "zoe@example.com", "password": "correct horse battery staple"}


@pytest.fixture
def zoe(people):
    """A browser of somebody who has just registered where mail is set up."""
    with settings(people.app, smtp_url=SMTP):
        browser = people.browser()
        assert browser.post("/register", ZOE).status_code == 303
        yield browser


def balance(browser) -> float:
    return browser.get("/api/me").json["user"]["balance"]


def test_the_credits_come_when_the_address_is_confirmed_and_once(people, zoe):
    assert balance(zoe) == 0
    assert "Please confirm zoe@example.com" in zoe.get("/dashboard").text
    path = link(people.app, KIND)
    assert "Is this your address?" in zoe.get(path).text
    assert balance(zoe) == 0  # a look uses nothing

    assert [zoe.post(path).status_code for _ in range(2)] == [303, 404]
    assert balance(zoe) == 1000
    assert "Please confirm" not in zoe.get("/dashboard").text


def test_json_confirms_without_a_session(people, zoe):
    given = {"token": token(people.app, KIND)}
    client = people.app.test_client()

    assert [client.post("/api/auth/verify", json=given).status_code for _ in range(2)] == [204, 404]
    assert balance(zoe) == 1000


def test_a_new_password_by_mail_confirms_too(people, zoe):
    people.app.test_client().post("/api/auth/forgot", json={"email": ZOE["email"]})
    people.browser().post(link(people.app, "accounts.reset"), {"password": "another long sentence"})

    again = people.browser()
    again.post("/login", ZOE | {"password": "another long sentence"})
    assert balance(again) == 1000


def test_the_link_may_be_sent_again_and_the_older_one_ends(people, zoe):
    first = link(people.app, KIND)

    assert zoe.post("/verify").status_code == 303
    assert [people.browser().get(path).status_code for path in (first, link(people.app, KIND))] == [404, 200]
    zoe.post(link(people.app, KIND))
    zoe.post("/verify")
    assert len(mails(people.app, KIND)) == 2  # nothing is left to confirm


def test_a_link_lasts_a_day_and_ends_when_the_address_changes(people, zoe):
    path = link(people.app, KIND)
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        assert people.browser().post(path).status_code == 404
    with people.app.app_context():
        db.session.scalars(select(Person).where(Person.email == ZOE["email"])).one().email = "zoe@new.example"
        db.session.commit()
    assert people.browser().post(path).status_code == 404


def test_without_mail_nothing_waits_and_nothing_is_sent(people):
    browser = people.browser()
    browser.post("/register", ZOE)

    assert balance(browser) == 1000
    assert mails(people.app, KIND) == []
    assert "Please confirm" not in browser.get("/dashboard").text
    browser.post("/verify")  # and may still be confirmed, through the development outbox
    assert browser.post(link(people.app, KIND)).status_code == 303
    assert balance(browser) == 1000


def test_letters_have_both_bodies_say_the_same_and_ask_for_nothing(people, zoe):
    [mail] = mails(people.app, KIND)

    for body in (mail.body, mail.body_html):
        assert f"http://localhost:8000/verify/{SECRET_PLACE}" in body
        assert "1000 welcome credits" in body
    assert "<img" not in mail.body_html
    assert "style=" not in mail.body_html


def test_a_letter_to_somebody_unknown_repeats_no_name(people):
    with settings(people.app, smtp_url=SMTP):
        people.browser().post("/register", ZOE | {"display_name": "Win money at evil.example"})

    [mail] = mails(people.app, KIND)
    assert "evil.example" not in mail.body + mail.body_html + mail.subject


def test_the_outbox_shows_the_link_ready_to_follow(people):
    browser = people.browser(people.alice)
    browser.post("/verify")
    [mail] = mails(people.app, KIND)

    assert f'href="http://localhost:8000{link(people.app, KIND)}"' in browser.get(f"/dev/outbox/{mail.id}").text
