"""The use cases one by one: what they answer, what they refuse, and that a refusal leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests.ledger.stories import CENT_IN_NANO_USD, CREDIT, Wallet, broken_laws, new_wallet
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import queries, service
from tokenboard.ledger.accounts import House
from tokenboard.ledger.errors import (
    AccountArchived,
    AccountNotFound,
    AlreadyGranted,
    CaptureTooLarge,
    ClawbackTooLarge,
    CreditValueFrozen,
    EntryRefused,
    GrantNotFound,
    HoldNotFound,
    HoldNotOpen,
    IdempotencyConflict,
    InsufficientCredits,
    NotReversible,
    TransactionNotFound,
)
from tokenboard.ledger.kinds import Category
from tokenboard.ledger.results import Spend
from tokenboard.ledger.signals import balance_changed

pytestmark = pytest.mark.usefixtures("books")
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def wallet(books) -> Wallet:
    return Wallet()


def refuses(error, call, **words):
    """The call is refused, and the books are what they were."""
    with pytest.raises(error) as refused:
        call(**words)
    db.session.rollback()
    assert broken_laws() == []
    return refused.value


def test_a_new_wallet_is_empty(wallet):
    wallet.shows(posted=0)


def test_a_repeated_key_with_the_same_inputs_shows_the_first_answer_also_after_other_acts(wallet):
    wallet.buy(100)
    first = wallet.spend(10, key="the-key")
    wallet.hold(5)
    wallet.spend(20)
    again = wallet.spend(10, key="the-key")
    assert (again.transaction_id, again.balance, again.is_replay) == (first.transaction_id, first.balance, True)
    wallet.shows(posted=70, held=5)


def test_a_repeated_key_with_other_inputs_is_a_conflict(wallet):
    wallet.buy(100)
    wallet.spend(10, key="the-key")
    error = refuses(IdempotencyConflict, service.spend, wallet_id=wallet.id, amount_micros=11 * CREDIT, key="the-key")
    assert (error.status, error.code) == (409, "idempotency_conflict")
    words = {"wallet_id": wallet.id, "amount_micros": 10 * CREDIT, "key": "the-key", "description": "other"}
    refuses(IdempotencyConflict, service.spend, **words)


def test_a_key_belongs_to_its_wallet_and_its_operation(wallet):
    wallet.buy(100)
    other = Wallet()
    other.buy(100)
    assert not wallet.spend(1, key="the-key").is_replay
    assert not other.spend(2, key="the-key").is_replay
    assert not wallet.hold(3, key="the-key").is_replay
    service.spend_after_the_fact(wallet_id=wallet.id, amount_micros=4 * CREDIT, key="the-key")
    db.session.commit()
    wallet.shows(posted=95, held=3)


def test_a_repeated_hold_is_the_first_one_whatever_its_lease(wallet):
    wallet.buy(100)
    first = wallet.hold(10, key="the-key", until=now() + timedelta(hours=1))
    again = wallet.hold(10, key="the-key", until=now() + timedelta(hours=2))
    assert (again.hold_id, again.expires_at, again.is_replay) == (first.hold_id, first.expires_at, True)
    refuses(
        IdempotencyConflict,
        service.hold,
        wallet_id=wallet.id,
        amount_micros=11 * CREDIT,
        key="the-key",
        expires_at=now() + timedelta(hours=1),
    )
    wallet.shows(posted=100, held=10)


def test_spending_more_than_is_available_is_refused_with_both_amounts(wallet):
    wallet.buy(10)
    wallet.hold(4)
    error = refuses(InsufficientCredits, wallet.spend, amount=7)
    assert error.status == 402
    assert error.details == {"balance": 10, "balanceMicros": 10 * CREDIT, "available": 6, "required": 7}
    refuses(InsufficientCredits, wallet.hold, amount=7)
    wallet.shows(posted=10, held=4)


def test_capture_above_the_hold_is_refused_and_changes_nothing(wallet):
    wallet.buy(10)
    held = wallet.hold(4)
    refuses(CaptureTooLarge, service.capture, hold_id=held.hold_id, amount_micros=4 * CREDIT + 1)
    wallet.shows(posted=10, held=4)


def test_release_after_capture_and_capture_after_release_are_refused(wallet):
    wallet.buy(10)
    captured, released = wallet.hold(4), wallet.hold(3)
    wallet.capture(captured, 1)
    wallet.release(released)
    assert refuses(HoldNotOpen, service.release, hold_id=captured.hold_id).state == "captured"
    assert refuses(HoldNotOpen, service.capture, hold_id=released.hold_id, amount_micros=1).state == "released"
    refuses(IdempotencyConflict, service.capture, hold_id=captured.hold_id, amount_micros=2 * CREDIT)
    assert wallet.capture(captured, 1).is_replay
    assert wallet.release(released).is_replay
    wallet.shows(posted=9)


def test_capture_after_the_hold_expired_is_refused_and_before_the_sweep_it_is_not(wallet):
    wallet.buy(10)
    swept, late = wallet.hold(4), wallet.hold(3)
    with time_machine.travel(now().replace(year=2100), tick=False):
        wallet.capture(late, 3)
        service.expire_holds()
        db.session.commit()
        assert refuses(HoldNotOpen, service.capture, hold_id=swept.hold_id, amount_micros=1).state == "expired"
    wallet.shows(posted=7)


def test_a_capture_of_nothing_is_a_settlement_too(wallet):
    wallet.buy(10)
    held = wallet.hold(4)
    posting = wallet.capture(held, 0)
    assert posting.amount_micros == 0
    assert [line.kind for line in queries.statement(wallet.id, with_zeros=True).lines] == ["capture", "grant"]
    wallet.shows(posted=10)


def test_a_payment_becomes_credits_once_whatever_key_or_wallet(wallet):
    words: dict[str, Any] = {"amount_micros": CREDIT, "category": Category.PAID, "house": House.SALES_STRIPE}
    words["payment"] = "stripe:cs_1"
    first = service.grant(wallet_id=wallet.id, key="event-1", **words)
    db.session.commit()
    assert service.grant(wallet_id=wallet.id, key="event-1", **words).is_replay
    refuses(AlreadyGranted, service.grant, wallet_id=wallet.id, key="event-2", **words)
    refuses(AlreadyGranted, service.grant, wallet_id=new_wallet(), key="event-1", **words)
    assert queries.grant_of_payment("stripe:cs_1") == first.grant_id


def test_a_grant_must_expire_in_the_future(wallet):
    words = {
        "wallet_id": wallet.id,
        "amount_micros": 1,
        "category": Category.PAID,
        "house": House.PROMOTIONS,
        "key": "k",
    }
    refuses(EntryRefused, service.grant, expires_at=now() - timedelta(seconds=1), **words)


def test_a_batch_spends_in_order_and_repeats_what_it_did(wallet):
    wallet.gift(3)
    wallet.buy(10)
    spends = [Spend(2 * CREDIT, f"usage-{n}") for n in range(5)]
    first = service.spend_batch(wallet_id=wallet.id, spends=spends[:2])
    db.session.commit()
    whole = service.spend_batch(wallet_id=wallet.id, spends=spends)
    db.session.commit()
    assert [posting.is_replay for posting in whole] == [True, True, False, False, False]
    assert [posting.transaction_id for posting in whole[:2]] == [posting.transaction_id for posting in first]
    assert [posting.balance.posted_micros // CREDIT for posting in whole] == [11, 9, 7, 5, 3]
    wallet.shows(posted=3)


def test_a_batch_that_is_not_covered_writes_nothing_unless_it_may_overdraw(wallet):
    wallet.buy(3)
    spends = [Spend(2 * CREDIT, f"usage-{n}") for n in range(3)]
    refuses(InsufficientCredits, service.spend_batch, wallet_id=wallet.id, spends=spends)
    wallet.shows(posted=3)
    service.spend_batch(wallet_id=wallet.id, spends=spends, may_overdraw=True)
    db.session.commit()
    wallet.shows(posted=-3, why="usage")


def test_a_batch_with_a_key_twice_or_none_at_all_is_refused(wallet):
    wallet.buy(3)
    refuses(EntryRefused, service.spend_batch, wallet_id=wallet.id, spends=[Spend(1, "k"), Spend(1, "k")])
    refuses(EntryRefused, service.spend_batch, wallet_id=wallet.id, spends=[])


def test_a_clawback_takes_at_most_what_was_granted_and_its_key_works_once(wallet):
    bought = wallet.buy(10)
    words: dict[str, Any] = {"grant_id": bought, "amount_micros": 6 * CREDIT, "key": "refund"}
    service.clawback(**words)
    db.session.commit()
    assert service.clawback(**words).is_replay
    refuses(ClawbackTooLarge, service.clawback, grant_id=bought, amount_micros=4 * CREDIT + 1, key="refund-2")
    wallet.claw_back(bought, 4)
    wallet.shows(posted=0)


def test_only_uses_are_reversed_and_only_clawbacks_restored(wallet):
    bought = wallet.buy(10)
    clawback = wallet.claw_back(bought, 1)
    spent = wallet.spend(1)
    reversal = wallet.reverse(spent)
    for transaction_id in (clawback.transaction_id, reversal.transaction_id):
        refuses(NotReversible, service.reverse, transaction_id=transaction_id)
    refuses(NotReversible, service.undo_clawback, transaction_id=spent.transaction_id)
    [grant_line] = [line for line in queries.statement(wallet.id).lines if line.kind == "grant"]
    assert "clawback" in refuses(NotReversible, service.reverse, transaction_id=grant_line.transaction_id).message


def test_an_archived_wallet_takes_nothing_new_but_ends_what_is_under_way(wallet):
    wallet.buy(10)
    held = wallet.hold(4)
    spent = wallet.spend(1)
    service.archive_account(wallet_id=wallet.id)
    db.session.commit()
    refuses(AccountArchived, wallet.spend, amount=1)
    refuses(AccountArchived, wallet.hold, amount=1)
    refuses(AccountArchived, wallet.gift, amount=1)
    wallet.capture(held, 2)
    wallet.reverse(spent)
    wallet.spend_late(1)
    wallet.shows(posted=7)


def test_what_does_not_exist_is_named(wallet):
    later = now() + timedelta(hours=1)
    refuses(AccountNotFound, service.spend, wallet_id=NOBODY, amount_micros=1, key="k")
    refuses(AccountNotFound, service.hold, wallet_id=NOBODY, amount_micros=1, key="k", expires_at=later)
    refuses(AccountNotFound, service.spend, wallet_id=House.USAGE.account_id, amount_micros=1, key="k")
    refuses(AccountNotFound, service.archive_account, wallet_id=NOBODY)
    refuses(AccountNotFound, queries.balance, wallet_id=NOBODY)
    refuses(HoldNotFound, service.capture, hold_id=NOBODY, amount_micros=1)
    refuses(HoldNotFound, queries.hold, hold_id=NOBODY)
    refuses(GrantNotFound, service.clawback, grant_id=NOBODY, amount_micros=1, key="k")
    refuses(TransactionNotFound, service.reverse, transaction_id=NOBODY)
    refuses(TransactionNotFound, queries.receipt, transaction_id=NOBODY)


def test_every_change_rings_inside_the_transaction_and_a_repetition_does_not(wallet):
    rung: list[str] = []

    def hear(account_id: str) -> None:
        assert db.session().in_transaction()
        rung.append(account_id)

    with balance_changed.connected_to(hear):
        wallet.buy(10)
        wallet.spend(1, key="the-key")
        wallet.spend(1, key="the-key")
        held = wallet.hold(2)
        wallet.capture(held, 1)
        wallet.capture(held, 1)
    assert rung == [wallet.id] * 4


def test_the_credit_value_may_change_until_the_first_entry_and_never_after(books):
    service.adopt_credit_value(credit_value_nano_usd=5_000_000)
    service.adopt_credit_value(credit_value_nano_usd=CENT_IN_NANO_USD)
    wallet = Wallet()
    wallet.buy(1)
    service.adopt_credit_value(credit_value_nano_usd=CENT_IN_NANO_USD)
    error = refuses(CreditValueFrozen, service.adopt_credit_value, credit_value_nano_usd=20_000_000)
    assert "CREDIT_VALUE_USD is 0.02, but the ledger's entries count credits of 0.01 USD" in error.message
    refuses(CreditValueFrozen, service.open_account, credit_value_nano_usd=20_000_000)
