"""What must happen by time: grants expire and holds end, by the sweeper, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import time_machine

from tests.people import People
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.jobs import run_task
from tokenboard.ledger import queries as ledger_queries, service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.invariants import check
from tokenboard.ledger.kinds import Category
from tokenboard.schedule import PERIODIC


def test_expired_grants_and_overdue_holds_end_once(people: People, wallet_of: Callable[[str], str]):
    wallet = wallet_of(people.team_id)
    soon = now() + timedelta(minutes=5)
    with people.app.app_context():
        ledger.grant(
            wallet_id=wallet,
            amount_micros=10_000_000,
            category=Category.PROMOTIONAL,
            house=House.PROMOTIONS,
            key="g",
            expires_at=soon,
        )
        ledger.hold(wallet_id=wallet, amount_micros=4_000_000, key="h", expires_at=soon)
        db.session.commit()

    with people.app.app_context(), time_machine.travel(soon + timedelta(seconds=1), tick=False):
        before = ledger_queries.balance(wallet)
        db.session.rollback()
        for _ in range(2):
            run_task("wallet.sweep")
        after = ledger_queries.balance(wallet)
        kinds = [line.kind for line in ledger_queries.statement(wallet, with_zeros=True).lines]
        assert check() == []

    assert (before.posted_micros, before.available_micros) == (10_000_000, 0)
    assert (after.posted_micros, after.held_micros) == (0, 0)
    assert sorted(kinds) == ["expiry", "expiry", "grant", "hold_expiry"]


def test_the_sweeper_runs_by_the_clock_also_without_a_queue():
    found = {one.task: one for one in PERIODIC}

    assert found["wallet.sweep"].runs_without_queue
    assert found["ops.check_books"].cron.split()[2:] == ["*", "*", "*"]
