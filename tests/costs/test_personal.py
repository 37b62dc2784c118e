"""Personal mode: a prepaid balance, what its differences say was spent, and the balance somebody types in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from tests.contract.shared import needs_shared, text_of
from tests.costs.syncing import Syncing, bucket, cost, page
from tokenboard.core.clock import today
from tokenboard.core.db import db
from tokenboard.costs import credit_queries, service, tasks
from tokenboard.costs.models import CostRow, CreditSnapshot

BALANCE = "/openai/v1/dashboard/billing/credit_grants"
MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def told(used: str, granted: str = "100", expires_at: int = 4_000_000_000) -> dict[str, object]:
    """What the provider says of one grant."""
    grant: dict[str, object] = {"object": "credit_grant", "id": "g1", "grant_amount": granted, "used_amount": used}
    grant |= {"effective_at": 1_700_000_000.0, "expires_at": expires_at}
    return {"object": "credit_summary", "grants": {"object": "list", "data": [grant]}}


def read_at(syncing: Syncing, connection: str, instant: datetime, used: str) -> None:
    """One sync at an instant at which the provider tells so much as used."""
    syncing.script(told(used), path=BALANCE)
    with time_machine.travel(instant, tick=False):
        run = service.request_sync(connection=syncing.connection(connection), actor_id="alice")
        db.session.commit()
        tasks.run_sync(run.id)
        assert syncing.run(run.id).state == "done"


@pytest.fixture
def connection(syncing: Syncing) -> str:
    with time_machine.travel(MORNING - timedelta(days=1), tick=False):
        connection_id = syncing.connect("sk-sandbox", mode="personal")
        syncing.drop_waiting(connection_id)
    return connection_id


def test_the_first_reading_knows_the_balance_and_nothing_of_the_past(syncing: Syncing, connection: str):
    read_at(syncing, connection, MORNING, used="40.5")

    assert syncing.days(connection) == {MORNING.date(): 0}
    balance = credit_queries.prepaid_balance(syncing.people.team_id)
    assert (balance.source, balance.left_nano, balance.granted_nano) == ("provider", 59_500_000_000, 100_000_000_000)


def test_differences_between_readings_are_spend_of_the_later_day(syncing: Syncing, connection: str):
    for hours, used in ((0, "40.00"), (2, "40.25"), (5, "41.00"), (14, "41.50"), (16, "42.00"), (40, "42.10")):
        read_at(syncing, connection, MORNING + timedelta(hours=hours), used)

    assert syncing.days(connection) == {
        date(2026, 11, 20): 1_500_000_000,  # 40.00 at 9:00 to 41.50 at 23:00
        date(2026, 11, 21): 500_000_000,  # the next reading, at 1:00
        date(2026, 11, 22): 100_000_000,
    }
    assert syncing.totals(connection, "line_item") == {"Prepaid credits used": 2_100_000_000}


def test_reading_twice_counts_once_and_a_falling_figure_is_no_income(syncing: Syncing, connection: str):
    for minutes, used in ((0, "10"), (10, "11"), (10, "11"), (20, "3"), (30, "4")):
        read_at(syncing, connection, MORNING + timedelta(minutes=minutes), used)

    assert syncing.days(connection) == {MORNING.date(): 2_000_000_000}


def test_expired_grants_are_not_left_and_their_use_still_counts(syncing: Syncing, connection: str):
    syncing.script(told("5", granted="20", expires_at=1_700_000_000), path=BALANCE)
    syncing.queue(connection)
    syncing.run_waiting(connection)

    [snapshot] = syncing.rows(CreditSnapshot)

    assert (snapshot.available_nano, snapshot.used_nano, snapshot.expires_at) == (0, 5_000_000_000, None)


def test_another_accounts_key_is_no_spend(syncing: Syncing, connection: str):
    read_at(syncing, connection, MORNING, used="40")
    read_at(syncing, connection, MORNING + timedelta(hours=1), used="41")
    with time_machine.travel(MORNING + timedelta(hours=2), tick=False):
        syncing.connect("sk-sandbox-of-another-account", mode="personal")
        syncing.drop_waiting(connection)
    read_at(syncing, connection, MORNING + timedelta(hours=2), used="500")
    read_at(syncing, connection, MORNING + timedelta(hours=3), used="502")

    assert syncing.days(connection) == {MORNING.date(): 3_000_000_000}


@needs_shared
def test_the_recorded_balance_comes_out_exactly(syncing: Syncing, connection: str):
    syncing.script(text_of("examples/openai/credit_grants_200.json"), path=BALANCE)
    syncing.queue(connection)
    syncing.run_waiting(connection)

    [snapshot] = syncing.rows(CreditSnapshot)

    assert snapshot.used_nano == 628_454_500
    assert syncing.rows(CostRow) == []


def test_a_run_reads_the_balance_and_no_costs(syncing: Syncing, connection: str):
    syncing.fault("revoked", "/openai/v1/organization", times=99)
    syncing.queue(connection)

    run = syncing.run_waiting(connection)

    assert (run.state, run.days_done, run.days_total) == ("done", 1, 1)


@pytest.mark.parametrize("suffix", ["-session", "-404", "-revoked"])
def test_where_the_balance_is_not_told_connecting_says_so_and_offers_typing(outside: Syncing, suffix: str):
    alice = outside.people.bearer(outside.people.alice)
    body = {"workspaceId": outside.people.team_id, "apiKey": f"sk-sandbox{suffix}", "mode": "personal"}

    answer = alice.post("/api/openai/connect", json=body)

    sentences = {
        "-session": "OpenAI shows credit balances only on its own website, not to keys. Type the balance and its date",
        "-404": "OpenAI does not offer this at the configured address.",
        "-revoked": "OpenAI does not know this key",
    }
    assert (answer.status_code, list(answer.json["fields"])) == (422, ["apiKey"])
    assert answer.json["error"].startswith(sentences[suffix])


def test_an_admin_key_shows_no_balance(outside: Syncing):
    alice = outside.people.bearer(outside.people.alice)
    body = {"workspaceId": outside.people.team_id, "apiKey": "sk-admin-sandbox", "mode": "personal"}

    answer = alice.post("/api/openai/connect", json=body)

    assert answer.status_code == 422
    assert "only on its own website" in answer.json["error"]


def test_the_page_opens_the_typed_balance_when_the_key_is_refused(outside: Syncing):
    alice = outside.people.browser(outside.people.alice)
    sent = {"workspace_id": outside.people.team_id, "provider": "openai", "mode": "personal"}

    answer = alice.post("/settings/connections", sent | {"api_key": "sk-sandbox-session"})

    assert answer.status_code == 422
    typing = answer.text.partition("Type the balance in")[0].rpartition("<details")[2]
    assert " open" in typing


def test_a_personal_key_that_lost_its_right_is_rejected(syncing: Syncing, connection: str):
    syncing.fault("session", BALANCE)
    syncing.queue(connection)

    run = syncing.run_waiting(connection)

    assert (run.state, run.error_code) == ("failed", "balance_refused")
    assert syncing.connection(connection).status == "rejected"


def test_a_typed_balance_is_lessened_by_the_costs_of_the_days_after_it(syncing: Syncing):
    organization = syncing.connect()
    days = [today() - timedelta(days=n) for n in (3, 2, 1, 0)]
    syncing.script(page(*(bucket(day, cost(n)) for n, day in enumerate(days, start=1))))
    syncing.read(organization, days=4)

    service.type_balance(
        workspace_id=syncing.people.team_id,
        amount_nano=50_000_000_000,
        as_of_on=days[1],
        actor_id=syncing.people.bob.id,
    )
    db.session.commit()

    balance = credit_queries.prepaid_balance(syncing.people.team_id)
    assert (balance.source, balance.typed_nano, balance.spent_since_nano) == ("typed", 50_000_000_000, 7_000_000_000)
    assert balance.left_nano == 43_000_000_000


def test_the_newer_of_told_and_typed_counts(syncing: Syncing, connection: str):
    read_at(syncing, connection, MORNING, used="40")
    for as_of_on, source in (
        (MORNING.date() - timedelta(days=1), "provider"),
        (MORNING.date() + timedelta(days=1), "typed"),
    ):
        service.type_balance(
            workspace_id=syncing.people.team_id, amount_nano=7, as_of_on=as_of_on, actor_id=syncing.people.alice.id
        )
        db.session.commit()
        assert credit_queries.prepaid_balance(syncing.people.team_id).source == source


def test_without_either_nothing_is_known(syncing: Syncing):
    assert credit_queries.prepaid_balance(syncing.people.team_id) is None
