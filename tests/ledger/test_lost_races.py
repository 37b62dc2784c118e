"""What the hot path on PostgreSQL can lose while it waits for the wallet's lock: the key, the head grant, the hold.

Told one by one and without luck: a first transaction holds the lock, a second one is seen to wait for it, the first
commits. The loser puts the wallet back and answers what is true by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from tests.conftest import House as AppHouse
from tests.ledger.crowds import in_a_session
from tests.ledger.stories import CREDIT, Wallet
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import service
from tokenboard.ledger.errors import HoldNotOpen
from tokenboard.ledger.results import Posting
from tokenboard.ledger.statements_postgresql import UNDO_LOT, UNDO_WALLET

pytestmark = pytest.mark.postgres
UNDOING = (UNDO_WALLET.postgresql, UNDO_LOT.postgresql)


@pytest.fixture
def books(postgresql_house: AppHouse) -> Iterator[Flask]:
    postgresql_house.empty()
    with postgresql_house.app.app_context():
        yield postgresql_house.app
        db.session.rollback()


@pytest.fixture
def undone(books: Flask) -> Iterator[list[str]]:
    """The statements that put a wallet back."""
    seen: list[str] = []

    def look(_connection, _cursor, statement, *_):
        if "version = version -" in statement or (
            "held_micros = held_micros +" in statement and "WITH" not in statement
        ):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", look)
    yield seen
    event.remove(db.engine, "before_cursor_execute", look)


def after_waiting(app: Flask, first: Callable[[], object], second: Callable[[], object]) -> Any:
    """`second` begins while `first` is uncommitted and waits for its lock; then `first` commits."""
    first()
    with ThreadPoolExecutor(1) as pool:
        waiting: Future[Any] = pool.submit(in_a_session, app, second)
        with db.engine.connect() as watcher:
            while not _somebody_waits(watcher):
                assert not waiting.done(), "the second one did not wait for the first"
        db.session.commit()
        return waiting.result(timeout=10)


def _somebody_waits(watcher: sa.Connection) -> bool:
    found = watcher.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one()
    watcher.rollback()
    return bool(found)


def test_a_key_that_was_used_meanwhile_is_shown_and_not_spent_again(books, undone):
    wallet = Wallet()
    wallet.buy(100)
    call = partial(service.spend, wallet_id=wallet.id, amount_micros=10 * CREDIT, key="the-key")
    answer = after_waiting(books, call, call)
    assert isinstance(answer, Posting)
    assert (answer.is_replay, answer.balance.posted_micros) == (True, 90 * CREDIT)
    assert len(undone) == 2  # the wallet and its grant
    wallet.shows(posted=90)


def test_a_grant_that_is_younger_than_the_snapshot_pays_all_the_same(books, undone):
    wallet = Wallet()
    bought = wallet.buy(100)

    def first() -> None:  # a younger gift burns before what was bought: the head moves to it
        service.grant(
            wallet_id=wallet.id,
            amount_micros=50 * CREDIT,
            category=service.Category.PROMOTIONAL,
            house=service.House.PROMOTIONS,
            key="gift",
        )

    answer = after_waiting(
        books, first, partial(service.spend, wallet_id=wallet.id, amount_micros=10 * CREDIT, key="the-key")
    )
    assert isinstance(answer, Posting)
    assert len(undone) == 1  # the wallet only: the grant could not be seen
    wallet.shows(posted=140)
    assert wallet.left(bought) == 100


def test_a_grant_that_had_nothing_free_in_the_snapshot_pays_all_the_same(books, undone):
    wallet = Wallet()
    gift = wallet.gift(10)
    held = wallet.hold(10)  # all of the gift
    bought = wallet.buy(100)
    answer = after_waiting(
        books,
        partial(service.release, hold_id=held.hold_id),  # the gift burns first again
        partial(service.spend, wallet_id=wallet.id, amount_micros=4 * CREDIT, key="the-key"),
    )
    assert isinstance(answer, Posting)
    assert len(undone) == 1
    wallet.shows(posted=106)
    assert (wallet.left(gift), wallet.left(bought)) == (6, 100)


def test_a_hold_on_a_grant_that_is_younger_than_the_snapshot_holds_it_all_the_same(books, undone):
    wallet = Wallet()
    wallet.buy(100)
    until = now().replace(year=2100)
    first = partial(wallet_gift, wallet)
    second = partial(service.hold, wallet_id=wallet.id, amount_micros=10 * CREDIT, key="the-key", expires_at=until)
    after_waiting(books, first, second)
    assert len(undone) == 1
    wallet.shows(posted=150, held=10)


def wallet_gift(wallet: Wallet) -> None:
    service.grant(
        wallet_id=wallet.id,
        amount_micros=50 * CREDIT,
        category=service.Category.PROMOTIONAL,
        house=service.House.PROMOTIONS,
        key="gift",
    )


def test_a_hold_key_that_was_used_meanwhile_reserves_nothing_more(books, undone):
    wallet = Wallet()
    wallet.buy(100)
    until = now().replace(year=2100)
    call = partial(service.hold, wallet_id=wallet.id, amount_micros=10 * CREDIT, key="the-key", expires_at=until)
    answer = after_waiting(books, call, call)
    assert answer.is_replay
    assert len(undone) == 2
    wallet.shows(posted=100, held=10)


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_hold_that_was_released_meanwhile_is_not_captured(books, undone, is_alone):
    wallet = Wallet()
    wallet.buy(100)
    held = wallet.hold(10)
    other = 0 if is_alone else wallet.hold(20).amount_micros // CREDIT
    answer = after_waiting(
        books,
        partial(service.release, hold_id=held.hold_id),
        partial(service.capture, hold_id=held.hold_id, amount_micros=CREDIT),
    )
    assert isinstance(answer, HoldNotOpen)
    # Without other holds the guard sees that nothing is held; with one, only the hold's own row can tell.
    assert len(undone) == (0 if is_alone else 1)
    wallet.shows(posted=100, held=other)


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_hold_that_was_captured_meanwhile_is_captured_once(books, is_alone):
    wallet = Wallet()
    wallet.buy(100)
    held = wallet.hold(10)
    other = 0 if is_alone else wallet.hold(20).amount_micros // CREDIT
    call = partial(service.capture, hold_id=held.hold_id, amount_micros=4 * CREDIT)
    answer = after_waiting(books, call, call)
    assert isinstance(answer, Posting)
    assert answer.is_replay
    wallet.shows(posted=96, held=other)
