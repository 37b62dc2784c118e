"""Random histories of one wallet as a state machine: every rule is one thing a client, a clock or a crash may do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
import time_machine
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.ledger.crash_bench import Bench, Crash
from tests.ledger.model import PRIORITIES, Model, Refused, Used
from tests.ledger.stories import CENT_IN_NANO_USD, DAY_0
from tokenboard.core.db import db
from tokenboard.ledger import queries, service, totals
from tokenboard.ledger.accounts import House
from tokenboard.ledger.errors import (
    CaptureTooLarge,
    ClawbackTooLarge,
    HoldNotOpen,
    IdempotencyConflict,
    InsufficientCredits,
)
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Posting, Spend

T = TypeVar("T")
REASONS = {
    InsufficientCredits: "insufficient",
    HoldNotOpen: "not open",
    CaptureTooLarge: "too large",
    ClawbackTooLarge: "too large",
}
amounts = st.integers(1, 60)
picks = st.integers(0, 30)
# Hours until a grant expires, 0 for never, and hours that pass: of one size, so that things are often just over.
lasting = st.sampled_from([0, 0, 5, 20, 60])
passing = st.sampled_from([1, 5, 20, 30])
# None: no crash. Even: before the n-th statement, odd: after it.
crashes = st.one_of(st.none(), st.integers(0, 17))


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
        # Something to lose from the first step on: a gift that is soon over, and bought credits behind it.
        self.grant(40, "promotional", 20, None)
        self.grant(60, "paid", 0, None)

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

    @rule(amount=amounts, category=st.sampled_from(sorted(PRIORITIES)), hours=lasting, crash=crashes)
    def grant(self, amount: int, category: str, hours: int, crash: int | None) -> None:
        expires_at = self.model.at + timedelta(hours=hours) if hours else None
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

    @rule(amount=amounts, hours=st.sampled_from([3, 20, 60]), crash=crashes)
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
        call = _claw_back(self.bench.grant_id(number), amount, self.key())
        self.posted(call, lambda: self.model.claw_back(self.model.lots[number - 1], amount), crash)

    @rule(hours=passing)
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
        """The same key with other inputs: refused, and nothing happens."""
        spends = [posting for _, posting in self.done if posting.kind == "spend"]
        if spends:
            key = self.bench.key_of(spends[pick % len(spends)].transaction_id)
            with pytest.raises(IdempotencyConflict):
                service.spend(wallet_id=self.wallet_id, amount_micros=61, key=key)
            db.session.rollback()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        found = queries.balance(self.wallet_id)
        model = self.model
        assert (found.posted_micros - found.expired_micros, found.held_micros) == (model.posted, model.held)
        assert (found.available_micros, found.is_overdrawn) == (model.available, model.owed > 0)
        db.session.rollback()
        lots = [(lot.category, lot.expires_at, lot.remaining, lot.held) for lot in model.lots]
        assert self.bench.lots(model.at) == lots
        assert self.bench.broken_laws() == []


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
