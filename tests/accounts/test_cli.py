"""`flask accounts …`: what an operator does for people on a site without mail."""

from __future__ import annotations

import re

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


def test_nobody_is_told_so(people):
    for command in ("reset-link", "confirm-email", "make-admin"):
        assert "Nobody is registered" in run(people, command, "nobody@example.com").output
        assert run(people, command, "not an e-mail").exit_code == 1
