"""What is queued when: hourly, daily, by hand, by cron, by the sweeper; and never twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from tests.costs.syncing import Syncing
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.jobs import task_names
from tokenboard.costs import service, sync_rules, sync_runs, tasks
from tokenboard.costs.models import SyncRun
from tokenboard.costs.period_rules import Period
from tokenboard.costs.sync_rules import Plan, Reason
from tokenboard.schedule import PERIODIC
from tokenboard.workspaces.models import Workspace

DAY = timedelta(days=1)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def synced(syncing: Syncing) -> str:
    """A connection whose backfill is done."""
    return done_backfill(syncing)


@pytest.fixture
def synced_at_noon(syncing: Syncing) -> Iterator[str]:
    """The same on 20 November 2026 at 12:00, and there time stands still."""
    with time_machine.travel(NOON, tick=False):
        yield done_backfill(syncing)


def done_backfill(syncing: Syncing) -> str:
    connection_id = syncing.connect()
    syncing.drop_waiting(connection_id)
    connection = syncing.connection(connection_id)
    connection.last_full_sync_at = connection.last_synced_at = now()
    db.session.commit()
    return connection_id


def span(run: SyncRun | None) -> tuple[str, int] | None:
    return None if run is None else (run.reason, run.days_total)


def test_connecting_queues_180_days(syncing: Syncing):
    connection = syncing.connect()

    assert span(syncing.waiting(connection)) == ("backfill", 180)


def test_the_hour_reads_the_last_seven_days_once(syncing: Syncing, synced_at_noon: str):
    synced = synced_at_noon
    tasks.queue_hourly()
    assert syncing.waiting(synced) is None, "its hour has not come"

    with time_machine.travel(NOON + timedelta(minutes=7), tick=False):
        tasks.queue_hourly()
        tasks.queue_hourly()
        tasks.sweep()

    run = syncing.waiting(synced)
    assert span(run) == ("hourly", 7)
    assert run.until_on == NOON.date()
    assert syncing.connection(synced).next_sync_at == NOON + timedelta(hours=1, minutes=7)


def test_the_sweeper_makes_good_for_a_missed_hour(syncing: Syncing, synced: str):
    with time_machine.travel(now() + timedelta(hours=3), tick=False):
        tasks.sweep()

    assert span(syncing.waiting(synced)) == ("hourly", 7)


def test_a_missed_night_is_made_good_by_the_next_hour(syncing: Syncing, synced_at_noon: str):
    with time_machine.travel(NOON + timedelta(hours=27), tick=False):
        tasks.sweep()

    assert span(syncing.waiting(synced_at_noon)) == ("daily", 31 + 21), "October, and November up to the 21st"


def test_the_night_reads_this_month_and_the_one_before(syncing: Syncing, synced_at_noon: str):
    tasks.queue_daily()
    tasks.queue_daily()

    assert span(syncing.waiting(synced_at_noon)) == ("daily", 31 + 20)


def test_a_backfill_that_never_ended_is_begun_again(syncing: Syncing):
    connection = syncing.connect()
    syncing.drop_waiting(connection)

    with time_machine.travel(now() + timedelta(hours=2), tick=False):
        tasks.queue_hourly()

    assert span(syncing.waiting(connection)) == ("backfill", 180)


def test_what_waits_is_widened_instead_of_queued_twice(syncing: Syncing, synced: str):
    first = syncing.queue(synced, date(2026, 11, 10), date(2026, 11, 16))
    second = syncing.queue(synced, date(2026, 11, 14), date(2026, 11, 20))

    assert first.id == second.id
    run = syncing.waiting(synced)
    assert (run.since_on, run.until_on, run.reached_on) == (
        date(2026, 11, 10),
        date(2026, 11, 20),
        date(2026, 11, 10),
    )


def test_a_run_under_way_that_covers_the_wish_is_the_answer(syncing: Syncing, synced: str):
    running = syncing.queue(synced, date(2026, 11, 1), date(2026, 11, 20))
    sync_runs.take(running.id)
    db.session.commit()

    asked = syncing.queue(synced, date(2026, 11, 14), date(2026, 11, 20))

    assert asked.id == running.id
    assert syncing.waiting(synced) is None


def test_a_persons_wish_shortens_a_back_off_and_an_hour_does_not(syncing: Syncing, synced: str):
    run = syncing.queue(synced)
    later = now() + timedelta(hours=2)
    run.next_attempt_at = later
    db.session.commit()

    sync_runs.queue(syncing.connection(synced), sync_rules.recent(now().date()))
    db.session.commit()
    assert syncing.waiting(synced).next_attempt_at == later

    service.request_sync(connection=syncing.connection(synced), actor_id="alice")
    db.session.commit()
    assert syncing.waiting(synced).next_attempt_at <= now()


def test_a_run_put_back_behind_a_waiting_one_hands_over_its_days(syncing: Syncing, synced: str):
    first = syncing.queue(synced, date(2026, 10, 1), date(2026, 10, 31))
    lease = sync_runs.take(first.id)
    db.session.commit()
    behind = syncing.queue(synced, date(2026, 11, 14), date(2026, 11, 20))

    sync_runs.put_back(lease, timedelta(minutes=1), code="rate_limited", message="Slow down.")
    db.session.commit()

    assert syncing.run(first.id).state == "failed"
    assert syncing.run(first.id).error_message == "Slow down. The run after this one goes on from here."
    taken_over = syncing.run(behind.id)
    assert (taken_over.state, taken_over.since_on, taken_over.attempts) == ("waiting", date(2026, 10, 1), 1)


def test_six_callers_at_once_queue_one_run(syncing: Syncing, synced: str):
    barrier, found = threading.Barrier(6), []

    def ask() -> None:
        with syncing.app.app_context():
            connection = syncing.connection(synced)
            db.session.rollback()
            barrier.wait()
            queued = sync_runs.queue(connection, Plan(Reason.MANUAL, Period(date(2026, 11, 1), date(2026, 11, 2))))
            db.session.commit()
            found.append((queued.run.id, queued.is_new))

    callers = [threading.Thread(target=ask) for _ in range(6)]
    db.session.remove()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(found) == len(callers)
    assert len({run_id for run_id, _ in found}) == 1
    assert [is_new for _, is_new in found].count(True) == 1


def test_a_lost_bell_is_rung_again(syncing: Syncing, run_jobs: Callable[[], int], redis_url: str):
    connection = syncing.connect_for(days=3)
    syncing.app.extensions["job_queue"].connection.flushdb()
    assert run_jobs() == 0
    db.session.remove()

    tasks.sweep()
    db.session.remove()

    assert run_jobs() == 1
    assert syncing.waiting(connection) is None
    assert len(syncing.days(connection)) == 3


def test_the_run_that_waited_behind_another_is_rung_when_that_ends(syncing: Syncing, run_jobs: Callable[[], int]):
    connection = syncing.connect_for(days=3)
    first = syncing.waiting(connection).id
    sync_runs.take(first)
    db.session.commit()
    behind = syncing.queue(connection, date(2026, 1, 1), date(2026, 1, 2)).id
    run = syncing.run(first)
    run.lease_expires_at = now() - DAY
    db.session.commit()
    db.session.remove()

    while run_jobs():
        db.session.remove()

    assert (syncing.run(first).state, syncing.run(behind).state) == ("done", "done")


def test_demo_and_archived_workspaces_are_left_alone(syncing: Syncing, synced: str):
    workspace = db.session.get_one(Workspace, syncing.people.team_id)
    for is_demo, archived_at in ((True, None), (False, now())):
        workspace.is_demo, workspace.archived_at = is_demo, archived_at
        db.session.commit()
        with time_machine.travel(now() + timedelta(hours=3), tick=False):
            tasks.sweep()
            tasks.queue_daily()
            assert service.queue_all(Reason.CRON) == []
    assert syncing.waiting(synced) is None


def test_every_periodic_job_of_costs_is_a_task(syncing: Syncing):
    wanted = {periodic.task for periodic in PERIODIC if periodic.task.startswith("costs.")}

    assert wanted == {"costs.sweep", "costs.queue_hourly", "costs.queue_daily"}
    assert wanted <= set(task_names())


def test_the_hourly_minute_is_the_schedules():
    [hourly] = [periodic for periodic in PERIODIC if periodic.task == "costs.queue_hourly"]

    assert hourly.cron == f"{sync_rules.HOURLY_MINUTE} * * * *"


@pytest.mark.parametrize(("at", "slot"), [("12:06:59", "12:07:00"), ("12:07:00", "13:07:00"), ("23:30:00", "00:07:00")])
def test_the_next_slot_is_the_next_seventh_minute(at: str, slot: str):
    instant = datetime.fromisoformat(f"2026-11-20T{at}+00:00")

    assert f"{sync_rules.next_slot(instant):%H:%M:%S}" == slot


@pytest.mark.parametrize(
    ("attempts", "asked", "seconds"), [(1, None, 10), (3, None, 300), (9, None, 7200), (1, 90, 90)]
)
def test_each_wait_is_longer_and_never_shorter_than_asked(attempts: int, asked: int | None, seconds: int):
    assert sync_rules.wait_after(attempts, asked, 0) == timedelta(seconds=seconds)
