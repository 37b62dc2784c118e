"""A call whose process died is settled from what was recorded; one that lives is left alone."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import update

from tests.metering.calling import CREDIT, Told, begin, held_and_posted, record, settle
from tests.people import People
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import totals
from tokenboard.ledger.accounts import House
from tokenboard.metering import laws, queries, service, tasks
from tokenboard.metering.models import MeteredCall
from tokenboard.wallet.tasks import ledger_expire_holds
from tokenboard.workspaces.models import Workspace


def test_a_lost_call_is_charged_for_what_was_recorded(shop: People):
    wallet_id = db.session.get_one(Workspace, shop.team_id).ledger_account_id
    call = begin(shop, "x" * 40)
    record(call, "y" * 40)
    watermark = db.session.get_one(MeteredCall, call.id, populate_existing=True).watermark_micros
    with time_machine.travel(now() + timedelta(seconds=11), tick=False):
        tasks.sweep()
    row = db.session.get_one(MeteredCall, call.id, populate_existing=True)
    assert (row.state, row.outcome, row.error_code) == ("settled", "interrupted", "lost")
    assert held_and_posted(wallet_id) == (0, 100 * CREDIT - watermark)
    assert watermark == 10 * 250 + 10 * 1_000


def test_a_lost_call_that_delivered_nothing_is_given_back_whole(shop: People):
    wallet_id = db.session.get_one(Workspace, shop.team_id).ledger_account_id
    begin(shop)
    with time_machine.travel(now() + timedelta(seconds=11), tick=False):
        tasks.sweep()
        tasks.sweep()
    assert held_and_posted(wallet_id) == (0, 100 * CREDIT)


def test_a_call_whose_lease_is_renewed_is_left_alone(shop: People):
    call = begin(shop)
    later = now() + timedelta(seconds=11)
    db.session.execute(update(MeteredCall).values(lease_until=later + timedelta(seconds=5)))
    db.session.commit()
    with time_machine.travel(later, tick=False):
        tasks.sweep()
        assert service.settle_lost(call_id=call.id) is None
    assert db.session.get_one(MeteredCall, call.id, populate_existing=True).state == "open"


def test_whoever_settles_after_the_sweeper_sees_the_sweepers_result(shop: People):
    call = begin(shop)
    record(call, "y" * 40)
    with time_machine.travel(now() + timedelta(seconds=11), tick=False):
        tasks.sweep()
    late = settle(call, usage=Told(9, 400))
    assert (late.is_replay, late.status, late.is_estimated) == (True, "interrupted", True)


def test_a_hold_that_ended_by_its_own_time_leaves_the_house_to_pay_and_says_so(shop: People):
    """Only when no sweeper ran for an hour; the customer's credits are back already."""
    wallet_id = db.session.get_one(Workspace, shop.team_id).ledger_account_id
    call = begin(shop)
    record(call, "Yes.")
    with time_machine.travel(now() + timedelta(seconds=3_601), tick=False):
        ledger_expire_holds()
        settled = settle(call, usage=Told(9, 4))
        assert {alert.kind for alert in open_alerts()} == {"metering.hold_gone"}
    assert (settled.credits_micros, settled.transaction_id) == (0, None)
    assert held_and_posted(wallet_id) == (0, 100 * CREDIT)
    assert totals.house_totals()[House.SHRINKAGE] == -6_250
    assert queries.spent_this_month(shop.bob.id) == 0
    assert laws.check() == []
