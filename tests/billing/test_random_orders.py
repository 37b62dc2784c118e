"""The 44 example events, signed, each delivered twice, in every order that a case names and in random ones.

By default a few orders run, fewer on PostgreSQL, where each costs more and none plays a part of its own;
`./run test --whole tests/billing/test_random_orders.py` takes 200 random orders and every permutation, on both. A
failure names its seed; `PAYMENT_ORDERS=1 PAYMENT_SEED=<seed>` repeats it alone.
"""

from __future__ import annotations

import itertools
import os
import random

import pytest

from tests.billing.examples import ALL, History
from tests.billing.shop import Shop
from tests.contract.shared import needs_shared
from tests.sizes import sized
from tokenboard.core.db import is_postgresql
from tokenboard.ledger import invariants

pytestmark = needs_shared

ORDERS, FIRST_SEED = os.environ.get("PAYMENT_ORDERS"), int(os.environ.get("PAYMENT_SEED", "0"))
# Two ends of one dispute cannot both be true: won in one history, lost in the next.
WON, LOST = tuple(n for n in ALL if n != 35), tuple(n for n in ALL if n not in (33, 34))
# 100 by SEPA, 100 in yen, 100 free, two months, one year; nothing for the trial, the change and the invoice by hand.
BESIDE_THE_PACK = 300 + 2 * 2_000 + 24_000
# 999 went back of the pack, 300 of it failed and came home: ceil(100 × 699 / 999) = 70. A lost dispute takes the rest.
PACK_AFTER = {WON: 30, LOST: 0}


@pytest.mark.parametrize(
    ("case", "numbers", "effect"),
    [
        ("2: delayed method", (2, 3), 100),
        ("3: delayed method fails", (2, 4), 0),
        ("3: failure and success", (2, 3, 4), 100),
        ("4: expired", (5, 1), 100),
        ("8: a plan begins", (8, 18, 10, 19), 2_000),
        ("9: a renewal", (10, 20, 11), 4_000),
        ("14: cancellation", (19, 10, 21, 23), 2_000),
        ("14: late snapshots", (18, 19, 20, 22), 0),
        ("16: partial refunds", (1, 24, 26, 25), 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_case_has_its_effect_in_every_order(shop: Shop, case: str, numbers: tuple[int, ...], effect: int):
    found = {}
    for count, order in enumerate(itertools.islice(itertools.permutations(numbers), None, None, _step(shop))):
        history = History(shop, f"P{count}x")
        history.tell([*order, *order] if count % 2 else [number for number in order for _ in range(2)])
        found[order] = history.credits, history.unhandled, _ending(history, case)

    assert {order: told for order, told in found.items() if told != (effect, [], _ENDINGS.get(case, ""))} == {}
    with shop.app.app_context():
        assert invariants.check() == []


def _step(shop: Shop) -> int:
    """Every permutation in the whole of it, else every fifth or eleventh."""
    return sized(11 if _is_on_postgresql(shop) else 5, 1)


def _orders(shop: Shop) -> int:
    return int(ORDERS or sized(1 if _is_on_postgresql(shop) else 2, 200))


def _is_on_postgresql(shop: Shop) -> bool:
    with shop.app.app_context():
        return is_postgresql()


_ENDINGS = {
    "2: delayed method": "credited",
    "3: failure and success": "credited",
    "4: expired": "expired",
    "8: a plan begins": "active",
    "14: cancellation": "canceled",
    "14: late snapshots": "past_due",
    "16: partial refunds": "refunded",
}
_SESSIONS = {"2": "sepa", "3": "sepa", "4": "gone", "16": "pack"}


def _ending(history: History, case: str) -> str:
    if case not in _ENDINGS:
        return ""
    session = _SESSIONS.get(case.partition(":")[0])
    return history.state(session) if session else history.plan


def test_everything_in_any_order_has_the_stated_effect(shop: Shop):
    wrong = {}
    for seed in range(FIRST_SEED, FIRST_SEED + _orders(shop)):
        numbers = LOST if seed % 2 else WON
        history = History(shop, f"R{seed}x")
        deliveries = [*numbers, *numbers]
        random.Random(seed).shuffle(deliveries)
        history.tell(deliveries)
        if (history.credits, history.unhandled) != (PACK_AFTER[numbers] + BESIDE_THE_PACK, []):
            wrong[seed] = history.credits, history.unhandled, deliveries

    assert wrong == {}
    with shop.app.app_context():
        assert invariants.check() == []
