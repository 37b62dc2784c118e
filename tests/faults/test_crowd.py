"""Many at once over HTTP: a wallet is never overspent, a process never takes more than it can write."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from flask import Flask

from tests.faults import checking
from tests.faults.readers import Reading, read, stop
from tests.faults.site import ENDLESS, Site, give, site
from tests.sizes import sized
from tokenboard.core.db import db
from tokenboard.ledger import queries as ledger_queries, service as ledger
from tokenboard.metering import service
from tokenboard.metering.facts import CallOrder
from tokenboard.workspaces.models import Workspace

pytestmark = pytest.mark.slow

MESSAGE = "Tell me something."
PAID_FOR = sized(6, 20)


def _at_once(running: Site, count: int, *, is_patient: bool = False, **wish: object) -> list[Reading]:
    """Everybody asks at the same moment; answers that began are stopped once all have been answered.

    `is_patient`: whoever is told that there is no place now (503) asks again, as `Retry-After` says.
    """
    readings: list[Reading] = []
    barrier = threading.Barrier(count)

    def ask() -> None:
        barrier.wait()
        asked = running.wish(ENDLESS, MESSAGE) | wish
        reading = read(running.port, asked, returns=False)
        while is_patient and reading.status == 503:
            time.sleep(1)
            reading = read(running.port, asked, returns=False)
        readings.append(reading)

    crowd = [threading.Thread(target=ask) for _ in range(count)]
    for reader in crowd:
        reader.start()
    checking.wait_until(lambda: len(readings) + checking.open_calls(running.app) == count, 150)
    for call_id in checking.open_call_ids(running.app):
        stop(running.port, call_id)
    for reader in crowd:
        reader.join()
    return readings


def _priced(app: Flask, workspace_id: str) -> int:
    """What one such call holds."""
    with app.app_context():
        workspace = db.session.get_one(Workspace, workspace_id)
        order = CallOrder(workspace, None, "gateway", ENDLESS, [{"role": "user", "content": MESSAGE}], 4_096)
        return service.estimate(order=order).high_micros


def test_ten_times_as_many_at_once_as_the_wallet_can_pay_for(app: Flask, tmp_path: Path):
    with site(app, tmp_path, has_worker=False, MAX_STREAMS_PER_PROCESS="300") as running:
        bob = running.people.bob
        cost_of_one = _priced(app, bob.workspace_id)
        with app.app_context():
            wallet_id = db.session.get_one(Workspace, bob.workspace_id).ledger_account_id
            _empty(wallet_id)
            give(bob.workspace_id, PAID_FOR * cost_of_one)
            db.session.commit()
        readings = _at_once(running, 10 * PAID_FOR, is_patient=True, workspace_id=bob.workspace_id, person_id=bob.id)
        with app.app_context():
            balance = ledger_queries.balance(wallet_id)

        assert sorted(reading.status for reading in readings) == [200] * PAID_FOR + [402] * 9 * PAID_FOR
        assert balance.available_micros >= 0
        assert balance.held_micros == 0
        assert checking.faults_of(app, readings) == []


def test_past_its_limit_a_process_refuses_before_anything_is_held(app: Flask, tmp_path: Path):
    with site(app, tmp_path, has_worker=False, WEB_CONCURRENCY="1", MAX_STREAMS_PER_PROCESS="5") as running:
        readings = _at_once(running, 30)

        assert sorted(reading.status for reading in readings) == [200] * 5 + [503] * 25
        assert checking.all_calls(app) == 5


def _empty(wallet_id: str) -> None:
    """Spend what signing up gave."""
    available = ledger_queries.balance(wallet_id).available_micros
    if available:
        ledger.spend(wallet_id=wallet_id, amount_micros=available, key="all", description="all", source="test")
