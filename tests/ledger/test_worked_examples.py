"""The worked examples of docs/money.md, told as stories: the balances after each step are those of the page."""

from __future__ import annotations

import pytest
import time_machine

from tests.ledger.stories import DAY_0, Wallet, day, sweep
from tokenboard.core.db import db
from tokenboard.ledger import queries, service
from tokenboard.ledger.errors import InsufficientCredits

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def clock():
    with time_machine.travel(DAY_0, tick=False) as traveller:
        yield traveller


def test_bought_and_given_credits_from_purchase_to_dispute_and_expiry(clock):
    wallet = Wallet()
    bought = wallet.buy(500)
    wallet.shows(posted=500)
    gift = wallet.gift(100, expires=day(30))
    wallet.shows(posted=600)

    wallet.spend(160)  # the gift expires first, so it burns first: 100 from it, 60 from what was bought
    wallet.shows(posted=440)
    assert (wallet.left(gift), wallet.left(bought)) == (0, 440)

    wallet.claw_back(bought, 250)  # half of the purchase is refunded
    wallet.shows(posted=190)
    assert wallet.left(bought) == 190

    second_gift = wallet.gift(40, expires=day(40))
    wallet.shows(posted=230)

    dispute = wallet.claw_back(bought, 250)  # the other half is disputed: 190 of it are left, 40 of the gift, 20 owed
    wallet.shows(posted=-20, why="clawback")
    assert (wallet.left(bought), wallet.left(second_gift)) == (0, 0)
    with pytest.raises(InsufficientCredits):
        wallet.spend(1)
    db.session.rollback()

    wallet.undo(dispute)  # the dispute is won: everything is as it was
    wallet.shows(posted=230)
    assert (wallet.left(bought), wallet.left(second_gift)) == (190, 40)

    clock.move_to(day(41))  # the gift's time is over, and nobody has swept yet
    wallet.shows(posted=230, available=190)
    sweep()
    wallet.shows(posted=190)
    assert wallet.left(bought) == 190


def test_a_hold_keeps_its_credits_past_their_expiry_and_the_freed_rest_expires_at_once(clock):
    wallet = Wallet()
    gift = wallet.gift(100, expires=day(30))
    bought = wallet.buy(50)
    held = wallet.hold(120)  # 100 of the gift, 20 of what was bought
    wallet.shows(posted=150, held=120, available=30)

    clock.move_to(day(31))
    sweep()  # nothing of the gift is free: it is all held
    wallet.shows(posted=150, held=120, available=30)

    wallet.capture(held, 70)  # 70 of the gift, although it has expired; its other 30 expire, 20 come back
    wallet.shows(posted=50, held=0, available=50)
    assert (wallet.left(gift), wallet.left(bought)) == (0, 50)
    kinds = [(line.kind, line.amount_micros // 1_000_000) for line in queries.statement(wallet.id, limit=2).lines]
    assert kinds == [("expiry", -30), ("capture", -70)]


def test_a_released_hold_on_an_expired_grant_brings_nothing_back(clock):
    wallet = Wallet()
    wallet.gift(100, expires=day(30))
    held = wallet.hold(60)
    wallet.shows(posted=100, held=60, available=40)
    clock.move_to(day(31))
    wallet.shows(posted=100, held=60, available=0)  # the free 40 are over, swept or not
    wallet.release(held)
    wallet.shows(posted=0)


def test_a_spend_reversed_after_its_grant_expired_comes_back_for_thirty_days(clock):
    wallet = Wallet()
    wallet.gift(100, expires=day(30))
    spent = wallet.spend(80)
    wallet.shows(posted=20)

    clock.move_to(day(31))
    sweep()
    wallet.shows(posted=0)

    clock.move_to(day(40))
    wallet.reverse(spent)
    wallet.shows(posted=80)
    [restored] = queries.grants(wallet.id)
    assert (restored.category, restored.expires_at) == ("promotional", day(70))

    assert wallet.reverse(spent).is_replay  # a second time changes nothing
    wallet.shows(posted=80)
    clock.move_to(day(71))
    wallet.shows(posted=80, available=0)
    sweep()
    wallet.shows(posted=0)


def test_a_spend_reversed_in_time_fills_the_same_grants(clock):
    wallet = Wallet()
    gift, bought = wallet.gift(30, expires=day(30)), wallet.buy(100)
    spent = wallet.spend(50)
    assert (wallet.left(gift), wallet.left(bought)) == (0, 80)
    wallet.reverse(spent)
    wallet.shows(posted=130)
    assert (wallet.left(gift), wallet.left(bought)) == (30, 100)


def test_usage_reported_late_overdraws_and_the_next_purchase_pays_it_first(clock):
    wallet = Wallet()
    first = wallet.buy(10)
    late = wallet.spend_late(15)
    wallet.shows(posted=-5, why="usage")
    second = wallet.buy(20)
    wallet.shows(posted=15)
    assert wallet.left(second) == 15

    wallet.reverse(late)  # 10 to the first grant, 5 to the one that paid the debt
    wallet.shows(posted=30)
    assert (wallet.left(first), wallet.left(second)) == (10, 20)


def test_a_lost_dispute_that_is_won_after_a_new_purchase_restores_both_grants(clock):
    wallet = Wallet()
    first = wallet.buy(500)
    wallet.spend(400)
    dispute = wallet.claw_back(first, 500)  # 100 were left; 400 are owed
    wallet.shows(posted=-400, why="clawback")
    second = wallet.buy(1000)  # 400 of it pay the debt
    wallet.shows(posted=600)
    assert (wallet.left(first), wallet.left(second)) == (0, 600)
    wallet.undo(dispute)
    wallet.shows(posted=1100)
    assert (wallet.left(first), wallet.left(second)) == (100, 1000)


def test_a_refund_does_not_take_again_what_has_expired(clock):
    wallet = Wallet()
    bought = wallet.buy(500, expires=day(365))
    other = wallet.buy(50)
    wallet.spend(100)
    clock.move_to(day(366))
    sweep()  # 400 are back with the house
    wallet.shows(posted=50)
    wallet.claw_back(bought, 500)  # of the 500 only the 100 that were used are missing; other credits give 50 of them
    wallet.shows(posted=-50, why="clawback")
    assert wallet.left(other) == 0


def test_a_refund_of_what_is_back_with_the_house_twice_over_takes_nothing(clock):
    wallet = Wallet()
    bought, other = wallet.buy(10, expires=day(30)), wallet.buy(50)
    spent = wallet.spend(6)
    wallet.claw_back(bought, 8)  # 4 were left of it; the other purchase gives 4
    wallet.shows(posted=46)
    wallet.reverse(spent)
    wallet.shows(posted=52)
    clock.move_to(day(31))
    sweep()  # the reversed 6 expire: 8 taken and 6 expired are more than the 10 that were bought
    wallet.shows(posted=46)
    last = wallet.claw_back(bought, 2)
    assert last.amount_micros == 0
    wallet.shows(posted=46)
    assert wallet.left(other) == 46


def test_a_clawback_leaves_what_a_hold_has_reserved(clock):
    wallet = Wallet()
    bought = wallet.buy(100)
    held = wallet.hold(70)
    wallet.claw_back(bought, 100)  # 30 are free, 70 are owed
    wallet.shows(posted=0, held=70, available=-70, why="clawback")
    wallet.capture(held, 50)  # the freed 20 pay debt at once
    wallet.shows(posted=-50, held=0, why="clawback")
    wallet.buy(60)
    wallet.shows(posted=10)


def test_credits_burn_soonest_expiry_first_then_gifts_then_included_then_bought_then_oldest(clock):
    wallet = Wallet()
    oldest_bought = wallet.buy(10)
    bought = wallet.buy(10)
    included = wallet.include(10)
    gift = wallet.gift(10)
    late_gift = wallet.gift(10, expires=day(60))
    soon_bought = wallet.buy(10, expires=day(30))
    order = [soon_bought, late_gift, gift, included, oldest_bought, bought]
    assert [line.grant_id for line in queries.grants(wallet.id)] == order
    for used_up in order:
        wallet.spend(10)
        assert wallet.left(used_up) == 0
    wallet.shows(posted=0)


def test_an_expired_grant_is_not_spendable_before_the_sweeper_came(clock):
    wallet = Wallet()
    wallet.gift(100, expires=day(30))
    wallet.buy(5)
    clock.move_to(day(30))  # at its expiry a grant is over
    with pytest.raises(InsufficientCredits) as refused:
        wallet.spend(6)
    assert refused.value.details == {"balance": 5, "balanceMicros": 5_000_000, "available": 5, "required": 6}
    db.session.rollback()
    wallet.spend(5)
    wallet.shows(posted=0)


def test_a_hold_past_its_lease_is_settled_for_what_was_recorded(clock):
    wallet = Wallet()
    wallet.buy(100)
    forgotten = wallet.hold(30, until=day(0.5))
    streamed = wallet.hold(40, until=day(0.5))
    clock.move_to(day(1))
    wallet.shows(posted=100, held=70, available=30)
    recorded = {streamed.hold_id: 25_000_000}
    ended = service.expire_holds(recorded=lambda hold_id: recorded.get(hold_id, 0))
    db.session.commit()
    assert len(ended) == 2
    wallet.shows(posted=75)
    assert queries.hold(forgotten.hold_id).state == queries.hold(streamed.hold_id).state == "expired"
