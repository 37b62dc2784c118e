"""Many clients at one wallet: nothing is spent twice, a key has one effect, an undoing happens once."""

from __future__ import annotations

from functools import partial

import pytest

from tests.ledger.crowds import at_once, in_turns
from tests.ledger.stories import CREDIT, Wallet, broken_laws
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import queries, service
from tokenboard.ledger.errors import HoldNotOpen, IdempotencyConflict, InsufficientCredits
from tokenboard.ledger.results import Posting

CLIENTS = 8  # the pool of a process (core/db.py)


def spends(wallet: Wallet, count: int, amount: int = CREDIT):
    return [
        partial(service.spend, wallet_id=wallet.id, amount_micros=amount, key=f"spend-{number}")
        for number in range(count)
    ]


def lanes(calls):
    return [calls[start::CLIENTS] for start in range(CLIENTS)]


def test_two_hundred_spends_for_a_hundred_credits_let_exactly_a_hundred_through(books):
    wallet = Wallet()
    wallet.buy(100)
    answers = in_turns(books, lanes(spends(wallet, 200)))
    postings = [answer for answer in answers if isinstance(answer, Posting)]
    assert len(postings) == 100
    assert sum(isinstance(answer, InsufficientCredits) for answer in answers) == 100
    assert sorted(posting.balance.posted_micros for posting in postings) == [n * CREDIT for n in range(100)]
    wallet.shows(posted=0)


def test_spends_across_many_small_grants_take_every_credit_once(books):
    wallet = Wallet()
    for _ in range(10):
        wallet.gift(3)
    answers = in_turns(books, lanes(spends(wallet, 20, 2 * CREDIT)))
    assert sum(isinstance(answer, Posting) for answer in answers) == 15
    wallet.shows(posted=0)


def test_credits_that_arrive_while_others_spend_are_spent_once(books):
    wallet = Wallet()
    wallet.buy(1)
    granting = [partial(wallet_gift, wallet, f"gift-{number}") for number in range(20)]
    spending = spends(wallet, 60)
    mixed = [*lanes(granting)[:2], *(spending[start::6] for start in range(6))]
    answers = in_turns(books, mixed)
    granted = sum(answer.amount_micros for answer in answers if isinstance(answer, Posting) and answer.kind == "grant")
    spent = -sum(answer.amount_micros for answer in answers if isinstance(answer, Posting) and answer.kind == "spend")
    found = queries.balance(wallet.id)
    assert found.posted_micros == CREDIT + granted - spent
    db.session.rollback()
    assert broken_laws() == []


def wallet_gift(wallet: Wallet, key: str) -> Posting:
    return service.grant(
        wallet_id=wallet.id,
        amount_micros=2 * CREDIT,
        category=service.Category.PROMOTIONAL,
        house=service.House.PROMOTIONS,
        key=key,
    )


def test_fifty_requests_with_one_key_have_one_effect_and_one_answer(books):
    wallet = Wallet()
    wallet.buy(100)
    call = partial(service.spend, wallet_id=wallet.id, amount_micros=7 * CREDIT, key="the-key")
    answers = in_turns(books, lanes([call] * 50))
    assert all(isinstance(answer, Posting) for answer in answers)
    assert len({answer.transaction_id for answer in answers}) == 1
    assert {answer.balance.posted_micros for answer in answers} == {93 * CREDIT}
    assert sum(not answer.is_replay for answer in answers) == 1
    wallet.shows(posted=93)


def test_one_key_with_other_inputs_in_parallel_has_one_effect_and_conflicts_for_the_others(books):
    wallet = Wallet()
    wallet.buy(100)
    calls = [
        partial(service.spend, wallet_id=wallet.id, amount_micros=amount * CREDIT, key="the-key")
        for amount in range(1, 9)
    ]
    answers = at_once(books, calls)
    assert sum(isinstance(answer, Posting) for answer in answers) == 1
    assert sum(isinstance(answer, IdempotencyConflict) for answer in answers) == 7
    assert broken_laws() == []


def test_holds_with_one_key_in_parallel_reserve_once(books):
    wallet = Wallet()
    wallet.buy(100)
    call = partial(
        service.hold,
        wallet_id=wallet.id,
        amount_micros=10 * CREDIT,
        key="the-key",
        expires_at=now().replace(year=2100),
    )
    answers = at_once(books, [call] * 8)
    assert len({answer.hold_id for answer in answers}) == 1
    wallet.shows(posted=100, held=10)


def test_twenty_reversals_of_one_spend_in_parallel_have_one_effect(books):
    wallet = Wallet()
    gift, bought = wallet.gift(10), wallet.buy(20)
    spent = wallet.spend(15)
    call = partial(service.reverse, transaction_id=spent.transaction_id)
    answers = in_turns(books, lanes([call] * 20))
    assert len({answer.transaction_id for answer in answers}) == 1
    assert sum(not answer.is_replay for answer in answers) == 1
    wallet.shows(posted=30)
    assert (wallet.left(gift), wallet.left(bought)) == (10, 20)


def test_a_hold_that_many_settle_at_once_is_settled_once(books):
    wallet = Wallet()
    wallet.buy(100)
    for _ in range(5):
        held = wallet.hold(10)
        captures = [partial(service.capture, hold_id=held.hold_id, amount_micros=n * CREDIT) for n in (1, 2, 3, 4)]
        releases = [partial(service.release, hold_id=held.hold_id)] * 4
        answers = at_once(books, [*captures, *releases])
        won = [answer for answer in answers if isinstance(answer, Posting) and not answer.is_replay]
        assert len(won) == 1
        assert all(isinstance(answer, (Posting, HoldNotOpen, IdempotencyConflict)) for answer in answers)
        assert queries.hold(held.hold_id).captured_micros == -won[0].amount_micros
        db.session.rollback()
    assert queries.balance(wallet.id).held_micros == 0
    db.session.rollback()
    assert broken_laws() == []


@pytest.mark.parametrize("rounds", [4])
def test_clawbacks_and_late_usage_at_once_leave_the_books_in_order(books, rounds):
    for _ in range(rounds):
        wallet = Wallet()
        bought = wallet.buy(20)
        calls = [
            partial(service.clawback, grant_id=bought, amount_micros=5 * CREDIT, key=f"refund-{n}") for n in range(4)
        ]
        calls += [
            partial(service.spend_after_the_fact, wallet_id=wallet.id, amount_micros=4 * CREDIT, key=f"late-{n}")
            for n in range(4)
        ]
        answers = at_once(books, calls)
        assert all(isinstance(answer, Posting) for answer in answers)
        assert queries.balance(wallet.id).posted_micros == -16 * CREDIT
        db.session.rollback()
    assert broken_laws() == []
