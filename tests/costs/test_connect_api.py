"""Connections by JSON: who may, what is answered, what each refusal says, and that twice is once."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from typing import Any

import pytest

from tests.costs.syncing import COSTS, Syncing
from tests.costs.test_sync_failures import PASSING, REFUSALS
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import iso, today
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db
from tokenboard.costs import connecting, service, sync_rules
from tokenboard.costs.models import Connection, CostDay, SyncRun
from tokenboard.providers.errors import ProviderTimeout
from tokenboard.providers.openai_client import OPENAI_ADMIN

KEY = "sk-admin-sandbox-empty"
STRANGE_ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def syncing(outside: Syncing) -> Syncing:
    """No context is pushed here: each request has its own, as it will be."""
    return outside


def ask(syncing: Syncing, who: str = "alice", **more: Any):
    """POST /api/openai/connect."""
    body = {"workspaceId": syncing.people.team_id, "apiKey": KEY, "mode": "organization"} | more
    return syncing.people.bearer(getattr(syncing.people, who)).post("/api/openai/connect", json=body)


def count(syncing: Syncing, row: type) -> int:
    return len(syncing.rows(row))


def rings(syncing: Syncing) -> KeyRing:
    return syncing.app.extensions["settings"].encryption_keys


def test_connecting_answers_the_connection_and_queues_the_backfill(syncing: Syncing):
    answer = ask(syncing)

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
    connection = syncing.connection(ask(syncing).json["connection"]["id"])

    assert KEY not in connection.sealed_key
    assert KEY not in connection.key_fingerprint
    assert service.open_key(connection, rings(syncing)) == KEY
    context = f"connection:{syncing.people.team_id}:openai:{connection.id}"
    assert rings(syncing).unseal(connection.sealed_key, context=context) == KEY


@pytest.mark.parametrize("who", ["alice", "dave"])
def test_owner_and_admin_may_connect(syncing: Syncing, who: str):
    assert ask(syncing, who).status_code == 200


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("vera", 403), ("charlie", 404), ("ada", 404)])
def test_nobody_else_may_and_the_provider_is_not_asked(syncing: Syncing, who: str, status: int):
    connection = syncing.connect()
    bearer = syncing.people.bearer(getattr(syncing.people, who))
    team = {"workspaceId": syncing.people.team_id}

    answers = [
        ask(syncing, who),
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


@pytest.mark.parametrize("suffix", REFUSALS)
def test_a_refused_key_is_422_with_its_sentence_and_nothing_is_stored(syncing: Syncing, suffix: str):
    key = f"sk-admin-sandbox{suffix}"

    answer = ask(syncing, apiKey=key)

    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    why, said = answer.json["fields"]["apiKey"]
    assert why == answer.json["error"]
    assert REFUSALS[suffix][1] in why
    assert said.startswith("OpenAI said: “")
    assert key not in answer.text
    assert count(syncing, Connection) == 0


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("sk-proj-sandbox", "This is not the kind of key OpenAI wants here"),
        ("sk-svcacct-sandbox", "This is not the kind of key OpenAI wants here"),
        ("sk-nobodys-key", "OpenAI does not know this key"),
        ("sk-admin-sandbox-nousage", "does not let it read costs and usage"),
    ],
)
def test_every_wrong_kind_of_key_is_told_which_one_is_needed(syncing: Syncing, key: str, sentence: str):
    answer = ask(syncing, apiKey=key)

    assert answer.status_code == 422
    assert sentence in answer.json["error"]
    assert "https://platform.openai.com/settings/organization/admin-keys" in answer.json["error"]


@pytest.mark.parametrize("suffix", PASSING)
def test_the_providers_own_trouble_is_502_and_nothing_is_stored(syncing: Syncing, suffix: str):
    answer = ask(syncing, apiKey=f"sk-admin-sandbox{suffix}")

    assert (answer.status_code, answer.json["code"]) == (502, "upstream_error")
    assert count(syncing, Connection) == 0


@pytest.mark.parametrize(("suffix", "status"), [("-404", 502), ("-429-long", 502), ("-huge", 502), ("-deep", 502)])
def test_other_answers_that_cannot_be_used_are_502(syncing: Syncing, suffix: str, status: int):
    assert ask(syncing, apiKey=f"sk-admin-sandbox{suffix}").status_code == status


def test_a_key_without_names_is_good_enough(syncing: Syncing):
    assert ask(syncing, apiKey="sk-admin-sandbox-nonames").status_code == 200


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"apiKey": ""}, "apiKey"),
        ({"apiKey": "short"}, "apiKey"),
        ({"apiKey": "sk-admin with a space"}, "apiKey"),
        ({"apiKey": "sk-admin-ключ-ключ"}, "apiKey"),
        ({"apiKey": "k" * 513}, "apiKey"),
        ({"apiKey": None}, "apiKey"),
        ({"apiKey": 12345678}, "apiKey"),
        ({"mode": "company"}, "mode"),
    ],
)
def test_what_is_no_key_is_refused_before_anybody_is_asked(syncing: Syncing, more: dict[str, Any], field: str):
    answer = ask(syncing, **more)

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == [field]


def test_the_same_key_again_changes_nothing(syncing: Syncing):
    first, second = ask(syncing).json, ask(syncing).json

    assert first == second
    assert count(syncing, SyncRun) == 1
    assert len([entry for entry in syncing.rows(AuditEntry) if entry.act.startswith("costs.")]) == 1


def test_another_key_replaces_it_on_the_same_row_and_keeps_the_history(syncing: Syncing):
    connection = ask(syncing).json["connection"]["id"]
    syncing.run_waiting(connection)

    answer = ask(syncing, apiKey="sk-admin-sandbox-empty-2nd")

    assert answer.json["connection"]["id"] == connection
    assert answer.json["connection"]["last4"] == "-2nd"
    assert len(syncing.days(connection)) == 180
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
    ask(syncing)
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
    connection = ask(syncing).json["connection"]["id"]
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
    connection = ask(syncing).json["connection"]["id"]
    syncing.run_waiting(connection)
    bearer = syncing.people.bearer(syncing.people.alice)

    answer = bearer.delete(f"/api/connections/{connection}?history={history}")

    assert (answer.status_code, answer.text) == (204, "")
    assert bearer.get(f"/api/connections?workspaceId={syncing.people.team_id}").json == {"connections": []}
    if history == "delete":
        assert count(syncing, Connection) == count(syncing, CostDay) == count(syncing, SyncRun) == 0
    else:
        removed = syncing.connection(connection)
        assert (removed.status, removed.sealed_key, removed.key_fingerprint) == ("removed", "", "")
        assert count(syncing, CostDay) == 180


def test_the_older_name_removes_too_and_then_there_is_nothing(syncing: Syncing):
    ask(syncing)
    bearer = syncing.people.bearer(syncing.people.alice)
    team = {"workspaceId": syncing.people.team_id}

    assert bearer.delete("/api/openai/connect", json=team).status_code == 204
    assert bearer.delete("/api/openai/connect", json=team).status_code == 404
    assert bearer.post("/api/openai/sync", json=team).status_code == 404
    assert ask(syncing).status_code == 200


def test_a_sync_by_hand_is_a_job_that_can_be_followed(syncing: Syncing):
    connection = ask(syncing).json["connection"]["id"]
    alice, vera = (syncing.people.bearer(one) for one in (syncing.people.alice, syncing.people.vera))

    asked = alice.post("/api/openai/sync", json={"workspaceId": syncing.people.team_id})
    again = alice.post(f"/api/connections/{connection}/sync")

    assert (asked.status_code, again.status_code) == (202, 202)
    job = asked.json["job"]
    assert again.json["job"]["id"] == job["id"]
    assert {"id", "status", "queuedAt"} <= job.keys()
    assert (job["status"], job["daysDone"], job["daysTotal"]) == ("queued", 0, 180)
    syncing.run_waiting(connection)
    done = vera.get(f"/api/jobs/{job['id']}").json["job"]
    run = syncing.run(job["id"])
    assert done == {
        "id": run.id,
        "status": "done",
        "queuedAt": iso(run.queued_at),
        "startedAt": iso(run.started_at),
        "finishedAt": iso(run.finished_at),
        "daysDone": 180,
        "daysTotal": 180,
        "error": None,
    }
    assert syncing.people.bearer(syncing.people.charlie).get(f"/api/jobs/{job['id']}").status_code == 404
    assert vera.get(f"/api/jobs/{STRANGE_ID}").status_code == 404


def test_only_the_owner_syncs_by_hand(syncing: Syncing):
    connection = ask(syncing).json["connection"]["id"]

    assert syncing.people.bearer(syncing.people.dave).post(f"/api/connections/{connection}/sync").status_code == 403


def test_a_rejected_connection_cannot_be_synced_by_hand(syncing: Syncing):
    connection = syncing.connect("sk-admin-sandbox-revoked")
    syncing.run_waiting(connection)

    answer = syncing.people.bearer(syncing.people.alice).post(f"/api/connections/{connection}/sync")

    assert (answer.status_code, answer.json["code"]) == (409, "key_rejected")


def test_a_failed_job_says_why(syncing: Syncing):
    connection = syncing.connect()
    run_id = syncing.waiting(connection).id
    syncing.fault("404", COSTS)
    syncing.run_waiting(connection)

    job = syncing.people.bearer(syncing.people.bob).get(f"/api/jobs/{run_id}").json["job"]

    assert job["status"] == "failed"
    assert "does not offer this at the configured address" in job["error"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_cron_queues_every_connection_once(syncing: Syncing, method: str):
    secret = syncing.app.extensions["settings"].cron_secret
    connection_id = syncing.connect()
    syncing.drop_waiting(connection_id)
    with syncing.app.app_context():
        connection = syncing.connection(connection_id)
        connection.last_full_sync_at = sync_rules.next_slot(connection.created_at)
        db.session.commit()
    client = syncing.app.test_client()

    def call(token: str):
        return client.open("/api/cron/sync-openai", method=method, headers={"Authorization": f"Bearer {token}"})

    first, second, wrong = call(secret), call(secret), call("x" * 40)

    assert (first.status_code, first.json) == (202, {"queued": 1})
    assert (second.status_code, second.json) == (202, {"queued": 0})
    assert (wrong.status_code, wrong.json["code"]) == (401, "unauthenticated")
    run = syncing.waiting(connection_id)
    assert (run.reason, run.since_on, run.until_on) == ("cron", today() - timedelta(days=6), today())


def test_cron_is_off_until_its_secret_is_set(syncing: Syncing):
    extensions = syncing.app.extensions
    configured = extensions["settings"]
    extensions["settings"] = dataclasses.replace(configured, cron_secret="")
    try:
        answer = syncing.app.test_client().get("/api/cron/sync-openai", headers={"Authorization": "Bearer "})
    finally:
        extensions["settings"] = configured

    assert (answer.status_code, answer.json["code"], answer.json["setting"]) == (503, "not_configured", "CRON_SECRET")


def test_a_provider_that_takes_too_long_is_504():
    refusal = connecting.refused(ProviderTimeout(OPENAI_ADMIN), "organization")

    assert (refusal.status, refusal.code) == (504, "upstream_timeout")
    assert refusal.message.startswith("OpenAI took too long to answer.")


def test_cron_without_a_token_is_refused_without_a_csrf_token_too(syncing: Syncing):
    client = syncing.app.test_client()

    assert client.get("/api/cron/sync-openai").status_code == 401
    assert client.post("/api/cron/sync-openai").status_code == 401


def test_acts_are_written_down_without_the_key(syncing: Syncing):
    connection = ask(syncing).json["connection"]["id"]
    bearer = syncing.people.bearer(syncing.people.alice)
    ask(syncing, apiKey=f"{KEY}-new")
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
