"""Usage and names that do not come: the bill stands without them, and the run says what is missing."""

from __future__ import annotations

from collections.abc import Callable

import time_machine

from tests.costs.syncing import COSTS, EMPTY, Syncing, bucket, cost, page
from tokenboard.accounts.models import Person
from tokenboard.core.clock import today
from tokenboard.core.db import db
from tokenboard.costs import budget_service, tasks
from tokenboard.costs.models import BudgetAlert

COMPLETIONS = "/openai/v1/organization/usage/completions"


def test_usage_that_may_not_be_read_does_not_fail_the_bill(syncing: Syncing):
    connection = syncing.connect_for(days=3)
    syncing.fault("noscope-object", COMPLETIONS)
    syncing.fault("404", "/openai/v1/organization/usage/web_search_calls")

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("done", "partly_read")
    assert run.error_message == (
        "Costs are complete, but this key could not read the usage of: completions, web search calls."
    )
    assert len(syncing.days(connection)) == 3
    assert syncing.connection(connection).last_error == ""


def test_usage_in_passing_trouble_is_read_later_without_reading_the_costs_again(syncing: Syncing):
    connection = syncing.connect_for(days=3)
    run_id = syncing.waiting(connection).id
    syncing.fault("503", COMPLETIONS, times=3)
    tasks.run_sync(run_id)
    assert (syncing.run(run_id).state, syncing.run(run_id).days_done) == ("waiting", 3)
    assert syncing.connection(connection).last_synced_at is not None
    syncing.fault("404", COSTS, times=9)

    with time_machine.travel(syncing.run(run_id).next_attempt_at, tick=False):
        tasks.run_sync(run_id)

    assert syncing.run(run_id).state == "done"


def test_names_that_may_not_be_read_leave_the_ids(syncing: Syncing):
    connection = syncing.connect_for(days=2, key="sk-admin-sandbox-nonames")

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_message) == ("done", "")


def test_names_in_trouble_do_not_hold_up_the_bill(syncing: Syncing):
    connection = syncing.connect_for(days=2)
    syncing.fault("503", "/openai/v1/organization/projects", times=99)

    run = syncing.run_waiting(connection)

    assert run.state == "done"
    assert len(syncing.slept_seconds) == 2  # one call's own tries, and no further name was asked for


def test_usage_that_never_comes_ends_the_run_after_six_tries_and_budgets_are_checked_all_the_same(
    syncing: Syncing, run_jobs: Callable[[], int]
):
    connection = syncing.connect_for(days=2, key=EMPTY)
    run_id = syncing.waiting(connection).id
    alice = db.session.get_one(Person, syncing.people.alice.id)
    budget_service.set_budget(workspace_id=syncing.people.team_id, actor=alice, amount_cents=100)
    db.session.commit()
    syncing.script(page(bucket(today(), cost(1))))
    syncing.fault("503", COMPLETIONS, times=99)

    for _ in range(7):
        with time_machine.travel(syncing.run(run_id).next_attempt_at, tick=False):
            tasks.run_sync(run_id)

    run = syncing.run(run_id)
    assert (run.state, run.attempts, run.days_done) == ("failed", 6, 2)
    run_jobs()
    assert {alert.step for alert in syncing.rows(BudgetAlert)} == {"50", "80", "100"}
