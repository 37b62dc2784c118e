"""Another e-mail: the new mailbox confirms, the old one is told, and what was reported under it stays theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from tests.mailbox import link, mails, settings
from tokenboard.accounts.mailbox_service import past_emails
from tokenboard.accounts.models import Person
from tokenboard.core.clock import now
from tokenboard.core.db import db

PATH, NEW = "/settings/security/email", "alice@new.example"
KIND = "accounts.email_change"


def email_of(people, someone) -> str:
    with people.app.app_context():
        return db.session.get_one(Person, someone.id).email


def test_the_address_changes_when_the_new_mailbox_confirms(people):
    alice = people.browser(people.alice)

    answer = alice.post(PATH, {"email": " Alice@NEW.example "})

    assert (answer.status_code, answer.location) == (303, "/settings/security")
    assert email_of(people, people.alice) == people.alice.email
    assert [mail.address for mail in mails(people.app, KIND)] == [NEW]
    [warning] = mails(people.app, "accounts.email_change_asked")
    assert (warning.address, NEW in warning.body) == (people.alice.email, True)
    visitor, path = people.browser(), link(people.app, KIND)
    assert NEW in visitor.get(path).text
    assert visitor.post(path).location == "/login"
    assert email_of(people, people.alice) == NEW
    with people.app.app_context():
        assert db.session.get_one(Person, people.alice.id).email_verified_at is not None
        assert past_emails(people.alice.id) == [people.alice.email]
    assert [mail.address for mail in mails(people.app, "accounts.email_changed")] == [people.alice.email]


def test_a_link_is_used_once_and_for_half_an_hour(people):
    people.browser(people.alice).post(PATH, {"email": NEW})
    path = link(people.app, KIND)

    with time_machine.travel(now() + timedelta(minutes=31), tick=False):
        assert people.browser().post(path).status_code == 404
    assert [people.browser().post(path).status_code for _ in range(2)] == [303, 404]


@pytest.mark.parametrize(
    ("email", "status", "sentence"),
    [
        ("nobody", 422, "not an e-mail address"),
        ("", 422, "not an e-mail address"),
        ("alice@example.com", 422, "already"),
        ("bob@example.com", 409, "already an account"),
    ],
)
def test_what_cannot_be_the_new_address_is_told_why(people, email, status, sentence):
    alice = people.browser(people.alice)

    whole = alice.post(PATH, {"email": email})
    piece = alice.post(PATH, {"email": email}, headers={"HX-Request": "true", "HX-Target": "email_address"})

    assert (whole.status_code, piece.status_code) == (status, status)
    assert sentence in whole.text
    assert piece.text.lstrip().startswith('<section class="card" id="email_address"')
    assert mails(people.app, KIND) == []


def test_who_registers_with_the_address_meanwhile_keeps_it(people):
    people.browser(people.alice).post(PATH, {"email": NEW})
    body = {"email": NEW, "password": people.alice.password}
    assert people.app.test_client().post("/api/auth/register", json=body).status_code == 201

    assert people.browser().post(link(people.app, KIND)).status_code == 409
    assert email_of(people, people.alice) == people.alice.email


def test_a_session_left_open_cannot_take_the_account_away(people):
    alice = people.browser(people.alice)

    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        answer = alice.post(PATH, {"email": NEW}, headers={"Referer": "http://localhost/settings/security"})

    assert (answer.status_code, answer.location) == (303, "/confirm?next=/settings/security")
    assert mails(people.app, KIND) == []


def test_a_new_password_by_mail_ends_a_change_that_was_asked(people):
    people.browser(people.alice).post(PATH, {"email": NEW})
    people.app.test_client().post("/api/auth/forgot", json={"email": people.alice.email})
    people.browser().post(link(people.app, "accounts.reset"), {"password": "another long sentence"})

    assert people.browser().post(link(people.app, KIND)).status_code == 404


def test_asking_is_limited_and_needs_a_session(sqlite_people):
    alice = sqlite_people.browser(sqlite_people.alice)

    answers = [alice.post(PATH, {"email": f"a{n}@new.example"}).status_code for n in range(6)]

    assert answers == [303] * 5 + [429]
    assert sqlite_people.browser().post(PATH, {"email": NEW}).location.startswith("/login")


def test_production_without_mail_says_so(sqlite_people):
    alice = sqlite_people.browser(sqlite_people.alice)
    with settings(sqlite_people.app, environment="production"):
        answer = alice.post(PATH, {"email": NEW})

    assert answer.status_code == 503
    assert "sends no e-mail" in answer.text
