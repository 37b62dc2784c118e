"""`flask accounts …`: what an operator does for people on a site without mail."""

from __future__ import annotations

import re

from tests.accounts.factors import turn_on
from tests.mailbox import mails, settings
from tokenboard.accounts.models import Person
from tokenboard.core.db import db


def run(people, *words: str):
    return people.app.test_cli_runner().invoke(args=["accounts", *words])


def test_a_printed_link_chooses_a_new_password(people):
    done = run(people, "reset-link", " ALICE@example.com")
    path = re.findall(r"http://localhost:8000(/reset/\S+)", done.output)[0]

    assert people.browser().post(path, {"password": "another long sentence"}).status_code == 303


def test_the_operator_vouches_for_an_address(people):
    for _ in range(2):
        assert run(people, "confirm-email", people.alice.email).exit_code == 0

    with people.app.app_context():
        assert db.session.get_one(Person, people.alice.id).email_verified_at is not None


def test_who_lost_app_and_codes_is_let_back_in_and_everything_that_was_open_ends(people):
    ada = people.browser(people.ada)
    with settings(people.app, require_admin_mfa=True):
        turn_on(ada, steps=0)
        done = run(people, "remove-second-factor", people.ada.email)

        assert done.exit_code == 0, done.output
        assert ada.get("/api/me").status_code == 401
        form = {"email": people.ada.email, "password": people.ada.password}
        back = people.browser()
        assert back.post("/login", form).location != "/login/code"
        assert back.get("/admin").status_code == 403  # until there is a new one
    assert [mail.address for mail in mails(people.app, "accounts.second_factor")] == [people.ada.email] * 2
    again = run(people, "remove-second-factor", people.ada.email)
    assert (again.exit_code, "has no two-step sign-in" in again.output) == (1, True)


def test_nobody_is_told_so(people):
    for command in ("reset-link", "confirm-email", "make-admin", "remove-second-factor"):
        assert "Nobody is registered" in run(people, command, "nobody@example.com").output
        assert run(people, command, "not an e-mail").exit_code == 1
