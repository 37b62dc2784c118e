"""What the books say: statements by page, receipts, grants in burn order, totals without demo wallets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from tests.ledger.stories import CREDIT, Wallet, new_wallet
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import queries, totals
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Kind


@pytest.fixture
def wallet(books) -> Wallet:
    return Wallet()


def test_a_statement_pages_through_every_line_once_newest_first_with_its_running_balance(wallet):
    wallet.buy(100)
    for _ in range(24):
        wallet.spend(1)
    seen, before = [], None
    while True:
        page = queries.statement(wallet.id, limit=10, before=before)
        seen += page.lines
        if page.next_before is None:
            break
        before = page.next_before
        wallet.spend(1)  # what comes in between does not move the pages
    assert [line.version for line in seen] == list(range(25, 0, -1))
    assert [line.posted_after_micros // CREDIT for line in seen] == list(range(76, 101))


def test_a_last_page_that_is_full_says_that_it_is_the_last(wallet):
    wallet.buy(100)
    for _ in range(9):
        wallet.spend(1)
    assert queries.statement(wallet.id, limit=10).next_before is None


def test_a_statement_can_show_only_some_kinds_and_leaves_zeros_out_unless_asked(wallet):
    wallet.buy(100)
    wallet.spend(1)
    wallet.release(wallet.hold(5))
    kinds = [line.kind for line in queries.statement(wallet.id).lines]
    assert kinds == ["spend", "grant"]
    assert [line.kind for line in queries.statement(wallet.id, kinds=[Kind.GRANT]).lines] == ["grant"]
    everything = [line.kind for line in queries.statement(wallet.id, with_zeros=True).lines]
    assert everything == ["release", "spend", "grant"]


def test_a_page_has_at_most_two_hundred_lines_whatever_is_asked(wallet):
    assert queries.statement(wallet.id, limit=10**9).lines == []
    with_limit = [queries.statement(wallet.id, limit=limit) for limit in (-5, 0, 1)]
    assert all(page.lines == [] for page in with_limit)


def test_a_receipt_names_the_grants_that_paid_and_the_hold_it_settled(wallet):
    gift, bought = wallet.gift(3), wallet.buy(10)
    held = wallet.hold(8)
    captured = wallet.capture(held, 5)
    receipt = queries.receipt(captured.transaction_id)
    assert [(part.grant_id, part.category, part.house, part.amount_micros // CREDIT) for part in receipt.parts] == [
        (gift, "promotional", "usage", -3),
        (bought, "paid", "usage", -2),
    ]
    assert receipt.hold is not None
    assert (receipt.hold.amount_micros, receipt.hold.captured_micros) == (8 * CREDIT, 5 * CREDIT)
    assert receipt.wallet_id == wallet.id


def test_what_expires_next_is_the_soonest_grant_with_something_free(wallet):
    assert queries.next_expiry(wallet.id) is None
    wallet.buy(10)
    assert queries.next_expiry(wallet.id) is None
    soon = wallet.gift(3, expires=now() + timedelta(days=1))
    wallet.gift(4, expires=now() + timedelta(days=2))
    assert queries.next_expiry(wallet.id).grant_id == soon
    wallet.spend(3)
    assert queries.next_expiry(wallet.id).remaining_micros == 4 * CREDIT


def test_open_holds_are_listed_the_first_to_end_first(wallet):
    wallet.buy(10)
    late, soon = wallet.hold(1, until=now() + timedelta(days=2)), wallet.hold(2, until=now() + timedelta(days=1))
    assert [line.hold_id for line in queries.open_holds(wallet.id)] == [soon.hold_id, late.hold_id]
    wallet.release(soon)
    assert [line.hold_id for line in queries.open_holds(wallet.id)] == [late.hold_id]


def test_totals_leave_demo_wallets_out(wallet):
    wallet.buy(100)
    wallet.gift(10)
    wallet.spend(30)
    wallet.hold(5)
    demo = Wallet(new_wallet(is_demo=True))
    demo.buy(1000)
    demo.spend(1)
    owing = Wallet()
    owing.spend_late(7)
    found = {house: total // CREDIT for house, total in totals.house_totals().items() if total}
    assert found == {House.SALES_STRIPE: -100, House.PROMOTIONS: -10, House.USAGE: 37}
    outstanding = totals.credits_outstanding()
    assert (outstanding.wallets, outstanding.posted_micros, outstanding.held_micros, outstanding.owed_micros) == (
        2,
        80 * CREDIT,
        5 * CREDIT,
        7 * CREDIT,
    )
    assert {category: micros // CREDIT for category, micros in outstanding.by_category.items()} == {"paid": 80}


def test_house_totals_and_wallets_sum_to_nothing(wallet):
    bought = wallet.buy(100)
    wallet.spend(30)
    wallet.claw_back(bought, 90)
    wallet.gift(5)
    everything = sum(totals.house_totals().values()) + queries.balance(wallet.id).posted_micros
    assert everything == 0


PAGES: dict[str, tuple[dict[str, Any], str]] = {
    "of everything": ({}, "uq_ledger_transaction_version"),
    "of spends": ({"kinds": [Kind.SPEND, Kind.CAPTURE]}, "uq_ledger_transaction_version"),
    "of grants": ({"kinds": [Kind.GRANT, Kind.CLAWBACK]}, "uq_ledger_transaction_key (wallet_id=? AND kind=?)"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_along_the_index_that_fits_its_kinds(sqlite_app, name):
    words, index = PAGES[name]
    asked: list[tuple[str, Any]] = []

    def look(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    with sqlite_app.app_context():
        event.listen(db.engine, "before_cursor_execute", look)
        queries.statement(Wallet().id, before=9, **words)
        event.remove(db.engine, "before_cursor_execute", look)
        statement, parameters = asked[-1]
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        db.session.rollback()
    steps = " ".join(str(row[-1]) for row in plan)
    assert f"USING INDEX {index}" in steps
