"""Promo codes: worth something once a person, to so many people, until they end."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from tests.billing.shop import Shop
from tokenboard.billing import promo_service
from tokenboard.billing.promo_rules import BatchWish
from tokenboard.core.clock import now
from tokenboard.core.db import db

CREDITS = 50_000_000


def codes(shop: Shop, **how: Any) -> list[str]:
    with shop.app.app_context():
        facts: dict[str, Any] = {"name": "spring", "count": 2} | how
        facts |= {} if "plan_price" in facts else {"credits_micros": CREDITS}
        _, made = promo_service.make_batch(wish=BatchWish(**facts), actor="ada")
        db.session.commit()
        return made


def redeem(shop: Shop, code: str, who: str = "alice") -> tuple[int, Any]:
    answer = shop.people.bearer(getattr(shop.people, who)).post("/api/credits/redeem", json={"code": code})
    return answer.status_code, answer.json


def test_a_code_brings_its_credits_however_it_is_typed(shop: Shop):
    code = codes(shop)[0]

    status, told = redeem(shop, code.lower().replace("-", " "))

    assert (status, told["credits"]) == (200, 50)
    assert shop.credits == 50


def test_one_code_of_a_batch_a_person_and_one_person_a_code(shop: Shop):
    first, second = codes(shop)
    assert redeem(shop, first)[0] == 200

    assert redeem(shop, first)[1]["code"] == "code_used"
    assert redeem(shop, second)[1]["code"] == "code_used"
    assert redeem(shop, first, "bob")[0] == 409
    assert redeem(shop, second, "bob")[0] == 200
    assert shop.credits == 50


@pytest.mark.parametrize("code", ["", "XXXX-XXXX-XXXX-XXXX", "%", "a" * 61])
def test_what_is_no_code_brings_nothing(shop: Shop, code: str):
    assert redeem(shop, code)[0] in (409, 422)


def test_an_expired_or_ended_batch_is_worth_nothing(shop: Shop):
    late = codes(shop, expires_at=now() - timedelta(seconds=1))[0]

    assert redeem(shop, late)[1]["code"] == "code_not_valid"


def test_a_code_may_give_one_period_of_a_plan(shop: Shop):
    code = codes(shop, plan_price="price_month")[0]

    assert redeem(shop, code)[1]["credits"] == 2_000


def test_the_last_use_in_many_tabs_is_one_grant(shop: Shop):
    code = codes(shop, count=1, uses_each=5)[0]
    tabs = [shop.people.bearer(shop.people.alice) for _ in range(5)]
    found: list[int] = []
    barrier = threading.Barrier(5)

    def click(number: int) -> None:
        barrier.wait()
        found.append(tabs[number].post("/api/credits/redeem", json={"code": code}).status_code)

    threads = [threading.Thread(target=click, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [200, 409, 409, 409, 409]
    assert shop.credits == 50
