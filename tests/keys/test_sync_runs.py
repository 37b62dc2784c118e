"""Telling LiteLLM anew as a job: asked for, found, carried out once, found again when its bell was lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.keys.making import make
from tests.people import People
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import sync_service, sync_tasks
from tokenboard.keys.models import MirrorRun, MirrorTarget


@pytest.fixture
def shop(people: People) -> People:
    """The cast and a key of Alice's. No context is left open: each request has its own."""
    with people.app.app_context():
        make(people)
    return people


def ask(people: People) -> str:
    answer = people.bearer(people.alice).post("/api/budget/sync", {"workspaceId": people.team_id})
    assert answer.status_code == 202
    return str(answer.get_json()["job"]["id"])


def told(people: People, job_id: str) -> dict[str, object]:
    return dict(people.bearer(people.vera).get(f"/api/jobs/{job_id}").get_json()["job"])


def test_the_job_of_a_sync_is_found_and_ends(shop: People, run_jobs) -> None:
    job_id = ask(shop)

    assert told(shop, job_id)["status"] == "queued"
    run_jobs()
    done = told(shop, job_id)
    assert (done["status"], done["targets"], done["error"]) == ("done", 2, None)
    assert done["finishedAt"]
    with shop.app.app_context():
        assert {one.state for one in db.session.scalars(select(MirrorTarget))} == {"sent"}
    assert shop.bearer(shop.charlie).get(f"/api/jobs/{job_id}").status_code == 404


def test_a_run_whose_bell_was_lost_or_whose_worker_died_is_carried_out(shop: People) -> None:
    lost, orphaned = ask(shop), ask(shop)
    with shop.app.app_context():
        db.session.execute(update(MirrorRun).values(queued_at=now() - timedelta(minutes=2)))
        dead = {"state": "running", "lease_until": now() - timedelta(seconds=1)}
        db.session.execute(update(MirrorRun).where(MirrorRun.id == orphaned).values(dead))
        db.session.commit()
        sync_tasks.sweep_syncs()

    assert {told(shop, lost)["status"], told(shop, orphaned)["status"]} == {"done"}


def test_one_worker_at_a_time_has_a_run(shop: People) -> None:
    job_id = ask(shop)

    with shop.app.app_context():
        assert sync_service.take(run_id=job_id) is not None
        assert sync_service.take(run_id=job_id) is None


def test_without_litellm_a_run_says_what_to_set(shop: People, monkeypatch) -> None:
    job_id = ask(shop)
    monkeypatch.setattr(shop.app.extensions["clients"], "_litellm", None)
    monkeypatch.setattr(shop.app.extensions["clients"], "_chat_mode", lambda: "off")
    with shop.app.app_context():
        sync_tasks.carry_out(job_id)

    found = told(shop, job_id)
    assert found["status"] == "failed"
    assert "LITELLM_BASE_URL" in str(found["error"])


def test_an_admin_asks_for_it_on_the_page_and_a_member_may_not(shop: People) -> None:
    asked = {"workspace_id": shop.team_id}

    assert shop.browser(shop.dave).post("/keys/sync", asked).status_code == 303
    assert "being told everything anew" in shop.browser(shop.dave).get(f"/keys?workspace_id={shop.team_id}").text
    assert shop.browser(shop.bob).post("/keys/sync", asked).status_code == 403
