"""A forgotten password: a mailed link, once, for half an hour; whoever asks learns nothing."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event, select

from tests.mailbox import link, mails, settings, token
from tokenboard.accounts.models import OneTimeToken, Person
from tokenboard.accounts.security_models import ApiToken, OidcIdentity, SecondFactor
from tokenboard.core.clock import now
from tokenboard.core.db import db

NEW = "another long sentence"
RESET = "accounts.reset"


def ask(people, email: str):
    return people.app.test_client().post("/api/auth/forgot", json={"email": email})


def sign_in(people, password: str) -> int:
    body = {"email": people.alice.email, "password": password}
    return people.app.test_client().post("/api/auth/login", json=body).status_code


def test_the_pages_lead_from_the_forgotten_to_the_new_password(people):
    visitor, elsewhere = people.browser(), people.browser(people.alice)
    assert 'href="/forgot"' in visitor.get("/login").text

    answer = visitor.post("/forgot", {"email": " Alice@example.com"})
    assert (answer.status_code, answer.location) == (303, "/forgot/sent")
    assert "If there is an account" in visitor.get("/forgot/sent").text
    path = link(people.app, RESET)
    assert "alice@example.com" in visitor.get(path).text
    answer = visitor.post(path, {"password": NEW})

    assert (answer.status_code, answer.location) == (303, "/login")
    assert (sign_in(people, people.alice.password), sign_in(people, NEW)) == (401, 200)
    assert elsewhere.get("/api/me").status_code == 401  # every session has ended
    assert [mail.address for mail in mails(people.app, "accounts.password_changed")] == [people.alice.email]


def test_json_does_the_same(people):
    assert (ask(people, people.alice.email).status_code, ask(people, people.alice.email).json) == (202, {})
    client = people.app.test_client()

    done = client.post("/api/auth/reset", json={"token": token(people.app, RESET), "password": NEW})

    assert (done.status_code, done.data) == (204, b"")
    assert sign_in(people, NEW) == 200


def test_known_and_unknown_addresses_get_one_answer(people):
    known, unknown = ask(people, people.alice.email), ask(people, "nobody@example.com")

    assert (known.status_code, known.json) == (unknown.status_code, unknown.json) == (202, {})
    assert [mail.address for mail in mails(people.app, RESET)] == [people.alice.email]


def test_known_and_unknown_addresses_cost_the_same_statements_but_for_the_mail_itself(sqlite_people):
    def statements(email: str) -> list[str]:
        sent: list[str] = []

        def note(_connection, _cursor, statement, *_more):
            sent.append(re.sub(r"\s+", " ", statement)[:24])

        with sqlite_people.app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            ask(sqlite_people, email)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return sorted(sent)

    known, unknown = statements("alice@example.com"), statements("nobody@example.com")

    assert [one for one in known if "notice" not in one] == unknown


def test_a_link_is_used_once_also_by_two_at_once(people):
    ask(people, people.alice.email)
    given = token(people.app, RESET)

    def use(number: int) -> int:
        body = {"token": given, "password": f"{NEW} {number}"}
        return people.app.test_client().post("/api/auth/reset", json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(use, range(4)))

    assert answers == [204, 404, 404, 404]
    assert people.browser().get(f"/reset/{given}").status_code == 404


def test_only_the_newest_link_counts_and_only_for_half_an_hour(people):
    ask(people, people.alice.email)
    first = token(people.app, RESET)
    ask(people, people.alice.email)
    second = token(people.app, RESET)
    visitor = people.browser()

    assert visitor.get(f"/reset/{first}").status_code == 404
    assert visitor.get(f"/reset/{second}").status_code == 200
    with time_machine.travel(now() + timedelta(minutes=31), tick=False):
        assert visitor.post(f"/reset/{second}", {"password": NEW}).status_code == 404


def test_the_token_is_kept_nowhere_but_sealed(people):
    ask(people, people.alice.email)
    given = token(people.app, RESET)

    with people.app.app_context():
        kept = [row.token_hash for row in db.session.scalars(select(OneTimeToken))]
    mail = mails(people.app, RESET)[-1]
    assert given not in (*kept, mail.body, mail.body_html, mail.sealed_secret)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "At least 8"),
        ("x" * 129, "At most 128"),
        ("alice@example.com", "easy to guess"),
        ("", "At least 8"),
    ],
)
def test_a_bad_password_is_told_why_and_the_link_lives_on(people, password, sentence):
    ask(people, people.alice.email)
    path, visitor = link(people.app, RESET), people.browser()

    answer = visitor.post(path, {"password": password})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert visitor.post(path, {"password": NEW}).status_code == 303


@pytest.mark.parametrize("body", [{}, {"email": "nobody"}, {"email": 5}, {"email": "nul\0@example.com"}])
def test_bad_input_is_422_and_names_the_field(sqlite_people, body):
    answer = sqlite_people.app.test_client().post("/api/auth/forgot", json=body)

    assert (answer.status_code, set(answer.json["fields"])) == (422, {"email"})
    assert sqlite_people.browser().post("/forgot", {"email": "nobody"}).status_code == 422


@pytest.mark.parametrize("given", ["x", "é", "%00", "x" * 2_000])
def test_a_made_up_link_is_not_found(sqlite_people, given):
    for path in ("/reset", "/verify", "/account/email"):
        assert sqlite_people.browser().get(f"{path}/{given}").status_code == 404
        assert sqlite_people.browser().post(f"{path}/{given}").status_code == 404
    client = sqlite_people.app.test_client()
    assert client.post("/api/auth/reset", json={"token": "made up", "password": NEW}).status_code == 404
    assert client.post("/api/auth/reset", json={"token": "", "password": NEW}).status_code == 422


def test_a_link_for_another_purpose_or_a_disabled_person_opens_nothing(people):
    ask(people, people.alice.email)
    given = token(people.app, RESET)

    assert people.browser().get(f"/verify/{given}").status_code == 404
    with people.app.app_context():
        db.session.get_one(Person, people.alice.id).is_disabled = True
        db.session.commit()
    assert people.browser().post(f"/reset/{given}", {"password": NEW}).status_code == 404
    assert ask(people, people.alice.email).status_code == 202
    assert len(mails(people.app, RESET)) == 1


def test_asking_is_limited_alike_for_known_and_unknown(sqlite_people):
    for email in ("alice@example.com", "nobody@example.com"):
        assert [ask(sqlite_people, email).status_code for _ in range(4)] == [202, 202, 202, 429]
    assert sqlite_people.browser().post("/forgot", {"email": "ALICE@example.com"}).status_code == 429


def test_production_without_mail_says_so_to_everybody(sqlite_people):
    with settings(sqlite_people.app, environment="production"):
        for email in ("alice@example.com", "nobody@example.com"):
            answer = ask(sqlite_people, email)
            assert (answer.status_code, answer.json["setting"]) == (503, "SMTP_URL")
        assert "sends no e-mail" in sqlite_people.browser().post("/forgot", {"email": "bob@example.com"}).text


def test_what_a_stranger_put_into_an_unconfirmed_account_is_gone_after_a_reset(people):
    alice = people.alice.id
    with people.app.app_context():
        db.session.add_all(
            [
                OidcIdentity(person_id=alice, issuer="https://issuer.example", subject="mallory"),
                SecondFactor(person_id=alice, sealed_secret="x", confirmed_at=now()),
                ApiToken(person_id=alice, name="mallory", token_hash="h", last4="0000"),
            ]
        )
        db.session.commit()
    ask(people, people.alice.email)

    people.browser().post(link(people.app, RESET), {"password": NEW})

    with people.app.app_context():
        assert db.session.scalars(select(OidcIdentity)).all() == []
        assert db.session.scalars(select(SecondFactor)).all() == []
        assert db.session.scalars(select(ApiToken)).one().ended_at is not None
        assert db.session.get_one(Person, alice).email_verified_at is not None


def test_a_confirmed_account_keeps_its_second_factor(people):
    with people.app.app_context():
        db.session.get_one(Person, people.alice.id).email_verified_at = now()
        db.session.add(SecondFactor(person_id=people.alice.id, sealed_secret="x", confirmed_at=now()))
        db.session.commit()
    ask(people, people.alice.email)

    people.browser().post(link(people.app, RESET), {"password": NEW})

    with people.app.app_context():
        assert len(db.session.scalars(select(SecondFactor)).all()) == 1


def test_the_address_without_a_link_leads_to_asking_for_one(sqlite_people):
    answer = sqlite_people.browser().get("/reset")

    assert (answer.status_code, answer.location) == (303, "/forgot")
