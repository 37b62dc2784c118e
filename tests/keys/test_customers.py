"""A person at the proxy: kept out there too while they are disabled here, and without a limit once a cap is gone."""

from __future__ import annotations

from sqlalchemy import select

from tests.keys.making import USD, make, push_all
from tokenboard.accounts import service as accounts
from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.keys.mirror_service import NO_LIMIT_NANO
from tokenboard.keys.models import MirrorTarget


def alice(shop) -> Person:
    return db.session.get_one(Person, shop.alice.id)


def test_whoever_is_disabled_has_nothing_left_at_the_proxy_until_they_are_let_in_again(shop, proxy):
    make(shop)
    push_all(proxy)
    assert shop.alice.email not in proxy.customers

    alice(shop).is_disabled = True
    db.session.commit()
    push_all(proxy)
    assert proxy.customers[shop.alice.email].max_budget_nano == 0

    alice(shop).is_disabled = False
    db.session.commit()
    push_all(proxy)
    assert proxy.customers[shop.alice.email].max_budget_nano == NO_LIMIT_NANO


def test_a_cap_that_is_taken_away_is_taken_away_there_and_only_once(shop, proxy):
    alice(shop).monthly_budget_cents = 2_000
    db.session.commit()
    push_all(proxy)
    assert proxy.customers[shop.alice.email].max_budget_nano == 20 * USD

    alice(shop).monthly_budget_cents = None
    db.session.commit()
    push_all(proxy)
    assert proxy.customers[shop.alice.email].max_budget_nano == NO_LIMIT_NANO
    row = db.session.scalars(select(MirrorTarget).where(MirrorTarget.kind == "customer")).one()
    assert row.wanted == {"max_budget_nano": None}


def test_the_limit_of_an_account_that_is_gone_stays(shop, proxy):
    alice(shop).monthly_budget_cents = 2_000
    db.session.commit()
    push_all(proxy)

    accounts.forget(alice(shop))
    db.session.commit()
    push_all(proxy)

    assert proxy.customers[shop.alice.email].max_budget_nano == 20 * USD
