"""POST /api/credits/grant: the operator's key gives credits, once for each key, audited."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.conftest import ADMIN_API_KEY
from tests.people import People
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db
from tokenboard.wallet.adjustment_rules import KEY_DAILY_CAP_MICROS
from tokenboard.wallet.models import Adjustment

GRANT = "/api/credits/grant"
Give = Callable[..., TestResponse]
Posted = Callable[[str], int]


def test_credits_reach_a_person_by_e_mail_or_id_and_a_workspace_by_id(people: People, give: Give, posted: Posted):
    by_email = give(email="ALICE@example.com", amount=10)
    by_person = give(userId=people.alice.id, amount=20, idempotencyKey="b")
    to_team = give(workspaceId=people.team_id, amount=30)

    assert [one.status_code for one in (by_email, by_person, to_team)] == [200, 200, 200]
    assert (by_email.json["balance"], by_person.json["balance"], to_team.json["balance"]) == (1010, 1030, 30)
    assert (posted(people.alice.workspace_id), posted(people.team_id)) == (1_030_000_000, 30_000_000)


def test_the_same_key_gives_once(people: People, give: Give, posted: Posted):
    first, again = give(email="alice@example.com", amount=10), give(email="alice@example.com", amount=10)

    assert (again.status_code, again.json) == (200, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert give(email="alice@example.com", amount=11).status_code == 409
    assert posted(people.alice.workspace_id) == 1_010_000_000


def test_granted_credits_may_expire(people: People, give: Give):
    assert give(email="alice@example.com", amount=10, expiresAt="2199-01-31T12:00:00Z").status_code == 200
    page = people.browser(people.alice).get("/credits").text
    assert "expires" in page
    assert "31 Jan" in page.replace("\N{NO-BREAK SPACE}", " ")

    refused = give(email="alice@example.com", amount=10, expiresAt="2020-01-01", idempotencyKey="b")
    assert (refused.status_code, list(refused.json["fields"])) == (422, ["expiresAt"])


@pytest.mark.parametrize("receiver", [{}, {"userId": "a", "email": "alice@example.com"}])
def test_one_receiver_is_named(people: People, give: Give, receiver: dict[str, str]):
    assert give(amount=1, **receiver).status_code == 422


@pytest.mark.parametrize(
    "receiver", [{"userId": "test-user-id"}, {"email": "nobody@example.com"}, {"workspaceId": "x"}]
)
def test_a_receiver_that_is_not_there_is_404(people: People, give: Give, receiver: dict[str, str]):
    assert give(amount=1, **receiver).status_code == 404


def test_a_workspace_is_not_reached_through_its_owners_id_as_workspace(people: People, give: Give):
    assert give(workspaceId=people.alice.id, amount=1).status_code == 404


@pytest.mark.parametrize("key", ["", "wrong", ADMIN_API_KEY + "x", "é"])
def test_another_key_opens_nothing_and_learns_nothing_of_the_shape(people: People, give: Give, key: str):
    answer = give(key=key, nonsense=True)

    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


def test_a_session_is_no_key(people: People):
    answer = people.browser(people.ada).post(GRANT, json={"email": "ada@example.com", "amount": 1, "reason": "x"})

    assert answer.status_code == 401


def test_without_the_setting_the_call_is_off_and_says_which(people: People, give: Give):
    before = people.app.extensions["settings"]
    people.app.extensions["settings"] = dataclasses.replace(before, admin_api_key="")
    try:
        answer = give(email="alice@example.com", amount=1, key="")
    finally:
        people.app.extensions["settings"] = before

    assert (answer.status_code, answer.json["code"], answer.json["setting"]) == (503, "not_configured", "ADMIN_API_KEY")


def test_every_grant_is_audited_and_listed(people: People, give: Give):
    give(email="alice@example.com", amount=10)
    give(email="alice@example.com", amount=10)

    with people.app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "wallet.adjustment_posted")).one()
        row = db.session.scalars(select(Adjustment)).one()
    assert (entry.actor, entry.workspace_id) == ("admin-key", people.alice.workspace_id)
    assert (entry.subject, entry.facts["amount_micros"]) == (row.id, 10_000_000)


def test_even_the_key_has_a_daily_cap(people: People, give: Give, posted: Posted):
    most = KEY_DAILY_CAP_MICROS // 1_000_000
    assert give(email="alice@example.com", amount=most - 1).status_code == 200

    refused = give(email="alice@example.com", amount=2, idempotencyKey="b")

    assert (refused.status_code, refused.json["code"]) == (429, "daily_cap_reached")
    assert int(refused.headers["Retry-After"]) <= 86_400
    assert posted(people.alice.workspace_id) == (1000 + most - 1) * 1_000_000


def test_guessing_keys_is_rate_limited(sqlite_people: People):
    client = sqlite_people.app.test_client()
    answers = [client.post(GRANT, json={}, headers={"x-admin-key": str(n)}).status_code for n in range(61)]

    assert (answers[0], answers[-1]) == (401, 429)
