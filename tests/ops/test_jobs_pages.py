"""/admin/jobs: the queue with errors, retrying, cancelling; the rows that wait whatever becomes of the queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rq import Queue

from tests.people import Browser, People, Someone
from tokenboard.core import jobs
from tokenboard.core.db import db, new_id
from tokenboard.core.jobs import job_queue, task
from tokenboard.notices.models import Notice
from tokenboard.ops import waiting_queries

PAGE = "/admin/jobs"
Open = Callable[[Someone | None], Browser]
SECRET = "sk-live-" + "a" * 30


@task("tests.fails")
def fails(*_ids: str) -> None:
    raise RuntimeError(f"the provider refused {SECRET}")


@pytest.fixture
def queue(people: People) -> Queue:
    with people.app.app_context():
        return job_queue().queue()


def enqueue(people: People, name: str, *ids: str) -> None:
    with people.app.app_context():
        job_queue().queue().enqueue(jobs.run_task, name, *ids, result_ttl=60)


def test_a_failed_job_shows_its_error_without_the_secret_and_is_tried_again(
    people: People, browser: Open, run_jobs: Callable[[], int], queue: Queue
):
    row = new_id()
    enqueue(people, "tests.fails", row)
    run_jobs()
    ada = browser(people.ada)
    (job_id,) = queue.failed_job_registry.get_job_ids()

    shown = ada.get(PAGE).text

    assert "RuntimeError: the provider refused" in shown
    assert SECRET not in shown
    assert row in shown
    assert ada.post(f"{PAGE}/{job_id}/retry").status_code == 303
    assert (len(queue), queue.failed_job_registry.get_job_count(cleanup=False)) == (1, 0)
    assert ada.post(f"{PAGE}/{job_id}/retry").status_code == 409
    run_jobs()
    ada.post(f"{PAGE}/retry-failed")
    assert len(queue) == 1


def test_a_waiting_job_is_cancelled_and_an_argument_that_is_no_id_is_not_shown(
    people: People, browser: Open, queue: Queue
):
    enqueue(people, "costs.sync_connection", SECRET)
    (job_id,) = queue.get_job_ids()
    ada = browser(people.ada)

    assert SECRET not in ada.get(PAGE).text
    assert "not shown" in ada.get(PAGE).text
    assert ada.post(f"{PAGE}/{job_id}/cancel").status_code == 303
    assert len(queue) == 0
    assert ada.post(f"{PAGE}/{job_id}/cancel").status_code == 404


def test_sweeping_rings_every_sweeper(people: People, browser: Open, queue: Queue):
    browser(people.ada).post(f"{PAGE}/sweep")

    assert len(queue) == len([name for name in jobs.task_names() if name.endswith(".sweep")])


def test_what_waits_in_the_database_is_counted_without_the_queue(people: People, browser: Open):
    with people.app.app_context():
        for state in ("waiting", "waiting", "dead"):
            values = {"channel": "email", "kind": "test", "address": "a@example.com", "body": "x"}
            db.session.add(Notice(**values, idempotency_key=new_id(), state=state))
        db.session.commit()
        messages = waiting_queries.waiting()[0]

    assert (messages.name, messages.waiting, messages.late) == ("messages", 2, 1)
    assert messages.oldest_at.tzinfo is not None
    assert "1 given up" in browser(people.ada).get(PAGE).text


def test_without_redis_the_rows_are_still_there(people: People, browser: Open):
    queue = people.app.extensions["job_queue"]
    people.app.extensions["job_queue"] = jobs.JobQueue("redis://127.0.0.1:1/0")
    try:
        shown = browser(people.ada).get(PAGE).text
        refused = browser(people.ada).post(f"{PAGE}/retry-failed")
    finally:
        people.app.extensions["job_queue"] = queue

    assert "Redis does not answer" in shown
    assert "Calls under way" in shown
    assert refused.status_code == 503
