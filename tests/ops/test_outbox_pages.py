"""The development outbox: everything that was written, for whoever is signed in; in production it does not exist."""

from __future__ import annotations

import dataclasses

import pytest

from tests.people import People
from tokenboard.core.db import db
from tokenboard.notices import queries, service

OUTBOX = "/dev/outbox"


def _write(people: People, text: str = "Set a password: http://localhost/reset/once\n") -> str:
    with people.app.app_context():
        service.send_email(
            kind="accounts.reset",
            address="alice@example.com",
            subject="Your <b>link</b>",
            text=text,
            html="<p>Hello</p><script>alert(1)</script>",
            idempotency_key="k1",
        )
        db.session.commit()
        return queries.recent()[0].id


def test_a_message_is_listed_and_read_with_its_link(people: People, browser):
    notice_id = _write(people)
    charlie = browser(people.charlie)

    listed, read = charlie.get(OUTBOX), charlie.get(f"{OUTBOX}/{notice_id}")

    assert f'href="{OUTBOX}/{notice_id}"' in listed.text
    assert "Your &lt;b&gt;link&lt;/b&gt;" in listed.text
    assert 'href="http://localhost/reset/once"' in read.text


def test_a_messages_html_is_shown_never_drawn(people: People, browser):
    read = browser(people.alice).get(f"{OUTBOX}/{_write(people)}").text

    assert "<script>alert" not in read
    assert "&lt;script&gt;alert" in read


def test_an_empty_outbox_says_so(people: People, browser):
    assert "Nothing has been written" in browser(people.alice).get(OUTBOX).text


def test_a_message_that_is_not_there_is_not_found(people: People, browser):
    assert browser(people.alice).get(f"{OUTBOX}/{people.team_id}").status_code == 404
    assert browser(people.alice).get(f"{OUTBOX}/1").status_code == 404


def test_nobody_signed_in_sees_nothing(people: People, browser):
    notice_id = _write(people)

    assert browser(None).get(OUTBOX).location.startswith("/login")
    assert browser(None).get(f"{OUTBOX}/{notice_id}").location.startswith("/login")


@pytest.mark.parametrize("name", ["alice", "ada", None])
def test_in_production_there_is_no_outbox(people: People, browser, monkeypatch: pytest.MonkeyPatch, name: str | None):
    notice_id = _write(people)
    visitor = browser(getattr(people, name) if name else None)
    settings = people.app.extensions["settings"]
    monkeypatch.setitem(people.app.extensions, "settings", dataclasses.replace(settings, environment="production"))

    assert visitor.get(OUTBOX).status_code == 404
    assert visitor.get(f"{OUTBOX}/{notice_id}").status_code == 404
