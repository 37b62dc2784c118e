"""How often a call speaks to the database, and that whoever watches its wallet hears of it all the same."""

from __future__ import annotations

from collections.abc import Callable

from tests.metering.calling import Told, begin, order, record, settle
from tests.people import People
from tokenboard.core.db import db, is_postgresql
from tokenboard.ledger import queries as ledger
from tokenboard.metering import service
from tokenboard.metering.facts import Outcome
from tokenboard.wallet import low_balance_service
from tokenboard.wallet.models import LowBalance
from tokenboard.workspaces.models import Workspace


def test_on_postgresql_a_call_is_begun_and_settled_in_three_statements_each(shop: People, count_queries: Callable):
    settle(begin(shop, source="gateway"))  # what is read once is known
    asked, outcome = order(shop, source="gateway"), Outcome("ok", Told(9, 4), delivered_bytes=10)

    with count_queries() as beginning:
        call = service.begin(order=asked)
    with count_queries() as ending:
        service.settle(call_id=call.id, outcome=outcome)

    most = 3 if is_postgresql() else 20  # SQLite is told step by step, and is no journey away
    assert max(beginning.number, ending.number) <= most


def test_a_call_that_takes_the_balance_below_its_line_is_heard(shop: People):
    workspace = db.session.get_one(Workspace, shop.team_id)
    has_micros = ledger.balance(workspace.ledger_account_id).posted_micros
    low_balance_service.draw_line(workspace=workspace, threshold_micros=has_micros, actor="test")
    db.session.commit()
    call = begin(shop)
    record(call, "Good morning")
    assert line(workspace).is_armed  # what is held is there still

    settle(call, usage=Told(9, 4))

    assert not line(workspace).is_armed


def line(workspace: Workspace) -> LowBalance:
    return db.session.get_one(LowBalance, workspace.ledger_account_id, populate_existing=True)
