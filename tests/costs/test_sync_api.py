"""Syncs by JSON: by hand as a job that can be followed, and by cron."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from tests.costs.syncing import COSTS, Syncing
from tokenboard.core.clock import iso, today
from tokenboard.core.db import db
from tokenboard.costs import sync_rules

STRANGE_ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def syncing(outside: Syncing) -> Syncing:
    """No context is pushed here: each request has its own, as it will be."""
    return outside


def test_a_sync_by_hand_is_a_job_that_can_be_followed(syncing: Syncing):
    connection = syncing.ask_to_connect().json["connection"]["id"]
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
    connection = syncing.ask_to_connect().json["connection"]["id"]

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


def test_cron_without_a_token_is_refused_without_a_csrf_token_too(syncing: Syncing):
    client = syncing.app.test_client()

    assert client.get("/api/cron/sync-openai").status_code == 401
    assert client.post("/api/cron/sync-openai").status_code == 401
