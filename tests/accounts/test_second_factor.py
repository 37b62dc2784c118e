"""Two-step sign-in: turning it on and off, signing in with it, and codes that open nothing twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import log2

import pytest
import time_machine
from sqlalchemy import select

from tests.accounts.factors import FACTOR, SECURITY, begin, code, recovery_codes, turn_on
from tests.mailbox import link, mails, settings
from tokenboard.accounts.models import Person
from tokenboard.accounts.security_models import RecoveryCode, SecondFactor
from tokenboard.core.clock import now
from tokenboard.core.db import db


@pytest.fixture(autouse=True)
def in_the_middle_of_a_step():
    """The clock stands still there: a code must not grow old between being read and being typed."""
    with time_machine.travel(now().replace(second=15, microsecond=0), tick=False):
        yield


@pytest.fixture
def alice(people):
    return people.browser(people.alice)


def password_step(people, browser=None):
    browser = browser or people.browser()
    form = {"email": people.alice.email, "password": people.alice.password, "next": "/credits"}
    return browser, browser.post("/login", form)


def login(people, **more: str):
    body = {"email": people.alice.email, "password": people.alice.password} | more
    return people.app.test_client().post("/api/auth/login", json=body)


def test_it_is_turned_on_with_the_first_code_and_shows_recovery_codes_once(people, alice):
    elsewhere = people.browser(people.alice)
    secret, codes = turn_on(alice)

    assert len(set(codes)) == 10
    assert all(len(one.replace("-", "")) * log2(31) > 112 for one in codes)  # what a fast hash may keep (ASVS 6.5.2)
    page = alice.get(SECURITY).text
    assert "10\xa0recovery codes" in page
    assert codes[0] not in page
    assert elsewhere.get("/api/me").status_code == 401  # sessions without it have ended
    with people.app.app_context():
        kept = [row.code_hash for row in db.session.scalars(select(RecoveryCode))]
        assert secret not in db.session.scalars(select(SecondFactor)).one().sealed_secret
    assert not set(kept) & {one.replace("-", "") for one in codes}
    assert [mail.address for mail in mails(people.app, "accounts.second_factor")] == [people.alice.email]


def test_the_page_shows_the_secret_as_a_picture_without_any_style(people, alice):
    begin(alice)

    page = alice.get(FACTOR).text

    assert 'class="qr"' in page
    assert "style=" not in page


def test_a_wrong_first_code_turns_nothing_on(people, alice):
    secret = begin(alice)

    for wrong in ("000000", "", "12345", code(secret, steps=5), "x" * 2_000, "\u0661\u0662\u0663\u0664\u0665\u0666"):
        answer = alice.post(f"{FACTOR}/confirm", {"code": wrong})
        if answer.status_code == 429:
            break
        assert answer.status_code == 422
    assert password_step(people)[1].location == "/credits"


def test_signing_in_asks_for_the_code_and_opens_nothing_before(people, alice):
    secret, _ = turn_on(alice)

    browser, answer = password_step(people)
    assert (answer.status_code, answer.location) == (303, "/login/code?next=/credits")
    assert browser.get("/api/me").status_code == 401
    assert "One more step" in browser.get(answer.location).text
    done = browser.post("/login/code", {"code": code(secret), "next": "/credits"})
    assert (done.status_code, done.location) == (303, "/credits")
    assert browser.get("/api/me").status_code == 200


def test_a_code_opens_nothing_twice(people, alice):
    secret, _ = turn_on(alice)
    shown = code(secret)
    assert login(people, code=shown).status_code == 200

    assert login(people, code=shown).status_code == 401
    assert login(people, code=code(secret, steps=-1)).status_code == 401  # nor an older one
    assert login(people, code=code(secret, steps=1)).status_code == 200


def test_of_two_at_once_with_one_code_one_is_in(people, alice):
    secret, _ = turn_on(alice)
    shown = code(secret)

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(lambda _: login(people, code=shown).status_code, range(4)))

    assert answers == [200, 401, 401, 401]


def test_the_code_used_to_turn_it_on_is_used(people, alice):
    secret = begin(alice)
    shown = code(secret)
    alice.post(f"{FACTOR}/confirm", {"code": shown})

    assert login(people, code=shown).status_code == 401


def test_json_is_told_to_send_a_code(people, alice):
    secret, _ = turn_on(alice)

    answer = login(people)
    assert (answer.status_code, answer.json["code"]) == (401, "second_factor_required")
    assert "Set-Cookie" not in answer.headers
    assert login(people, code="000000").json["code"] == "invalid_credentials"
    assert login(people, code=f" {code(secret)[:3]} {code(secret)[3:]} ").status_code == 200


def test_a_code_without_the_password_is_nothing(people, alice):
    secret, _ = turn_on(alice)

    assert login(people, code=code(secret), password="wrong password").status_code == 401
    assert people.browser().post("/login/code", {"code": code(secret)}).location == "/login"
    assert login(people, code=code(secret)).status_code == 200  # and it was not used up


def test_a_recovery_code_stands_in_once(people, alice):
    _, codes = turn_on(alice)

    assert login(people, code=codes[0].upper().replace("-", " ")).status_code == 200
    assert login(people, code=codes[0]).status_code == 401
    browser, _ = password_step(people)
    assert browser.post("/login/code", {"code": codes[1]}).status_code == 303
    assert "8\xa0recovery codes" in browser.get(SECURITY).text


def test_new_recovery_codes_end_the_old_ones(people, alice):
    _, old = turn_on(alice)

    answer = alice.post(f"{SECURITY}/recovery-codes")

    fresh = recovery_codes(answer.text)
    assert not set(old) & set(fresh)
    assert login(people, code=old[0]).status_code == 401
    assert login(people, code=fresh[0]).status_code == 200


def test_the_second_step_waits_ten_minutes_and_few_tries(sqlite_people):
    people = sqlite_people
    secret, _ = turn_on(people.browser(people.alice))
    browser, _ = password_step(people)
    with time_machine.travel(now() + timedelta(minutes=11), tick=False):
        assert browser.post("/login/code", {"code": code(secret)}).location == "/login"
    password_step(people, browser)
    answers = [browser.post("/login/code", {"code": "000000"}).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429] or answers == [422] * 4 + [429] * 2
    another, _ = password_step(people)
    assert another.post("/login/code", {"code": code(secret)}).status_code == 429  # another browser counts along


def test_a_second_step_ends_when_the_password_changes(people, alice):
    secret, _ = turn_on(alice)
    browser, _ = password_step(people)
    form = {"current_password": people.alice.password, "password": "another long sentence"}
    assert alice.post(f"{SECURITY}/password", form).status_code == 303

    assert browser.post("/login/code", {"code": code(secret)}).location == "/login"


def test_a_new_password_by_mail_still_asks_for_the_code(people, alice):
    with people.app.app_context():
        db.session.get_one(Person, people.alice.id).email_verified_at = now()
        db.session.commit()
    turn_on(alice)
    people.app.test_client().post("/api/auth/forgot", json={"email": people.alice.email})
    people.browser().post(link(people.app, "accounts.reset"), {"password": "another long sentence"})

    assert login(people, password="another long sentence").json["code"] == "second_factor_required"


def test_it_is_turned_off_again(people, alice):
    turn_on(alice)

    assert [alice.post(f"{FACTOR}/remove").status_code for _ in range(2)] == [303, 303]
    assert login(people).status_code == 200
    with people.app.app_context():
        assert db.session.scalars(select(RecoveryCode)).all() == []


def test_confirming_asks_for_the_code_and_not_for_the_password(people, alice):
    secret, _ = turn_on(alice)
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        assert 'name="code"' in alice.get("/confirm").text
        assert alice.post("/confirm", {"password": people.alice.password}).status_code == 422
        assert alice.post("/confirm", {"code": code(secret), "next": SECURITY}).location == SECURITY


def test_a_session_left_open_turns_nothing_on_or_off(people, alice):
    turn_on(alice)
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        for path in (FACTOR, f"{FACTOR}/confirm", f"{FACTOR}/remove", f"{SECURITY}/recovery-codes"):
            assert alice.post(path).location.startswith("/confirm"), path


def test_administrators_may_be_made_to_have_one(people):
    ada = people.browser(people.ada)
    with settings(people.app, require_admin_mfa=True):
        assert ada.get("/admin").status_code == 403
        assert "two-step sign-in" in ada.get("/admin").text
        assert people.bearer(people.ada).get("/api/admin/webhooks").json["code"] == "second_factor_required"
        turn_on(ada)
        assert ada.get("/admin").status_code in {200, 303}
        refused = ada.post(f"{FACTOR}/remove")
        assert (refused.status_code, "Administrators need" in refused.text) == (403, True)
        assert people.browser(people.bob).get("/admin").status_code == 404


def test_json_sets_it_up_too(people):
    bob = people.bearer(people.bob)

    begun = bob.post("/api/account/second-factor")
    assert begun.status_code == 201
    assert begun.json["address"].startswith("otpauth://totp/")
    secret = begun.json["secret"]
    assert bob.post("/api/account/second-factor/confirm", {"code": "000000"}).status_code == 422
    done = bob.post("/api/account/second-factor/confirm", {"code": code(secret)})
    assert len(done.json["recoveryCodes"]) == 10
    assert bob.post("/api/account/second-factor").status_code == 409
    assert [bob.delete("/api/account/second-factor").status_code for _ in range(2)] == [204, 204]
