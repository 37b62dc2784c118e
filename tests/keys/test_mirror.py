"""Telling the proxy: made, changed, blocked and healed, whatever happens in between."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import update

from tests.keys.making import CREDIT, USD, again, make, push_all
from tests.metering.calling import fund
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import key_service, queries, targets, tasks
from tokenboard.keys.models import MirrorTarget
from tokenboard.keys.rules import secret_hash
from tokenboard.ledger import service as ledger
from tokenboard.workspaces.models import Workspace


def wallet(shop) -> str:
    return db.session.get_one(Workspace, shop.team_id).ledger_account_id


def test_a_new_key_reaches_the_proxy_and_its_secret_is_forgotten_here(shop, proxy):
    made = make(shop, max_budget_micros=50 * CREDIT, models=("gpt-4o",))
    assert queries.secrets_of(made.key.id)[0].sealed

    push_all(proxy)

    there = proxy.keys[secret_hash(made.secret)]
    assert (there.user_id, there.models, there.is_blocked) == (shop.team_id, ("gpt-4o",), False)
    assert there.max_budget_nano == USD // 2
    assert proxy.users[shop.team_id].max_budget_nano == USD
    assert queries.secrets_of(made.key.id)[0].sealed == ""
    assert queries.target("user", shop.team_id).state == "sent"


def test_a_proxy_that_is_down_gets_the_key_later(shop, proxy):
    made, proxy.is_down = make(shop), True
    push_all(proxy)
    target = queries.target("key", queries.secrets_of(made.key.id)[0].id)
    assert (target.state, target.attempts) == ("due", 1)
    assert target.last_error

    proxy.is_down = False
    push_all(proxy)

    assert secret_hash(made.secret) in proxy.keys


def test_a_balance_that_moves_costs_a_call_one_statement(shop, proxy, count_queries):
    make(shop)
    push_all(proxy)
    told, wallet_id = queries.target("user", shop.team_id).version, wallet(shop)

    with count_queries() as counted:
        targets.balance_moved(wallet_id)

    assert counted.number == 1
    target = queries.target("user", shop.team_id)
    assert (target.state, target.version) == ("due", told + 1)


def test_an_answer_that_was_lost_makes_no_second_key(shop, proxy):
    made = make(shop)
    push_all(proxy)
    secret = queries.secrets_of(made.key.id)[0]
    db.session.execute(update(MirrorTarget).values(state="due"))
    db.session.commit()

    push_all(proxy)

    assert list(proxy.keys) == [secret.hash]
    assert not queries.secrets_of(made.key.id)[0].is_lost_at_proxy


def test_more_credits_raise_the_budget_and_spending_lowers_it(shop, proxy):
    make(shop)
    push_all(proxy)

    fund(shop.team_id, 100)
    push_all(proxy)
    assert proxy.users[shop.team_id].max_budget_nano == 2 * USD

    ledger.spend(wallet_id=wallet(shop), amount_micros=150 * CREDIT, key="s")
    db.session.commit()
    push_all(proxy)
    assert proxy.users[shop.team_id].max_budget_nano == USD // 2


def test_an_empty_wallet_blocks_its_keys_and_credits_open_them_again(shop, proxy):
    made = make(shop)
    push_all(proxy)
    ledger.spend(wallet_id=wallet(shop), amount_micros=100 * CREDIT, key="s")
    db.session.commit()
    push_all(proxy)
    assert proxy.keys[secret_hash(made.secret)].is_blocked

    fund(shop.team_id, 1)
    push_all(proxy)
    assert not proxy.keys[secret_hash(made.secret)].is_blocked


def test_spend_that_is_not_booked_yet_comes_out_of_what_is_left(shop, proxy):
    made = make(shop)
    push_all(proxy)
    proxy.count(secret_hash(made.secret), USD // 4)
    fund(shop.team_id, 0.000001)  # any cause

    push_all(proxy)

    assert proxy.users[shop.team_id].max_budget_nano == USD + 10


def test_a_paused_key_is_blocked_and_a_revoked_one_is_gone(shop, proxy):
    made = make(shop)
    push_all(proxy)
    key_service.pause(key=made.key, actor="x")
    db.session.commit()
    push_all(proxy)
    assert proxy.keys[secret_hash(made.secret)].is_blocked

    key_service.revoke(key=again(made), actor="x")
    db.session.commit()
    push_all(proxy)
    assert proxy.keys == {}


def test_a_replaced_secret_leaves_the_proxy_when_its_overlap_is_over(shop, proxy):
    made = make(shop)
    push_all(proxy)
    fresh = key_service.rotate(key=made.key, actor="x", overlap=timedelta(minutes=10))
    db.session.commit()
    push_all(proxy)
    assert {secret_hash(made.secret), secret_hash(fresh)} == set(proxy.keys)

    with time_machine.travel(now() + timedelta(minutes=11), tick=False):
        tasks.sweep_overlaps()
        push_all(proxy)
    assert set(proxy.keys) == {secret_hash(fresh)}


def test_a_proxy_that_began_anew_says_that_the_key_is_lost_there(shop, proxy):
    made = make(shop)
    push_all(proxy)
    proxy.keys.clear()
    proxy.users.clear()
    fund(shop.team_id, 1)
    db.session.execute(update(MirrorTarget).values(state="due"))
    db.session.commit()

    push_all(proxy)

    assert queries.secrets_of(made.key.id)[0].is_lost_at_proxy
    assert proxy.users[shop.team_id].max_budget_nano == USD + USD // 100


def test_a_cause_that_comes_while_a_target_is_told_leaves_it_due_and_rings(shop, proxy, bells):
    make(shop)
    target = queries.target("user", shop.team_id)
    original = proxy.set_user_budget

    def and_then_credits_come(user_id, budget):
        original(user_id, budget)
        fund(shop.team_id, 1)

    proxy.set_user_budget = and_then_credits_come
    bells.empty()
    tasks.push(target.id, proxy)

    assert queries.target("user", shop.team_id).state == "due"
    assert [job.args for job in bells.jobs] == [["keys.push_target", target.id]]


def test_many_causes_ring_once(shop, proxy, bells):
    make(shop)
    push_all(proxy)
    bells.empty()

    for _ in range(3):
        fund(shop.team_id, 1)

    target = queries.target("user", shop.team_id)
    assert [job.args for job in bells.jobs] == [["keys.push_target", target.id]]
    assert target.version - target.sent_version == 3


def test_a_secret_the_proxy_never_got_is_not_kept_for_ever(shop, proxy):
    made, proxy.is_down = make(shop), True
    push_all(proxy)
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        tasks.forget_secrets()

    row = queries.secrets_of(made.key.id)[0]
    assert (row.sealed, row.is_lost_at_proxy) == ("", True)
