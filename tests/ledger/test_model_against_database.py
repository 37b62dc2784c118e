"""Random histories: after every step the database says what the model says and every law holds, crashes included.

Each act may be cut off before or after any of its statements; the client then repeats it with the same key, as clients
do. `LEDGER_HISTORIES=10000 ./run test tests/ledger/test_model_against_database.py` is the long profile.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event

from tests.conftest import House as AppHouse
from tests.ledger.model import PRIORITIES, Model, Refused, Used
from tests.ledger.stories import CENT_IN_NANO_USD, DAY_0
from tokenboard.core import db as database
from tokenboard.core.db import db
from tokenboard.ledger import invariants, queries, service, totals
from tokenboard.ledger.accounts import House
from tokenboard.ledger.driver import Sql, ledger
from tokenboard.ledger.errors import (
    CaptureTooLarge,
    ClawbackTooLarge,
    HoldNotOpen,
    IdempotencyConflict,
    InsufficientCredits,
)
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.laws import SIGNED
from tokenboard.ledger.models import Grant
from tokenboard.ledger.results import Posting, Spend

HISTORIES = int(os.environ.get("LEDGER_HISTORIES", "500"))
STEPS = 25
T = TypeVar("T")
REASONS = {
    InsufficientCredits: "insufficient",
    HoldNotOpen: "not open",
    CaptureTooLarge: "too large",
    ClawbackTooLarge: "too large",
}
amounts = st.integers(1, 60)
picks = st.integers(0, 30)
# None: no crash. Even: before the n-th statement, odd: after it.
crashes = st.one_of(st.none(), st.integers(0, 17))


# All laws in one statement: a history asks after each of its steps. I14 speaks of the sweeper, which may be late here.
LAWS_AT_ONCE = Sql(
    " UNION ALL ".join(
        f"SELECT '{law.number}', broken.* FROM ({law.query.replace('SIGNED', SIGNED)}) AS broken"
        for law in invariants.LAWS
        if law.number != "I14"
    )
)


class Crash(Exception):
    """The process dies here."""


class Crashing:
    """Cuts an act off at one of its statements."""

    def __init__(self, engine: sa.Engine) -> None:
        self.before = self.after = -1
        event.listen(engine, "before_cursor_execute", self._count_before)
        event.listen(engine, "after_cursor_execute", self._count_after)

    def arm(self, point: int | None) -> None:
        self.before = self.after = -1
        if point is not None:
            self.before, self.after = (point // 2, -1) if point % 2 == 0 else (-1, point // 2)

    def _count_before(self, *_: object) -> None:
        self.before = self._down(self.before)

    def _count_after(self, *_: object) -> None:
        self.after = self._down(self.after)

    def _down(self, left: int) -> int:
        if left == 0:
            self.arm(None)
            raise Crash
        return left - 1


class Bench:
    """One database in memory for all histories; each begins with a fresh copy."""

    def __init__(self, pristine: str) -> None:
        self.app = Flask("ledger-model")
        self.app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
        db.init_app(self.app)
        self.pristine = sqlite3.connect(pristine)
        with self.app.app_context():
            database._prepare_sqlite(db.engine)
            self.crashing = Crashing(db.engine)

    def renew(self) -> None:
        db.session.rollback()
        with db.engine.connect() as connection:
            connection.rollback()
            live = connection.connection.driver_connection
            assert isinstance(live, sqlite3.Connection)
            self.pristine.backup(live)

    def dump(self) -> list[object]:
        """Every row of the ledger."""
        tables = [name for name in db.metadata.tables if name.startswith("ledger_")]
        rows: list[object] = [db.session.execute(sa.text(f"SELECT * FROM {name}")).all() for name in tables]
        db.session.rollback()
        return rows


class Histories(RuleBasedStateMachine):
    bench: Bench

    @initialize()
    def open(self) -> None:
        self.bench.renew()
        self.model = Model(DAY_0)
        self.keys = 0
        self.done: list[tuple[Callable[[], Posting], Posting]] = []
        self.clock = time_machine.travel(DAY_0, tick=False)
        self.traveller = self.clock.start()
        self.wallet_id = service.open_account(credit_value_nano_usd=CENT_IN_NANO_USD)
        db.session.commit()

    def teardown(self) -> None:
        if hasattr(self, "clock"):
            service.expire_grants()  # so that the house's totals know of every expiry
            db.session.commit()
            found = {house.value: total for house, total in totals.house_totals().items() if total}
            assert found == {name: total for name, total in self.model.house.items() if total}
            db.session.rollback()
            self.clock.stop()

    def act(self, call: Callable[[], T], crash: int | None) -> T:
        """Do it as a client does: when the process dies, again. The crash must have left nothing behind."""
        before = self.bench.dump() if crash is not None else []
        self.bench.crashing.arm(crash)
        try:
            result = call()
            db.session.commit()
        except Crash:
            db.session.rollback()
            assert self.bench.dump() == before
            result = call()
            db.session.commit()
        finally:
            self.bench.crashing.arm(None)
        return result

    def agree(self, call: Callable[[], T], model: Callable[[], object], crash: int | None) -> T | None:
        """Both do it, or both refuse for the same reason and nothing has changed."""
        why = _why_refused(model)
        if not why:
            return self.act(call, crash)
        with pytest.raises(tuple(REASONS)) as refused:
            self.act(call, crash)
        db.session.rollback()
        assert REASONS[refused.type] == why
        return None

    def key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def posted(self, call: Callable[[], Posting], model: Callable[[], Used], crash: int | None) -> None:
        """A posting that can be repeated and undone."""
        posting = self.agree(call, model, crash)
        if posting is not None:
            self.model.used[-1].id = posting.transaction_id
            self.done.append((call, posting))

    @rule(amount=amounts, category=st.sampled_from(sorted(PRIORITIES)), days=st.integers(0, 8), crash=crashes)
    def grant(self, amount: int, category: str, days: int, crash: int | None) -> None:
        expires_at = self.model.at + timedelta(days=days) if days else None
        call = _grant(self.wallet_id, amount, category, expires_at, self.key())
        posting = self.act(call, crash)
        self.model.grant(amount, category, expires_at)
        self.done.append((call, posting))

    @rule(amount=amounts, crash=crashes)
    def spend(self, amount: int, crash: int | None) -> None:
        call = _spend(self.wallet_id, amount, self.key())
        self.posted(call, lambda: self.model.spend(amount), crash)

    @rule(amount=amounts, crash=crashes)
    def spend_after_the_fact(self, amount: int, crash: int | None) -> None:
        key = self.key()

        def call() -> Posting:
            return service.spend_after_the_fact(wallet_id=self.wallet_id, amount_micros=amount, key=key)

        self.posted(call, lambda: self.model.spend(amount, late=True), crash)

    @rule(wanted=st.lists(amounts, min_size=1, max_size=4), crash=crashes)
    def spend_batch(self, wanted: list[int], crash: int | None) -> None:
        spends = [Spend(amount, self.key()) for amount in wanted]

        def model() -> None:
            if sum(wanted) > self.model.available:
                raise Refused("insufficient")
            for amount in wanted:
                self.model.spend(amount)

        postings = self.agree(lambda: service.spend_batch(wallet_id=self.wallet_id, spends=spends), model, crash)
        for used, posting in zip(self.model.used[-len(wanted) :], postings or [], strict=False):
            used.id = posting.transaction_id

    @rule(amount=amounts, hours=st.integers(1, 96), crash=crashes)
    def hold(self, amount: int, hours: int, crash: int | None) -> None:
        key, until = self.key(), self.model.at + timedelta(hours=hours)

        def call() -> str:
            held = service.hold(wallet_id=self.wallet_id, amount_micros=amount, key=key, expires_at=until)
            return held.hold_id

        hold_id = self.agree(call, lambda: self.model.hold(amount, until), crash)
        if hold_id is not None:
            self.model.holds[-1].id = hold_id

    @precondition(lambda self: self.model.holds)
    @rule(pick=picks, share=st.integers(0, 5), crash=crashes)
    def capture(self, pick: int, share: int, crash: int | None) -> None:
        """A quarter of the hold, two, … or, with 5, more than it holds; also of holds that have ended."""
        hold = self.model.holds[-1 - pick % len(self.model.holds)]
        captured = hold.amount * share // 4
        if hold.state == "captured":
            captured = hold.amount + 1  # never what it captured, so never a repetition
            with pytest.raises((IdempotencyConflict, HoldNotOpen)):
                service.capture(hold_id=hold.id, amount_micros=captured)
            db.session.rollback()
            return
        call = _capture(hold.id, captured)
        self.posted(call, lambda: self.model.settle_hold(hold, captured, "captured"), crash)

    @precondition(lambda self: self.model.holds)
    @rule(pick=picks, crash=crashes)
    def release(self, pick: int, crash: int | None) -> None:
        hold = self.model.holds[-1 - pick % len(self.model.holds)]
        if hold.state == "released":
            assert service.release(hold_id=hold.id).is_replay
            db.session.rollback()
            return
        self.agree(lambda: service.release(hold_id=hold.id), lambda: self.model.settle_hold(hold, 0, "released"), crash)
        if hold.state == "released":
            self.model.used.pop()

    @rule(recorded=st.integers(0, 70), crash=crashes)
    def expire_holds(self, recorded: int, crash: int | None) -> None:
        ended = self.act(lambda: service.expire_holds(recorded=lambda _: recorded), crash)
        over = [hold for hold in self.model.holds if hold.state == "open" and hold.until <= self.model.at]
        assert len(ended) == len(over)
        for hold, posting in zip(sorted(over, key=lambda hold: hold.id), ended, strict=True):
            self.model.settle_hold(hold, min(recorded, hold.amount), "expired").id = posting.transaction_id

    @precondition(lambda self: self.model.used)
    @rule(pick=picks, crash=crashes)
    def undo(self, pick: int, crash: int | None) -> None:
        used = self.model.used[-1 - pick % len(self.model.used)]
        undo = service.undo_clawback if used.clawed else service.reverse
        posting = self.act(lambda: undo(transaction_id=used.id), crash)
        assert posting.is_replay == used.is_undone
        if not used.is_undone:
            self.model.undo(used)

    @precondition(lambda self: self.model.lots)
    @rule(pick=picks, amount=amounts, crash=crashes)
    def claw_back(self, pick: int, amount: int, crash: int | None) -> None:
        number = 1 + pick % len(self.model.lots)
        grant_id = db.session.execute(sa.select(Grant.id).where(Grant.number == number)).scalar_one()
        db.session.rollback()
        call = _claw_back(grant_id, amount, self.key())
        self.posted(call, lambda: self.model.claw_back(self.model.lots[number - 1], amount), crash)

    @rule(hours=st.sampled_from([1, 20, 70]))
    def pass_time(self, hours: int) -> None:
        self.model.pass_time(timedelta(hours=hours))
        self.traveller.move_to(self.model.at)

    @rule(crash=crashes)
    def sweep(self, crash: int | None) -> None:
        self.act(service.expire_grants, crash)

    @precondition(lambda self: self.done)
    @rule(pick=picks)
    def repeat(self, pick: int) -> None:
        """The same key and inputs again: the first answer, and nothing happens."""
        call, posting = self.done[-1 - pick % len(self.done)]
        again = call()
        db.session.commit()
        assert again.is_replay
        assert (again.transaction_id, again.balance, again.amount_micros) == (
            posting.transaction_id,
            posting.balance,
            posting.amount_micros,
        )

    @precondition(lambda self: self.keys)
    @rule(pick=picks)
    def reuse_a_key(self, pick: int) -> None:
        """A key of another act may be used again for a different operation, never for different inputs."""
        spends = [posting for _, posting in self.done if posting.kind == "spend"]
        if spends:
            number = next(n for n in range(1, self.keys + 1) if self._made(spends[pick % len(spends)], f"key-{n}"))
            with pytest.raises(IdempotencyConflict):
                service.spend(wallet_id=self.wallet_id, amount_micros=61, key=f"key-{number}")
            db.session.rollback()

    def _made(self, posting: Posting, key: str) -> bool:
        statement = sa.text("SELECT 1 FROM ledger_transaction WHERE id = :id AND idempotency_key = :key")
        found = db.session.execute(statement, {"id": posting.transaction_id.replace("-", ""), "key": key}).first()
        return found is not None

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        found = queries.balance(self.wallet_id)
        model = self.model
        assert (found.posted_micros - found.expired_micros, found.held_micros) == (model.posted, model.held)
        assert (found.available_micros, found.is_overdrawn) == (model.available, model.owed > 0)
        lots = db.session.execute(
            sa.select(Grant.category, Grant.expires_at, Grant.remaining_micros, Grant.held_micros).order_by(
                Grant.number
            )
        )
        seen = [
            (category, expires_at, held if expires_at and expires_at <= model.at else remaining, held)
            for category, expires_at, remaining, held in lots
        ]
        assert seen == [(lot.category, lot.expires_at, lot.remaining, lot.held) for lot in model.lots]
        assert ledger().run(LAWS_AT_ONCE, {}).all() == []
        db.session.rollback()


def _why_refused(model: Callable[[], object]) -> str:
    try:
        model()
    except Refused as why:
        return str(why)
    return ""


def _grant(wallet_id: str, amount: int, category: str, expires_at: datetime | None, key: str) -> Callable[[], Posting]:
    def call() -> Posting:
        return service.grant(
            wallet_id=wallet_id,
            amount_micros=amount,
            category=Category(category),
            house=House.PROMOTIONS,
            key=key,
            expires_at=expires_at,
        )

    return call


def _spend(wallet_id: str, amount: int, key: str) -> Callable[[], Posting]:
    return lambda: service.spend(wallet_id=wallet_id, amount_micros=amount, key=key)


def _capture(hold_id: str, amount: int) -> Callable[[], Posting]:
    return lambda: service.capture(hold_id=hold_id, amount_micros=amount)


def _claw_back(grant_id: str, amount: int, key: str) -> Callable[[], Posting]:
    return lambda: service.clawback(grant_id=grant_id, amount_micros=amount, key=key)


@pytest.fixture
def bench(sqlite_house: AppHouse) -> Iterator[Bench]:
    sqlite_house.empty()
    with sqlite_house.app.app_context():
        bench = Bench(str(db.engine.url.database))
    with bench.app.app_context():
        yield bench
        db.session.remove()
        db.engine.dispose()
    bench.pristine.close()


@pytest.mark.slow
def test_the_database_says_what_the_model_says_after_every_step_and_crash(bench):
    Histories.bench = bench
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
