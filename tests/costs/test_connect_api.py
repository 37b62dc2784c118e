"""Connections by JSON: who may, what is answered, what each refusal says, and that twice is once."""

from __future__ import annotations

import threading

import pytest

from tests.costs.syncing import Syncing
from tokenboard.audit.models import AuditEntry
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db
from tokenboard.costs import service
from tokenboard.costs.models import Connection, CostDay, SyncRun

KEY = "sk-admin-sandbox-empty"
STRANGE_ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def syncing(outside: Syncing) -> Syncing:
    """No context is pushed here: each request has its own, as it will be."""
    return outside


def count(syncing: Syncing, row: type) -> int:
    return len(syncing.rows(row))


def rings(syncing: Syncing) -> KeyRing:
    return syncing.app.extensions["settings"].encryption_keys


def test_connecting_answers_the_connection_and_queues_the_backfill(syncing: Syncing):
    answer = syncing.ask_to_connect()

    assert answer.status_code == 200
    connection = answer.json["connection"]
    assert connection == {
        "id": connection["id"],
        "provider": "openai",
        "mode": "organization",
        "last4": "mpty",
        "status": "active",
        "lastSyncedAt": None,
        "lastError": None,
    }
    assert syncing.waiting(connection["id"]).reason == "backfill"


def test_the_key_is_sealed_for_its_own_row(syncing: Syncing):
    connection = syncing.connection(syncing.ask_to_connect().json["connection"]["id"])

    assert KEY not in connection.sealed_key
    assert KEY not in connection.key_fingerprint
    assert service.open_key(connection, rings(syncing)) == KEY
    context = f"connection:{syncing.people.team_id}:openai:{connection.id}"
    assert rings(syncing).unseal(connection.sealed_key, context=context) == KEY


@pytest.mark.parametrize("who", ["alice", "dave"])
def test_owner_and_admin_may_connect(syncing: Syncing, who: str):
    assert syncing.ask_to_connect(who).status_code == 200


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("vera", 403), ("charlie", 404), ("ada", 404)])
def test_nobody_else_may_and_the_provider_is_not_asked(syncing: Syncing, who: str, status: int):
    connection = syncing.connect()
    bearer = syncing.people.bearer(getattr(syncing.people, who))
    team = {"workspaceId": syncing.people.team_id}

    answers = [
        syncing.ask_to_connect(who),
        bearer.post("/api/connections", json=team | {"provider": "anthropic", "apiKey": KEY, "mode": "organization"}),
        bearer.patch(f"/api/connections/{connection}", json={"apiKey": KEY}),
        bearer.delete(f"/api/connections/{connection}"),
        bearer.delete("/api/openai/connect", json=team),
        bearer.post("/api/openai/sync", json=team),
        bearer.post(f"/api/connections/{connection}/sync"),
    ]

    assert [answer.status_code for answer in answers] == [status] * len(answers)
    assert syncing.connection(connection).last4 == "mpty"
    assert count(syncing, Connection) == 1


def test_anonymous_is_asked_to_sign_in(syncing: Syncing):
    client = syncing.app.test_client()

    answer = client.get("/api/connections")

    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


def test_the_same_key_again_changes_nothing(syncing: Syncing):
    first, second = syncing.ask_to_connect().json, syncing.ask_to_connect().json

    assert first == second
    assert count(syncing, SyncRun) == 1
    assert len([entry for entry in syncing.rows(AuditEntry) if entry.act.startswith("costs.")]) == 1


def test_another_key_replaces_it_on_the_same_row_and_keeps_the_history(syncing: Syncing):
    connection = syncing.ask_to_connect().json["connection"]["id"]
    syncing.read(connection)

    answer = syncing.ask_to_connect(apiKey="sk-admin-sandbox-empty-2nd")

    assert answer.json["connection"]["id"] == connection
    assert answer.json["connection"]["last4"] == "-2nd"
    assert len(syncing.days(connection)) == 3
    assert syncing.waiting(connection).reason == "backfill"


def test_two_tabs_connecting_at_once_make_one_connection(syncing: Syncing):
    barrier, statuses = threading.Barrier(4), []
    bearers = [syncing.people.bearer(syncing.people.alice) for _ in range(4)]

    def connect(number: int) -> None:
        body = {"workspaceId": syncing.people.team_id, "apiKey": f"{KEY}-{number}", "mode": "organization"}
        barrier.wait()
        statuses.append(bearers[number].post("/api/openai/connect", json=body).status_code)

    tabs = [threading.Thread(target=connect, args=(number,)) for number in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert statuses == [200] * 4
    [connection] = syncing.rows(Connection)
    assert service.open_key(connection, rings(syncing)).endswith(connection.last4)
    assert syncing.waiting(connection.id) is not None


def test_connections_are_listed_for_every_member(syncing: Syncing):
    syncing.ask_to_connect()
    syncing.connect("sk-ant-admin-sandbox", provider="anthropic")

    for who in ("alice", "bob", "vera"):
        bearer = syncing.people.bearer(getattr(syncing.people, who))
        answer = bearer.get("/api/connections", query_string={"workspaceId": syncing.people.team_id})
        assert [one["provider"] for one in answer.json["connections"]] == ["anthropic", "openai"]
    stranger = syncing.people.bearer(syncing.people.charlie)
    assert stranger.get(f"/api/connections?workspaceId={syncing.people.team_id}").status_code == 404
    assert stranger.get("/api/connections").json == {"connections": []}


def test_without_a_workspace_id_it_is_the_callers_own(syncing: Syncing):
    bearer = syncing.people.bearer(syncing.people.charlie)

    connection = bearer.post("/api/openai/connect", json={"apiKey": KEY}).json["connection"]

    assert syncing.connection(connection["id"]).workspace_id == syncing.people.charlie.workspace_id


def test_key_and_mode_can_be_changed(syncing: Syncing):
    connection = syncing.ask_to_connect().json["connection"]["id"]
    bearer = syncing.people.bearer(syncing.people.alice)

    changed = bearer.patch(f"/api/connections/{connection}", json={"apiKey": "sk-sandbox", "mode": "personal"})
    refused = bearer.patch(f"/api/connections/{connection}", json={"mode": "organization"})
    nothing = bearer.patch(f"/api/connections/{connection}", json={})

    assert (changed.json["connection"]["mode"], changed.json["connection"]["last4"]) == ("personal", "dbox")
    assert refused.status_code == 422
    assert "does not let it read costs" in refused.json["error"]
    assert nothing.status_code == 422
    assert syncing.connection(connection).mode == "personal"


@pytest.mark.parametrize("history", ["keep", "delete"])
def test_removing_forgets_the_key_and_keeps_the_history_or_not(syncing: Syncing, history: str):
    connection = syncing.ask_to_connect().json["connection"]["id"]
    syncing.read(connection)
    bearer = syncing.people.bearer(syncing.people.alice)

    answer = bearer.delete(f"/api/connections/{connection}?history={history}")

    assert (answer.status_code, answer.text) == (204, "")
    assert bearer.get(f"/api/connections?workspaceId={syncing.people.team_id}").json == {"connections": []}
    if history == "delete":
        assert count(syncing, Connection) == count(syncing, CostDay) == count(syncing, SyncRun) == 0
    else:
        removed = syncing.connection(connection)
        assert (removed.status, removed.sealed_key, removed.key_fingerprint) == ("removed", "", "")
        assert count(syncing, CostDay) == 3


def test_the_older_name_removes_too_and_then_there_is_nothing(syncing: Syncing):
    syncing.ask_to_connect()
    bearer = syncing.people.bearer(syncing.people.alice)
    team = {"workspaceId": syncing.people.team_id}

    assert bearer.delete("/api/openai/connect", json=team).status_code == 204
    assert bearer.delete("/api/openai/connect", json=team).status_code == 404
    assert bearer.post("/api/openai/sync", json=team).status_code == 404
    assert syncing.ask_to_connect().status_code == 200


def test_acts_are_written_down_without_the_key(syncing: Syncing):
    connection = syncing.ask_to_connect().json["connection"]["id"]
    bearer = syncing.people.bearer(syncing.people.alice)
    syncing.ask_to_connect(apiKey=f"{KEY}-new")
    bearer.post(f"/api/connections/{connection}/sync")
    bearer.delete(f"/api/connections/{connection}")

    acts = [entry for entry in syncing.rows(AuditEntry) if entry.act.startswith("costs.")]

    assert [entry.act for entry in sorted(acts, key=lambda entry: entry.created_at)] == [
        "costs.connected",
        "costs.key_replaced",
        "costs.sync_requested",
        "costs.removed",
    ]
    assert {entry.actor for entry in acts} == {syncing.people.alice.id}
    assert KEY not in str([entry.facts for entry in acts])


def test_keys_are_sealed_anew_when_the_encryption_key_changes(syncing: Syncing):
    connection_id = syncing.connect()
    old = rings(syncing)
    ring = type(old)({"new": b"n" * 32} | old.keys)

    with syncing.app.app_context():
        assert service.reseal_connections(ring) == 1
        assert service.reseal_connections(ring) == 0
        db.session.commit()

    connection = syncing.connection(connection_id)
    assert service.open_key(connection, type(old)({"new": b"n" * 32})) == KEY
