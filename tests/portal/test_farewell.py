"""Deleting an account: what must be settled first, what is destroyed, what stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from tests.mailbox import mails
from tokenboard.accounts.models import Person, SignIn
from tokenboard.audit.models import AuditEntry
from tokenboard.billing.models import Subscription
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs.models import Connection
from tokenboard.keys import key_service
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import Limits
from tokenboard.ledger.invariants import check
from tokenboard.notices.models import Notice
from tokenboard.workspaces.models import Invitation, Membership, Workspace

PAGE, PATH = "/settings/data", "/settings/data/delete"


def delete(people, someone, browser=None):
    return (browser or people.browser(someone)).post(PATH, {"email": someone.email})


def test_the_account_goes_and_nothing_opens_it_any_more(people):
    charlie, program = people.browser(people.charlie), people.bearer(people.charlie)
    assert "You give up 1,000 credits ($10.00)." in charlie.get(PAGE).text
    assert "Delete my account and 1,000 credits ($10.00)" in charlie.get(PAGE).text

    answer = delete(people, people.charlie, charlie)

    assert (answer.status_code, answer.location) == (303, "/")
    assert charlie.get("/api/me").status_code == 401
    assert program.get("/api/me").status_code == 401
    login = {"email": people.charlie.email, "password": people.charlie.password}
    assert people.app.test_client().post("/api/auth/login", json=login).status_code == 401
    assert people.app.test_client().post("/api/auth/register", json=login).status_code == 201  # the address is free


def test_nothing_names_the_person_and_the_books_stay_whole(people):
    with people.app.app_context():
        before = db.session.scalar(select(func.count()).select_from(AuditEntry))
        db.session.add(
            Invitation(
                workspace_id=people.team_id,
                email=people.charlie.email,
                role="viewer",
                token_hash="x",
                expires_at=now() + timedelta(days=7),
            )
        )
        db.session.commit()
    people.app.test_client().post("/api/auth/forgot", json={"email": people.charlie.email})

    delete(people, people.charlie)

    with people.app.app_context():
        person = db.session.get_one(Person, people.charlie.id)
        assert person.email == f"{person.id}@deleted.invalid"
        assert (person.display_name, person.password_hash, person.is_disabled) == ("", "", True)
        assert person.name == "Somebody who left"
        assert {one.ip_address for one in db.session.scalars(select(SignIn).where(SignIn.person_id == person.id))} == {
            ""
        }
        assert db.session.get_one(Workspace, people.charlie.workspace_id).name == "Closed workspace"
        assert db.session.scalars(select(Invitation.email)).all() == [person.email]
        kinds = db.session.scalars(select(Notice.kind).where(Notice.address == people.charlie.email)).all()
        assert kinds == ["accounts.goodbye"]
        assert db.session.scalar(select(func.count()).select_from(AuditEntry)) > before
        assert check() == []
    assert [mail.address for mail in mails(people.app, "accounts.goodbye")] == [people.charlie.email]


def test_keys_are_shredded_and_revoked_and_conversations_erased(people):
    connect = {"apiKey": "sk-admin-sandbox", "mode": "organization"}
    assert people.bearer(people.charlie).post("/api/openai/connect", connect).status_code == 200
    with people.app.app_context():
        own = db.session.get_one(Workspace, people.charlie.workspace_id)
        charlie = db.session.get_one(Person, people.charlie.id)
        key_service.create_key(workspace=own, person=charlie, name="mine", limits=Limits())
        talk = Conversation(workspace_id=own.id, person_id=charlie.id, title="Private", model="m")
        db.session.add(talk)
        db.session.flush()
        db.session.add(Message(conversation_id=talk.id, position=1, role="user", content="private", status="done"))
        db.session.commit()

    delete(people, people.charlie)

    with people.app.app_context():
        [connection] = db.session.scalars(select(Connection))
        assert (connection.sealed_key, connection.key_fingerprint, connection.status) == ("", "", "removed")
        assert db.session.scalars(select(VirtualKey.state)).all() == ["revoked"]
        assert db.session.scalars(select(Message.content)).all() == [""]
        assert db.session.scalars(select(Conversation.title)).all() == [""]


def test_who_owns_a_team_with_others_hands_it_over_first(people):
    alice = people.browser(people.alice)
    assert "Acme has 3 other members. Hand it over, or remove them, first." in alice.get(PAGE).text

    assert delete(people, people.alice, alice).location == PAGE
    refused = people.bearer(people.alice).delete("/api/account", {"email": people.alice.email})
    assert (refused.status_code, refused.json["code"], len(refused.json["obstacles"])) == (409, "account_in_use", 1)
    assert alice.get("/api/me").status_code == 200

    alice.post(f"/settings/workspace/members/{people.bob.id}/make-owner", {"workspace_id": people.team_id})
    assert delete(people, people.alice, alice).location == "/"
    members = people.bearer(people.bob).get(f"/api/workspaces/{people.team_id}/members").json["members"]
    assert people.alice.id not in {one["id"] for one in members}


def test_a_plan_that_renews_is_cancelled_first(people):
    with people.app.app_context():
        db.session.add(
            Subscription(
                workspace_id=people.charlie.workspace_id,
                provider_id="sub_1",
                price_provider_id="price_1",
                status="active",
                told_at=now(),
            )
        )
        db.session.commit()

    assert "renews. Cancel it first." in people.browser(people.charlie).get(PAGE).text
    assert delete(people, people.charlie).location == PAGE


def test_the_only_administrator_stays(people):
    assert "only administrator" in people.browser(people.ada).get(PAGE).text
    assert delete(people, people.ada).location == PAGE


def test_the_keys_of_a_member_who_goes_pause_where_others_stay(people):
    with people.app.app_context():
        team, bob = db.session.get_one(Workspace, people.team_id), db.session.get_one(Person, people.bob.id)
        key_service.create_key(workspace=team, person=bob, name="bob's", limits=Limits())
        db.session.commit()

    delete(people, people.bob)

    with people.app.app_context():
        [key] = db.session.scalars(select(VirtualKey))
        assert (key.state, key.pause_reason) == ("paused", "leaver")
        left = select(Membership).where(Membership.person_id == people.bob.id)
        assert db.session.scalars(left).all() == []


@pytest.mark.parametrize("typed", ["", "bob@example.com", "charlie", "x" * 2_000])
def test_the_address_is_typed_to_confirm(people, typed):
    charlie = people.browser(people.charlie)

    answer = charlie.post(PATH, {"email": typed})

    assert answer.status_code == 422
    assert "Type charlie@example.com to confirm." in answer.text
    assert people.bearer(people.charlie).delete("/api/account", {"email": typed}).status_code == 422
    assert charlie.get("/api/me").status_code == 200


def test_a_session_left_open_deletes_nothing(people):
    charlie = people.browser(people.charlie)
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        assert delete(people, people.charlie, charlie).location.startswith("/confirm")
    assert people.browser().post(PATH, {"email": people.charlie.email}).location.startswith("/login")


def test_json_deletes_and_renames(people):
    charlie = people.bearer(people.charlie)

    assert charlie.patch("/api/account", {"displayName": "Charles"}).json["user"]["displayName"] == "Charles"
    assert charlie.patch("/api/account", {"displayName": "x" * 81}).status_code == 422
    assert charlie.delete("/api/account", {"email": "Charlie@example.com"}).status_code == 204
    assert charlie.get("/api/me").status_code == 401
