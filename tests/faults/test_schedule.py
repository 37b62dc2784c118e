"""The cron call from ten places at once, and no worker at all (reference "Reliability", F21)."""

from __future__ import annotations

import threading
from datetime import timedelta

import time_machine

from tests.conftest import CRON_SECRET
from tests.costs.bills import Bill
from tests.people import People
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.costs.models import SyncRun

CALLS = 10


def test_ten_cron_calls_at_once_queue_one_run(people: People):
    with people.app.app_context():
        Bill.of(people.team_id)
    barrier, statuses = threading.Barrier(CALLS), []

    def call() -> None:
        barrier.wait()
        given = {"Authorization": f"Bearer {CRON_SECRET}"}
        statuses.append(people.app.test_client().post("/api/cron/sync-openai", headers=given).status_code)

    callers = [threading.Thread(target=call) for _ in range(CALLS)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()

    with people.app.app_context():
        waiting = db.session.scalars(db.select(SyncRun).where(SyncRun.state == "waiting")).all()
    assert statuses == [202] * CALLS
    assert len(waiting) == 1


def test_without_a_worker_the_dashboard_and_the_monitors_say_that_the_bill_is_late(sqlite_people: People):
    people = sqlite_people
    with people.app.app_context():
        Bill.of(people.team_id, synced_at=now() - timedelta(days=2))
        people.app.test_client().post("/api/cron/sync-openai", headers={"Authorization": f"Bearer {CRON_SECRET}"})
    alice = people.browser(people.alice)
    alice.post("/workspaces/switch", {"workspace_id": people.team_id})
    people.app.extensions.pop("readiness", None)
    with time_machine.travel(now() + timedelta(minutes=15)):
        ready = people.app.test_client().get("/readyz").json
        page = alice.get("/dashboard").text
    people.app.extensions.pop("readiness", None)

    assert {"worker", "syncs"} <= set(ready["down"])
    assert "2 days ago" in page or "late" in page
