"""Step-up: acts that touch secrets, payments or how one signs in ask again who sits there."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from tokenboard.core.clock import now

LATER = timedelta(minutes=16)
FORM = {"email": "alice@new.example"}


def ask_for_proof(browser):
    """Any act that asks for it."""
    return browser.post("/settings/security/email", FORM, headers={"Referer": "http://localhost/settings/security"})


def test_who_has_just_signed_in_is_not_asked(people):
    assert ask_for_proof(people.browser(people.alice)).location == "/settings/security"


def test_the_page_asks_leads_back_and_asks_no_more_for_a_while(people):
    alice = people.browser(people.alice)
    with time_machine.travel(now() + LATER, tick=False) as clock:
        assert ask_for_proof(alice).location == "/confirm?next=/settings/security"
        assert "Confirm it is you" in alice.get("/confirm?next=/settings/security").text
        done = alice.post("/confirm", {"password": people.alice.password, "next": "/settings/security"})
        assert (done.status_code, done.location) == (303, "/settings/security")
        assert ask_for_proof(alice).location == "/settings/security"
        assert alice.get("/confirm?next=/credits").location == "/credits"
        clock.shift(LATER)
        assert ask_for_proof(alice).location == "/confirm?next=/settings/security"


def test_a_wrong_password_proves_nothing(people):
    alice = people.browser(people.alice)
    with time_machine.travel(now() + LATER, tick=False):
        for password in ("wrong password", "", "x" * 5_000, "nul\0byte"):
            assert alice.post("/confirm", {"password": password}).status_code == 422
        assert ask_for_proof(alice).location.startswith("/confirm")


def test_guessing_in_an_open_session_is_limited(sqlite_people):
    alice = sqlite_people.browser(sqlite_people.alice)

    assert [alice.post("/confirm", {"password": "wrong"}).status_code for _ in range(6)] == [422] * 5 + [429]
    assert alice.post("/api/auth/confirm", json={"password": "wrong"}).status_code == 429
    assert sqlite_people.browser(sqlite_people.bob).post("/confirm", {"password": "wrong"}).status_code == 422


def test_a_program_is_told_the_call_that_confirms(people):
    alice = people.bearer(people.alice)

    assert alice.post("/api/auth/confirm", {"password": "wrong password"}).status_code == 401
    assert alice.post("/api/auth/confirm", {"password": people.alice.password}).status_code == 204
    assert people.app.test_client().post("/api/auth/confirm", json={}).status_code == 401


def test_one_session_s_proof_is_not_another_s(people):
    first, second = people.browser(people.alice), people.browser(people.alice)
    with time_machine.travel(now() + LATER, tick=False):
        first.post("/confirm", {"password": people.alice.password})

        assert ask_for_proof(first).location == "/settings/security"
        assert ask_for_proof(second).location.startswith("/confirm")


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_after_confirming_only_places_of_this_site_are_gone_to(sqlite_people, wanted):
    alice = sqlite_people.browser(sqlite_people.alice)

    answer = alice.post("/confirm", {"password": sqlite_people.alice.password, "next": wanted})

    assert answer.location == "/dashboard"
