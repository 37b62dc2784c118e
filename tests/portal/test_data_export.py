"""Taking everything along: what is in the ZIP, and above all what is not."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
import time_machine

from tests.accounts.factors import turn_on
from tokenboard.accounts.models import Person
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import key_service
from tokenboard.keys.rules import Limits
from tokenboard.workspaces import channels
from tokenboard.workspaces.models import Workspace

PATH = "/settings/data/export"


def taken(answer) -> dict[str, list]:
    """The files of a ZIP, by name."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}


@pytest.fixture
def full(people):
    """Alice with something of each kind; the secrets she was shown."""
    alice = people.browser(people.alice)
    bearer = people.bearer(people.alice)
    connect = {"workspaceId": people.team_id, "apiKey": "sk-admin-sandbox", "mode": "organization"}
    assert bearer.post("/api/openai/connect", connect).status_code == 200
    token = bearer.post("/api/account/tokens", {"name": "till"}).json["secret"]
    with people.app.app_context():
        team, person = db.session.get_one(Workspace, people.team_id), db.session.get_one(Person, people.alice.id)
        key = key_service.create_key(workspace=team, person=person, name="prod", limits=Limits()).secret
        _, hook = channels.add_webhook(workspace_id=team.id, address="http://127.0.0.1:9/", actor=person.id)
        mine = Conversation(workspace_id=team.id, person_id=person.id, title="Mine", model="m")
        other = Conversation(workspace_id=team.id, person_id=people.bob.id, title="Bob's own", model="m")
        db.session.add_all([mine, other])
        db.session.flush()
        db.session.add(Message(conversation_id=mine.id, position=1, role="user", content="hello", status="done"))
        db.session.commit()
    secret, codes = turn_on(alice, steps=0)
    return alice, ["sk-admin-sandbox", token, key, hook, secret, *codes, people.alice.password]


def test_it_holds_the_person_and_the_workspaces_they_own(people, full):
    alice, _ = full

    answer = alice.post(PATH)

    assert answer.headers["Content-Disposition"] == "attachment; filename=tokenboard-export.zip"
    files = taken(answer)
    team = f"workspaces/{people.team_id}"
    assert files["person/account.json"][0]["email"] == people.alice.email
    assert [one["title"] for one in files["person/conversations.json"]] == ["Mine"]
    assert [one["content"] for one in files["person/messages.json"]] == ["hello"]
    assert [one["name"] for one in files["person/api_tokens.json"]] == ["till"]
    assert {one["email"] for one in files[f"{team}/members.json"]} >= {"alice@example.com", "bob@example.com"}
    assert [one["last4"] for one in files[f"{team}/connections.json"]] == ["dbox"]
    own = f"workspaces/{people.alice.workspace_id}"
    assert [one["description"] for one in files[f"{own}/ledger.json"]] == ["Welcome credits"]
    assert files["person/audit.json"]


def test_nothing_in_it_opens_anything(people, full):
    alice, secrets = full

    data = alice.post(PATH).data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        everything = "".join(archive.read(name).decode() for name in archive.namelist())

    for secret in secrets:
        assert secret not in everything
        assert secret.replace("-", "") not in everything
    columns = {name for rows in taken(alice.post(PATH)).values() for row in rows for name in row}
    for word in ("sealed", "hash", "password", "secret", "fingerprint"):
        assert [name for name in columns if word in name] == []
    assert '"v1.' not in everything  # how something sealed begins
    assert "Bob's own" not in everything


def test_a_member_takes_only_what_is_theirs(people, full):
    files = taken(people.browser(people.bob).post(PATH))

    assert [name for name in files if people.team_id in name] == []
    assert [one["title"] for one in files["person/conversations.json"]] == ["Bob's own"]


def test_json_takes_the_same(people):
    answer = people.bearer(people.bob).post("/api/account/export")

    assert "person/account.json" in taken(answer)


def test_a_session_left_open_takes_nothing_along(people):
    bob = people.browser(people.bob)
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        assert bob.post(PATH).location.startswith("/confirm")
    assert people.browser().post(PATH).location.startswith("/login")


def test_taking_along_is_limited(sqlite_people):
    bob = sqlite_people.browser(sqlite_people.bob)

    assert [bob.post(PATH).status_code for _ in range(7)] == [200] * 6 + [429]
