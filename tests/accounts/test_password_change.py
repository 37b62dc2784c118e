"""Another password: the present one is asked for, other sessions end, and the address is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from tests.mailbox import mails
from tokenboard.core.clock import now

PATH, NEW = "/settings/security/password", "another long sentence"


def test_the_page_changes_it_and_ends_other_sessions(people):
    alice, elsewhere = people.browser(people.alice), people.browser(people.alice)

    answer = alice.post(PATH, {"current_password": people.alice.password, "password": NEW})

    assert (answer.status_code, answer.location) == (303, "/settings/security")
    assert alice.get("/api/me").status_code == 200
    assert elsewhere.get("/api/me").status_code == 401
    login = {"email": people.alice.email, "password": NEW}
    assert people.app.test_client().post("/api/auth/login", json=login).status_code == 200
    assert [mail.address for mail in mails(people.app, "accounts.password_changed")] == [people.alice.email]


def test_json_does_the_same(people):
    alice = people.bearer(people.alice)
    body = {"currentPassword": people.alice.password, "password": NEW}

    assert alice.post("/api/account/password", body).status_code == 204
    assert alice.post("/api/account/password", body).status_code == 422  # that is not the password any more


@pytest.mark.parametrize(
    ("current", "password", "field"),
    [
        ("wrong password", NEW, "current_password"),
        ("", NEW, "current_password"),
        ("correct horse battery staple", "short", "new_password"),
        ("correct horse battery staple", "password1", "new_password"),
        ("correct horse battery staple", "alice@example.com", "new_password"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(sqlite_people, current, password, field):
    alice = sqlite_people.browser(sqlite_people.alice)

    answer = alice.post(PATH, {"current_password": current, "password": password})

    assert answer.status_code == 422
    assert f'id="{field}_error"' in answer.text
    assert alice.get("/api/me").status_code == 200


def test_a_session_left_open_is_not_enough(people):
    alice = people.browser(people.alice)
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        assert alice.post(PATH, {}).location.startswith("/confirm")
        answer = people.bearer(people.alice)
    with time_machine.travel(now() + timedelta(minutes=40), tick=False):
        refused = answer.post("/api/account/password", {"password": NEW})
        assert refused.status_code in {401, 403}
    assert people.browser().post(PATH, {}).location.startswith("/login")


def test_guessing_the_present_one_is_limited(sqlite_people):
    alice = sqlite_people.browser(sqlite_people.alice)

    answers = [alice.post(PATH, {"current_password": "x", "password": NEW}).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


def test_sessions_are_listed_and_ended_by_json(people):
    first, second = people.bearer(people.alice), people.bearer(people.alice)

    listed = first.get("/api/account/sessions").json["sessions"]
    assert {one["isCurrent"] for one in listed} == {True, False}
    assert people.bearer(people.bob).delete(f"/api/account/sessions/{second.sign_in_id}").status_code == 404
    assert [first.delete(f"/api/account/sessions/{second.sign_in_id}").status_code for _ in range(2)] == [204, 204]
    assert second.get("/api/me").status_code == 401
