"""Leases: of any number of workers one writes, a dead one loses nothing, one declared dead writes nothing more."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import event, func, insert, select

from tests.costs.syncing import Syncing, bucket, cost, page
from tokenboard.audit.models import Alert
from tokenboard.core.clock import now, today
from tokenboard.core.db import db, is_postgresql
from tokenboard.costs import connection_queries, sync_import, sync_rules, sync_runs, tasks
from tokenboard.costs.models import CostDay, CostRow, CostTotal
from tokenboard.costs.sync_errors import LostLease
from tokenboard.costs.sync_keeper import kept
from tokenboard.providers.openai_client import OpenAIClient
from tokenboard.web.clients import clients

DAY = timedelta(days=1)
AFTER_THE_LEASE = sync_rules.LEASE + timedelta(seconds=1)


class Killed(BaseException):
    """Stands for kill -9: nothing of ours catches it, and nothing is tidied up."""


@pytest.fixture
def three_days(syncing: Syncing) -> list[date]:
    """Three days of bill, on three pages."""
    days = [today() - n * DAY for n in (3, 2, 1)]
    pages = [page(bucket(day, cost(n + 1)), next_page=f"p{n}") for n, day in enumerate(days)]
    syncing.script(*pages, page())
    return days


def waiting_run(syncing: Syncing, days: list[date]) -> tuple[str, str]:
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    return connection, syncing.queue(connection, days[0], days[-1]).id


def steps_of(run_id: str):
    """Take the run and answer its lease and its steps, as the task does."""
    lease = sync_runs.take(run_id)
    db.session.commit()
    assert lease is not None
    return lease, sync_import.steps(lease, clients().costs("openai", "sk-admin-sandbox-empty"))


def check_agreement(connection: str) -> None:
    """Whatever was committed agrees with itself."""
    rows = select(CostRow.on, func.sum(CostRow.amount_nano)).where(CostRow.connection_id == connection)
    by_rows = {on: int(nano) for on, nano in db.session.execute(rows.group_by(CostRow.on))}
    days = select(CostDay.on, CostDay.amount_nano).where(CostDay.connection_id == connection, CostDay.amount_nano != 0)
    assert by_rows == dict(db.session.execute(days).all())
    for dimension in ("project", "line_item", "api_key"):
        totals = select(CostTotal.on, func.sum(CostTotal.amount_nano)).where(CostTotal.dimension == dimension)
        assert by_rows == {on: int(nano) for on, nano in db.session.execute(totals.group_by(CostTotal.on))}
    db.session.rollback()


def test_a_kill_at_any_statement_loses_nothing(syncing: Syncing, three_days: list[date], monkeypatch):
    """The run is killed before its 1st, 2nd, 3rd … statement, and completed by the sweeper each time."""
    monkeypatch.setattr(OpenAIClient, "usage_kinds", ("completions",))  # the others are the same statements again
    engine, statement_number = db.engine, 0
    stride = 3 if is_postgresql() else 1  # the same statements; a third of them is enough a second time
    while True:
        statement_number += stride
        syncing.order("reset", {})
        pages = [page(bucket(day, cost(n + 1)), next_page=f"p{n}") for n, day in enumerate(three_days)]
        syncing.script(*pages, page())
        connection, run_id = waiting_run(syncing, three_days)
        left = statement_number

        def kill(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        event.listen(engine, "before_cursor_execute", kill)
        try:
            tasks.run_sync(run_id)
            was_killed = False
        except Killed:
            was_killed = True
        finally:
            event.remove(engine, "before_cursor_execute", kill)
        db.session.remove()
        check_agreement(connection)
        if not was_killed:
            break
        with time_machine.travel(now() + AFTER_THE_LEASE, tick=False):
            tasks.sweep()
            tasks.run_sync(run_id)
        assert syncing.run(run_id).state == "done"
        assert list(syncing.days(connection).values()) == [1_000_000_000, 2_000_000_000, 3_000_000_000]
        check_agreement(connection)
        db.session.delete(syncing.connection(connection))
        db.session.commit()
    assert statement_number > 25  # COPY on PostgreSQL is no cursor's execute, and is not counted


def test_a_run_taken_up_again_goes_on_where_it_was(syncing: Syncing, three_days: list[date], monkeypatch):
    monkeypatch.setattr(sync_rules, "BATCH_DAYS", 1)
    connection, run_id = waiting_run(syncing, three_days)
    _, steps = steps_of(run_id)
    for _ in range(2):
        next(steps)
        db.session.commit()
    assert syncing.run(run_id).reached_on == three_days[2]
    syncing.script(page(bucket(three_days[2], cost(30))))

    with time_machine.travel(now() + AFTER_THE_LEASE, tick=False):
        tasks.run_sync(run_id)

    assert syncing.run(run_id).state == "done"
    assert list(syncing.days(connection).values()) == [1_000_000_000, 2_000_000_000, 30_000_000_000]


def test_a_worker_that_lost_its_lease_writes_nothing_more(syncing: Syncing, three_days: list[date], monkeypatch):
    monkeypatch.setattr(sync_rules, "BATCH_DAYS", 1)
    connection, run_id = waiting_run(syncing, three_days)
    _, slow = steps_of(run_id)
    next(slow)
    db.session.commit()
    with time_machine.travel(now() + AFTER_THE_LEASE, tick=False):
        taken, _ = steps_of(run_id)

    with pytest.raises(LostLease):
        next(slow)
    db.session.rollback()

    assert list(syncing.days(connection)) == three_days[:1]
    assert syncing.run(run_id).lease_token == taken.token


def test_a_lease_that_holds_cannot_be_taken(syncing: Syncing, three_days: list[date]):
    _, run_id = waiting_run(syncing, three_days)
    steps_of(run_id)

    assert sync_runs.take(run_id) is None
    db.session.rollback()


def test_a_second_run_of_a_connection_waits_for_the_first(syncing: Syncing, three_days: list[date]):
    connection, first = waiting_run(syncing, three_days)
    steps_of(first)
    second = syncing.queue(connection, three_days[0] - 30 * DAY, three_days[-1]).id

    tasks.run_sync(second)

    assert second != first
    assert syncing.run(second).state == "waiting"


def test_two_workers_at_once_run_it_once(syncing: Syncing, three_days: list[date]):
    connection, run_id = waiting_run(syncing, three_days)
    db.session.remove()
    barrier, taken, failures = threading.Barrier(8), [], []

    def work() -> None:
        with syncing.app.app_context():
            barrier.wait()
            try:
                lease = sync_runs.take(run_id)
                db.session.commit()
                taken.append(lease)
            except Exception as error:
                failures.append(error)
                raise

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert failures == []
    assert len([lease for lease in taken if lease is not None]) == 1
    assert syncing.run(run_id).attempts == 1
    assert syncing.days(connection) == {}


def test_the_keeper_renews_the_lease_while_a_provider_is_slow(syncing: Syncing, three_days: list[date]):
    _, run_id = waiting_run(syncing, three_days)
    lease, _ = steps_of(run_id)
    before = syncing.run(run_id).lease_expires_at
    db.session.rollback()
    renewed = threading.Event()

    def heard(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE sync_run"):
            renewed.set()

    event.listen(db.engine, "after_cursor_execute", heard)
    try:
        with kept(lease, every_seconds=0.02):
            assert renewed.wait(10)
    finally:
        event.remove(db.engine, "after_cursor_execute", heard)

    assert syncing.run(run_id).lease_expires_at > before


def test_the_keeper_ends_by_itself_when_the_lease_is_gone(syncing: Syncing, three_days: list[date]):
    connection, run_id = waiting_run(syncing, three_days)
    lease, _ = steps_of(run_id)
    sync_runs.cancel(connection, code="removed", message="")
    db.session.commit()

    with kept(lease, every_seconds=0.01):
        pass

    assert syncing.run(run_id).state == "failed"


def test_a_run_whose_workers_always_die_is_given_up_and_reported(syncing: Syncing, three_days: list[date]):
    _, run_id = waiting_run(syncing, three_days)
    for _ in range(sync_rules.ATTEMPTS_MAX):
        with time_machine.travel(now() + AFTER_THE_LEASE * (syncing.run(run_id).attempts * 2 + 1), tick=False):
            steps_of(run_id)

    with time_machine.travel(now() + timedelta(hours=1), tick=False):
        assert sync_runs.take(run_id) is None
        db.session.rollback()
        tasks.sweep()

    run = syncing.run(run_id)
    assert (run.state, run.error_code) == ("failed", "interrupted")
    assert [alert.kind for alert in syncing.rows(Alert)] == ["costs.sync_failed"]


def test_removing_the_connection_stops_the_worker_at_its_next_write(
    syncing: Syncing, three_days: list[date], monkeypatch
):
    monkeypatch.setattr(sync_rules, "BATCH_DAYS", 1)
    connection, run_id = waiting_run(syncing, three_days)
    _, steps = steps_of(run_id)
    next(steps)
    db.session.commit()
    db.session.delete(syncing.connection(connection))
    db.session.commit()

    with pytest.raises(LostLease):
        next(steps)
    db.session.rollback()

    assert syncing.rows(CostDay) == []


def test_who_replaces_a_key_and_who_writes_days_do_not_wait_for_each_other(syncing: Syncing):
    connection_id = syncing.connect()
    if not is_postgresql():
        pytest.skip("SQLite has one writer at a time")
    connection_queries.live(syncing.people.team_id, "openai", locked=True)

    with db.engine.begin() as worker:
        worker.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        day = {"connection_id": connection_id, "on": date(2026, 11, 20), "amount_nano": 1}
        worker.execute(insert(CostDay).values(first_seen_at=now(), seen_at=now(), **day))

    db.session.rollback()
    assert len(syncing.days(connection_id)) == 1
