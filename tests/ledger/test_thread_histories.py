"""Random schedules of four real threads on PostgreSQL: what was answered is what is written, and every law holds.

`LEDGER_THREAD_HISTORIES=500 ./run test tests/ledger/test_thread_histories.py` is the long profile.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import House as AppHouse
from tests.ledger.crowds import in_turns
from tests.ledger.stories import CENT_IN_NANO_USD, broken_laws
from tests.sizes import sized
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import TokenBoardError
from tokenboard.ledger import service
from tokenboard.ledger.kinds import Category, Kind
from tokenboard.ledger.models import Transaction
from tokenboard.ledger.results import HoldPlaced, Posting, Spend

HISTORIES = int(os.environ.get("LEDGER_THREAD_HISTORIES") or sized(25, 60))
THREADS = 4
ACTS = 10  # a thread and history

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def books(postgresql_house: AppHouse) -> Iterator[Flask]:
    postgresql_house.empty()
    with postgresql_house.app.app_context():
        yield postgresql_house.app
        db.session.rollback()


class History:
    """What four threads do to one wallet; they share keys, holds and transactions on purpose."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.wallet_id = service.open_account(credit_value_nano_usd=CENT_IN_NANO_USD)
        db.session.commit()
        self.holds: list[str] = []
        self.postings: list[Posting] = []

    def lanes(self) -> list[list[Callable[[], object]]]:
        first = [self._act(f"{lane}") for lane in range(THREADS)]
        return [[act(n) for n in range(ACTS)] for act in first]

    def _act(self, lane: str) -> Callable[[int], Callable[[], object]]:
        def choose(number: int) -> Callable[[], object]:
            # One key in four is another thread's too.
            key = f"shared-{number}" if self.random.random() < 0.25 else f"{lane}-{number}"
            amount, choice = self.random.randint(1, 30), self.random.random()
            act = self.random.choice(self._acts)
            return lambda: self._remember(act(self, key, amount, choice))

        return choose

    def _remember(self, answer: object) -> object:
        """Only after the call: the row may still be rolled back, and then others are refused its id."""
        if isinstance(answer, HoldPlaced):
            self.holds.append(answer.hold_id)
        elif isinstance(answer, Posting):
            self.postings.append(answer)
        return answer

    def _grant(self, key: str, amount: int, choice: float) -> Posting:
        lasts = None if choice < 0.5 else now() + timedelta(milliseconds=5 + 100 * choice)
        category = list(Category)[int(choice * 3)]
        return service.grant(
            wallet_id=self.wallet_id,
            amount_micros=2 * amount,
            category=category,
            house=service.House.PROMOTIONS,
            key=key,
            expires_at=lasts,
        )

    def _spend(self, key: str, amount: int, _choice: float) -> Posting:
        return service.spend(wallet_id=self.wallet_id, amount_micros=amount, key=key)

    def _late(self, key: str, amount: int, _choice: float) -> Posting:
        return service.spend_after_the_fact(wallet_id=self.wallet_id, amount_micros=amount, key=key)

    def _batch(self, key: str, amount: int, _choice: float) -> object:
        return service.spend_batch(wallet_id=self.wallet_id, spends=[Spend(amount, key), Spend(1, f"{key}+")])

    def _hold(self, key: str, amount: int, choice: float) -> HoldPlaced:
        lease = now() + timedelta(milliseconds=5 + 100 * choice)
        return service.hold(wallet_id=self.wallet_id, amount_micros=amount, key=key, expires_at=lease)

    def _capture(self, _key: str, amount: int, choice: float) -> object:
        return service.capture(hold_id=self._any(self.holds, choice), amount_micros=amount)

    def _release(self, _key: str, _amount: int, choice: float) -> object:
        return service.release(hold_id=self._any(self.holds, choice))

    def _undo(self, _key: str, _amount: int, choice: float) -> object:
        posting = self.postings[int(choice * len(self.postings))] if self.postings else None
        if posting is None or posting.kind not in {"spend", "late_spend", "capture", "clawback"}:
            return None
        undo = service.undo_clawback if posting.kind == "clawback" else service.reverse
        return undo(transaction_id=posting.transaction_id)

    def _claw_back(self, key: str, amount: int, choice: float) -> object:
        grants = [posting.grant_id for posting in self.postings if posting.kind == "grant" and posting.grant_id]
        if not grants:
            return None
        return service.clawback(grant_id=self._any(grants, choice), amount_micros=amount, key=key)

    def _sweep(self, _key: str, _amount: int, _choice: float) -> object:
        service.expire_holds(limit=5)
        return service.expire_grants(limit=5)

    _acts: tuple[Callable[..., object], ...] = (
        *(_grant, _grant, _spend, _spend, _spend, _late, _batch),
        *(_hold, _hold, _capture, _capture, _release),
        *(_undo, _claw_back, _sweep),
    )

    def _any(self, ids: list[str], choice: float) -> str:
        unknown = "00000000-0000-4000-8000-000000000000"
        return ids[int(choice * len(ids))] if ids else unknown

    def written(self) -> dict[str, tuple[str, int, int, int]]:
        found = sa.select(Transaction).where(Transaction.wallet_id == self.wallet_id)
        rows = db.session.execute(found).scalars().all()
        db.session.rollback()
        return {row.id: (row.kind, row.amount_micros, row.posted_after_micros, row.held_after_micros) for row in rows}


# What nobody was told of one by one: the sweeper's work, covers, and the batches' single spends.
UNTOLD = {Kind.EXPIRY, Kind.HOLD_EXPIRY, Kind.COVER, Kind.SPEND}


def test_whatever_four_threads_do_at_once_the_answers_are_the_books_and_every_law_holds(books):
    for seed in range(HISTORIES):
        history = History(seed)
        answers = in_turns(books, history.lanes())
        told = {answer.transaction_id: answer for answer in answers if isinstance(answer, Posting)}
        written = history.written()
        for transaction_id, answer in told.items():
            balance = answer.balance
            shown = (str(answer.kind), answer.amount_micros, balance.posted_micros, balance.held_micros)
            assert written[transaction_id] == shown, f"seed {seed}"
        assert {row[0] for key, row in written.items() if key not in told} <= UNTOLD, f"seed {seed}"
        assert all(not isinstance(answer, Exception) or isinstance(answer, TokenBoardError) for answer in answers)
        assert broken_laws() == [], f"seed {seed}"
        db.session.rollback()
