"""Sessions: what a cookie is worth, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import select, update
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tests.people import Browser
from tokenboard.accounts import service
from tokenboard.accounts.models import Person, SignIn
from tokenboard.app import create_app
from tokenboard.core.clock import now
from tokenboard.core.config import load_settings
from tokenboard.core.crypto import token_hash
from tokenboard.core.db import db


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/api/me").status_code == 200


def sign_ins(app, person_id: str) -> list[SignIn]:
    with app.app_context():
        return list(db.session.scalars(select(SignIn).where(SignIn.person_id == person_id)))


def test_signing_in_gives_a_new_token_and_drops_whatever_the_browser_held(people):
    browser = people.browser()
    with browser.client.session_transaction() as session:
        session["sign_in"] = "planted-by-somebody-else"
        session["workspace_id"] = people.charlie.workspace_id

    browser.post("/login", {"email": people.alice.email, "password": people.alice.password})

    with browser.client.session_transaction() as session:
        assert session["sign_in"] != "planted-by-somebody-else"
        assert "workspace_id" not in session
    assert is_signed_in(browser)


def test_only_the_hash_of_the_token_is_kept(people):
    browser = people.browser(people.alice)
    with browser.client.session_transaction() as session:
        token = session["sign_in"]

    kept = [one.token_hash for one in sign_ins(people.app, people.alice.id)]

    assert token_hash(token) in kept
    assert token not in kept
    assert len(token) >= 43  # 256 bits


def test_signing_in_again_ends_the_session_before(people):
    browser = people.browser(people.alice)
    first = sign_ins(people.app, people.alice.id)[0].id

    browser.post("/login", {"email": people.alice.email, "password": people.alice.password})

    ended = {one.id: one.ended_at is not None for one in sign_ins(people.app, people.alice.id)}
    assert ended.pop(first) is True
    assert list(ended.values()) == [False]


def test_a_cookie_kept_from_before_sign_out_opens_nothing(people):
    browser = people.browser(people.alice)
    stolen = browser.client.get_cookie("tb_session").value

    browser.post("/logout")

    thief = people.app.test_client()
    thief.set_cookie("tb_session", stolen)
    assert thief.get("/api/me").status_code == 401


def test_twelve_idle_hours_end_a_session(people):
    browser = people.browser(people.alice)

    with time_machine.travel(now() + timedelta(hours=11, minutes=59), tick=False):
        assert is_signed_in(browser)
    with time_machine.travel(now() + timedelta(hours=24), tick=False):
        assert not is_signed_in(browser)


def test_fourteen_days_end_a_session_that_is_in_use(people):
    browser = people.browser(people.alice)
    begun = now()

    for hours in range(6, 14 * 24, 6):
        with time_machine.travel(begun + timedelta(hours=hours), tick=False):
            assert is_signed_in(browser)
    with time_machine.travel(begun + timedelta(days=14, minutes=1), tick=False):
        assert not is_signed_in(browser)


def test_use_is_noted_at_most_once_a_minute(people):
    browser = people.browser(people.alice)
    begun = sign_ins(people.app, people.alice.id)[0].last_seen_at

    with time_machine.travel(begun + timedelta(seconds=59), tick=False):
        is_signed_in(browser)
    assert sign_ins(people.app, people.alice.id)[0].last_seen_at == begun

    later = begun + timedelta(seconds=61)
    with time_machine.travel(later, tick=False):
        is_signed_in(browser)
    assert sign_ins(people.app, people.alice.id)[0].last_seen_at == later


def test_a_page_is_answered_also_when_its_use_cannot_be_noted(sqlite_people, monkeypatch):
    browser = sqlite_people.browser(sqlite_people.alice)
    with sqlite_people.app.app_context():
        db.session.execute(update(SignIn).values(last_seen_at=now() - timedelta(minutes=5)))
        db.session.commit()
    real = db.session.execute

    def no_place_in_the_pool(statement, *given, **more):
        if getattr(statement, "is_update", False):
            raise PoolTimeout("QueuePool limit of size 8 overflow 0 reached")
        return real(statement, *given, **more)

    monkeypatch.setattr(db.session, "execute", no_place_in_the_pool)

    assert browser.get("/account").status_code == 200


def test_a_disabled_person_is_out_everywhere_at_once(people):
    browser, bearer = people.browser(people.bob), people.bearer(people.bob)
    with people.app.app_context():
        db.session.get_one(Person, people.bob.id).is_disabled = True
        db.session.commit()

    assert not is_signed_in(browser)
    assert bearer.get("/api/me").status_code == 401
    refused = people.browser().post("/login", {"email": people.bob.email, "password": people.bob.password})
    assert refused.status_code == 422


def test_ending_the_others_leaves_this_session(people):
    here, there = people.browser(people.alice), people.browser(people.alice)

    assert here.post("/account/sessions/end-others").status_code == 303

    assert is_signed_in(here)
    assert not is_signed_in(there)


def test_a_session_is_ended_from_the_account_page(people):
    here, there = people.browser(people.alice), people.bearer(people.alice)

    assert there.sign_in_id in here.get("/account").text
    assert here.post(f"/account/sessions/{there.sign_in_id}/end").status_code == 303
    assert here.post(f"/account/sessions/{there.sign_in_id}/end").status_code == 303

    assert there.get("/api/me").status_code == 401
    assert there.sign_in_id not in here.get("/account").text


def test_nobody_ends_the_session_of_somebody_else(people):
    alice = people.bearer(people.alice)

    assert people.browser(people.charlie).post(f"/account/sessions/{alice.sign_in_id}/end").status_code == 404

    assert alice.get("/api/me").status_code == 200


def test_the_cookie_is_httponly_lax_and_without_domain(sqlite_people):
    browser = sqlite_people.browser()

    answer = browser.post("/login", {"email": "alice@example.com", "password": sqlite_people.alice.password})

    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("tb_session="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(tmp_path, redis_url):
    # With the Redis of the other tests: the limiter is one for the process, and this application would move it.
    environ = {"BASE_URL": "https://tokens.example.com", "BCRYPT_COST": "4", "REDIS_URL": redis_url}
    app = create_app(load_settings(environ, instance_path=tmp_path))

    answer = app.test_client().get("/login", base_url="https://tokens.example.com")

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-tb=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_a_long_or_odd_user_agent_is_kept_short_and_printable(people):
    with people.app.app_context():
        alice = db.session.get_one(Person, people.alice.id)
        opened = service.open_session(alice, user_agent="Mozilla\0\x1b[31m" + "x" * 1000)
        db.session.commit()

        assert len(opened.sign_in.user_agent) == 300
        assert opened.sign_in.user_agent.isprintable()


def test_a_page_asks_the_database_twice_for_person_and_workspaces(people, count_queries):
    browser = people.browser(people.alice)

    with count_queries(people.app) as asked:
        assert browser.get("/settings/general").status_code == 200

    of_people = [statement for statement in asked if "sign_in" in statement or "membership" in statement]
    assert len(of_people) == 2, of_people
