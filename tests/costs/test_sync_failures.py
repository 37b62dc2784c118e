"""What becomes of a run that does not go well: what was whole stays, the run says why, the connection is marked."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from tests.costs.syncing import Syncing, bucket, cost, page
from tokenboard.audit.models import Alert
from tokenboard.core.clock import now, today
from tokenboard.core.crypto import KeyRing
from tokenboard.core.db import db
from tokenboard.costs import service, tasks
from tokenboard.costs.models import CostRow, SyncRun

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
COMPLETIONS = "/openai/v1/organization/usage/completions"
MAKE_ONE = (
    "Make an admin key (it begins with sk-admin-) at https://platform.openai.com/settings/organization/admin-keys"
)

REFUSALS = {
    "-revoked": ("key_refused", "OpenAI does not know this key: it is mistyped, expired or revoked."),
    "-noscope": ("key_lacks_scope", "OpenAI accepts this key but does not let it read costs and usage."),
    "-noscope-object": ("key_lacks_scope", "OpenAI accepts this key but does not let it read costs and usage."),
    "-noscope-401": ("key_lacks_scope", "OpenAI accepts this key but does not let it read costs and usage."),
}
PASSING = {
    "-429-bare": ("rate_limited", "OpenAI is limiting how often this key may ask."),
    "-500": ("provider_unavailable", "OpenAI cannot be reached or is having trouble."),
    "-503": ("provider_unavailable", "OpenAI cannot be reached or is having trouble."),
    "-hangup": ("provider_unavailable", "OpenAI cannot be reached or is having trouble."),
    "-halfpage": ("bad_answer", "Found: the answer broke off."),
    "-halfjson": ("bad_answer", "Found: the answer is not readable JSON."),
    "-garbage": ("bad_answer", "Found: the answer is not readable JSON."),
    "-html": ("bad_answer", "Found: the answer is not JSON by its content type."),
    "-list": ("bad_answer", "Found: the answer is not a JSON object."),
    "-nan": ("bad_answer", "Found: the answer is not readable JSON."),
    "-redirect": ("bad_answer", "Found: status 302 where 200 was expected."),
    "-loop": ("bad_answer", "Found: the same page cursor came twice."),
    "-nocursor": ("bad_answer", "Found: more pages are promised but no cursor to them is given."),
    "-twice": ("bad_answer", "came twice."),
}


@pytest.mark.parametrize("suffix", REFUSALS)
def test_a_refused_key_stops_the_syncs_until_it_changes(sqlite_syncing: Syncing, suffix: str):
    code, sentence = REFUSALS[suffix]
    connection = sqlite_syncing.connect(f"sk-admin-sandbox{suffix}")

    run = sqlite_syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("failed", code)
    assert sentence in run.error_message
    assert MAKE_ONE in run.error_message
    stopped = sqlite_syncing.connection(connection)
    assert (stopped.status, stopped.next_sync_at, stopped.last_error) == ("rejected", None, run.error_message)
    tasks.queue_hourly()
    tasks.queue_daily()
    assert sqlite_syncing.waiting(connection) is None
    [alert] = sqlite_syncing.rows(Alert)
    assert (alert.kind, alert.open_key) == ("costs.key_rejected", f"costs.key_rejected:{connection}")


@pytest.mark.parametrize("suffix", PASSING)
def test_passing_trouble_is_tried_again_later_and_said_meanwhile(sqlite_syncing: Syncing, suffix: str):
    code, sentence = PASSING[suffix]
    connection = sqlite_syncing.connect(f"sk-admin-sandbox{suffix}")

    run = sqlite_syncing.run_waiting(connection)

    assert (run.state, run.error_code, run.attempts) == ("waiting", code, 1)
    assert sentence in run.error_message
    assert timedelta(seconds=8) < run.next_attempt_at - now() < timedelta(seconds=13)
    marked = sqlite_syncing.connection(connection)
    assert (marked.status, marked.last_error_code) == ("active", code)
    assert sqlite_syncing.rows(CostRow) == []


def test_an_answer_that_never_comes_is_tried_again(syncing: Syncing):
    syncing.order("settings", {"slow_seconds": 0.05})  # the sandbox answers 504 after its silence
    connection = syncing.connect("sk-admin-sandbox-slow")

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("waiting", "provider_unavailable")


def test_too_large_an_answer_fails_at_once(syncing: Syncing):
    connection = syncing.connect("sk-admin-sandbox-huge")

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("failed", "answer_too_large")
    assert "more data at once than is accepted" in run.error_message


def test_an_address_without_costs_fails_and_says_so(syncing: Syncing):
    connection = syncing.connect("sk-admin-sandbox-404")

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("failed", "not_available")
    assert "does not offer this at the configured address" in run.error_message
    assert syncing.connection(connection).status == "active"


def test_a_long_retry_after_is_obeyed(syncing: Syncing):
    connection = syncing.connect("sk-admin-sandbox-429-long")

    run = syncing.run_waiting(connection)

    assert timedelta(minutes=59) < run.next_attempt_at - now() <= timedelta(minutes=60)
    assert syncing.slept_seconds == []


@pytest.mark.parametrize("suffix", ["-429", "-500-once"])
def test_trouble_that_passes_at_once_is_not_even_noticed(syncing: Syncing, suffix: str):
    connection = syncing.connect_for(days=2, key=f"sk-admin-sandbox{suffix}")

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_message) == ("done", "")
    assert syncing.slept_seconds
    assert len(syncing.days(connection)) == 2


def test_after_six_tries_the_run_gives_up_and_the_operator_hears_of_it(syncing: Syncing):
    connection = syncing.connect("sk-admin-sandbox-500")
    run_id = syncing.waiting(connection).id
    waits = []

    for _ in range(6):
        with time_machine.travel(syncing.run(run_id).next_attempt_at, tick=False):
            tasks.run_sync(run_id)
            waits.append((syncing.run(run_id).next_attempt_at - now()).total_seconds())

    run = syncing.run(run_id)
    assert (run.state, run.attempts) == ("failed", 6)
    assert [round(seconds) // base for seconds, base in zip(waits, (10, 60, 300, 1800, 7200), strict=False)] == [1] * 5
    [alert] = syncing.rows(Alert)
    assert (alert.kind, alert.severity) == ("costs.sync_failed", "warning")


def test_the_next_good_sync_takes_the_mark_and_the_alert_away(syncing: Syncing):
    connection = syncing.connect()
    syncing.fault("404")
    failed = syncing.run_waiting(connection)
    syncing.queue(connection)

    done = syncing.run_waiting(connection)

    assert (failed.state, done.state) == ("failed", "done")
    assert syncing.connection(connection).last_error == ""
    [alert] = syncing.rows(Alert)
    assert alert.resolved_at is not None


def test_days_of_whole_pages_stay_when_the_next_page_breaks(syncing: Syncing):
    first, second, third = (today() - n * DAY for n in (3, 2, 1))
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    run = syncing.queue(connection, first, third)
    syncing.script(page(bucket(first, cost(1)), bucket(second, cost(2)), next_page="p1"), {"data": "rubbish"})
    tasks.run_sync(run.id)

    assert syncing.days(connection) == {first: 1_000_000_000, second: 2_000_000_000}
    half = syncing.run(run.id)
    assert (half.state, half.days_done, half.days_total) == ("waiting", 2, 3)

    syncing.script(page(bucket(third, cost(3))))
    with time_machine.travel(half.next_attempt_at, tick=False):
        tasks.run_sync(run.id)

    assert syncing.run(run.id).state == "done"
    assert sum(syncing.days(connection).values()) == 6_000_000_000


def test_another_currency_is_never_added_to_dollars(syncing: Syncing):
    first, second, third = (today() - n * DAY for n in (3, 2, 1))
    connection = syncing.connect()
    days = bucket(first, cost(1)), bucket(second, cost(2), cost(5, "EUR")), bucket(third, cost(3))
    syncing.script(page(*days))

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("failed", "foreign_currency")
    assert run.error_message.startswith(f"OpenAI billed {second} in EUR. Only US dollars are added up here")
    assert syncing.days(connection) == {first: 1_000_000_000}
    assert syncing.connection(connection).last_error == run.error_message


def test_a_day_past_any_column_is_refused_not_overflown(syncing: Syncing):
    connection = syncing.connect()
    syncing.script(page(bucket(today(), cost(9_000_000_000), cost(9_000_000_000))))

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("failed", "bill_too_large")
    assert syncing.days(connection) == {}


def test_a_key_sealed_with_a_lost_encryption_key_asks_for_the_key_again(syncing: Syncing):
    foreign = service.Vault(KeyRing({"other": b"x" * 32}), "fingerprint")
    connection_id = syncing.connect()
    connection = syncing.connection(connection_id)
    connection.sealed_key = foreign.keys.seal("sk-admin-sandbox", context=service.seal_context(connection))
    db.session.commit()

    run = syncing.run_waiting(connection_id)

    assert (run.state, run.error_code) == ("failed", "cannot_unseal")
    assert "Paste the provider's key again" in run.error_message


def test_no_failure_leaves_a_transaction_or_a_second_run_behind(syncing: Syncing):
    connection = syncing.connect("sk-admin-sandbox-500")

    syncing.run_waiting(connection)

    assert len(syncing.rows(SyncRun)) == 1
    db.session.rollback()
    assert not db.session().in_transaction()


def test_progress_made_on_the_last_attempt_counts(syncing: Syncing):
    first, second = today() - DAY, today()
    connection = syncing.connect()
    syncing.drop_waiting(connection)
    run = syncing.queue(connection, first, second)
    run.attempts = 5
    db.session.commit()
    syncing.script(page(bucket(first, cost(1)), next_page="p1"), {"data": "rubbish"})

    tasks.run_sync(run.id)

    assert (syncing.run(run.id).state, syncing.run(run.id).attempts) == ("waiting", 1)
