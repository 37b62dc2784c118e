"""Personal API tokens: shown once, as their person, and never enough to change how that person signs in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from tests.mailbox import settings
from tokenboard.accounts.models import Person
from tokenboard.accounts.security_models import ApiToken
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.redaction import redact

PATH = "/settings/security/tokens"


def make(browser, **form: str) -> str:
    answer = browser.post(PATH, {"name": "nightly report", "days": "90"} | form)
    assert answer.status_code == 201, answer.text
    return re.findall(r'<code id="new_token">([^<]+)</code>', answer.text)[0]


def ask(people, token: str, path: str = "/api/me", method: str = "GET", **more):
    headers = {"Authorization": f"Bearer {token}"}
    return people.app.test_client().open(path, method=method, headers=headers, **more)


def test_a_token_is_shown_once_and_stands_for_its_person(people):
    alice = people.browser(people.alice)
    token = make(alice)

    assert token.startswith("tbp_")
    assert ask(people, token).json["user"]["email"] == people.alice.email
    page = alice.get("/settings/security").text
    assert "nightly report" in page
    assert token not in page
    assert f"tbp_…{token[-4:]}" in page
    with people.app.app_context():
        row = db.session.scalars(select(ApiToken)).one()
        assert token not in (row.token_hash, row.id)
        assert row.last_used_at is not None
        assert row.last_used_from == "127.0.0.1"


def test_json_makes_lists_and_ends_them(people):
    bob = people.bearer(people.bob)

    made = bob.post("/api/account/tokens", {"name": "till"})
    assert made.status_code == 201
    assert set(made.json["token"]) == {"id", "name", "last4", "createdAt", "expiresAt", "lastUsedAt"}
    secret, token_id = made.json["secret"], made.json["token"]["id"]
    assert [one["name"] for one in bob.get("/api/account/tokens").json["tokens"]] == ["till"]
    assert people.bearer(people.charlie).delete(f"/api/account/tokens/{token_id}").status_code == 404
    assert ask(people, secret).status_code == 200
    assert [bob.delete(f"/api/account/tokens/{token_id}").status_code for _ in range(2)] == [204, 204]
    assert ask(people, secret).status_code == 401


def test_it_ends_by_its_date_by_hand_and_with_its_person(people):
    alice = people.browser(people.alice)
    token, endless = make(alice, days="30"), make(alice, days="0")
    with time_machine.travel(now() + timedelta(days=31), tick=False):
        assert ask(people, token).status_code == 401
        assert ask(people, endless).status_code == 200
    with people.app.app_context():
        db.session.get_one(Person, people.alice.id).is_disabled = True
        db.session.commit()
    assert ask(people, endless).status_code == 401


def test_it_outlives_the_session_that_made_it(people):
    alice = people.browser(people.alice)
    token = make(alice)
    alice.post("/logout")

    assert ask(people, token).status_code == 200
    assert ask(people, token, "/api/logout", "POST").status_code == 204
    assert ask(people, token).status_code == 200


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/api/auth/token", "POST", {}),
        ("/api/auth/confirm", "POST", {"password": "correct horse battery staple"}),
        ("/api/account/tokens", "POST", {"name": "x"}),
        ("/api/account/password", "POST", {"currentPassword": "x", "password": "another long sentence"}),
        ("/api/account/email", "POST", {"email": "a@new.example"}),
        ("/api/account/second-factor", "POST", {}),
        ("/api/connections", "POST", {"provider": "openai", "apiKey": "sk-admin-sandbox", "mode": "organization"}),
        ("/api/account/sessions", "GET", None),
    ],
)
def test_it_proves_no_presence(people, path, method, body):
    token = make(people.browser(people.alice))

    assert ask(people, token, path, method, json=body).status_code == 403


def test_it_opens_no_control_room_that_wants_a_second_factor(people):
    token = make(people.browser(people.ada))

    assert ask(people, token, "/api/admin/webhooks").status_code == 200
    with settings(people.app, require_admin_mfa=True):
        assert ask(people, token, "/api/admin/webhooks").status_code == 403


@pytest.mark.parametrize("token", ["tbp_", "tbp_x", "tbp_" + "x" * 43, "tbp_" + "é" * 20, "tbp_" + "x" * 5_000])
def test_a_made_up_token_is_nobody(sqlite_people, token):
    headers = {"Authorization": f"Bearer {token}".encode("latin-1", "replace").decode("latin-1")}

    assert sqlite_people.app.test_client().get("/api/me", headers=headers).status_code == 401


def test_a_cookie_does_not_stand_in_for_a_bad_token(people):
    alice = people.browser(people.alice)

    assert alice.get("/api/me", headers={"Authorization": "Bearer tbp_made-up"}).status_code == 401


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "", "days": "90"}, "name"),
        ({"name": "x" * 81, "days": "90"}, "name"),
        ({"name": "x", "days": "7"}, "days"),
    ],
)
def test_bad_input_is_told_at_its_field(sqlite_people, form, field):
    alice = sqlite_people.browser(sqlite_people.alice)

    whole = alice.post(PATH, form)
    piece = alice.post(PATH, form, headers={"HX-Request": "true", "HX-Target": "api_tokens"})

    assert (whole.status_code, piece.status_code) == (422, 422)
    assert f'id="token_{field}_error"' in whole.text
    assert piece.text.lstrip().startswith('<section class="card" id="api_tokens"')


def test_there_are_at_most_twenty(sqlite_people):
    alice = sqlite_people.bearer(sqlite_people.alice)

    answers = [alice.post("/api/account/tokens", {"name": "x"}).status_code for _ in range(21)]

    assert answers == [201] * 20 + [409]


def test_somebody_elses_token_cannot_be_ended(people):
    make(people.browser(people.alice))
    with people.app.app_context():
        token_id = db.session.scalars(select(ApiToken.id)).one()

    assert people.browser(people.bob).post(f"{PATH}/{token_id}/end").status_code == 404
    assert people.browser().post(f"{PATH}/{token_id}/end").location.startswith("/login")


def test_a_token_is_hidden_in_whatever_is_written_down():
    assert redact("sent tbp_abcdefghijklmnop along") == "sent tbp_[hidden] along"
