"""The example events of the pinned API version, signed, each twice: every effect that the reference states.

In every order and all together: test_random_orders.py.
"""

from __future__ import annotations

import pytest

from tests.billing.examples import History
from tests.billing.shop import Shop
from tests.contract.shared import needs_shared
from tokenboard.ledger import invariants

pytestmark = needs_shared


@pytest.mark.parametrize(
    ("numbers", "effect"),
    [
        ((1,), 100),
        ((2,), 0),
        ((2, 3), 100),
        ((3, 2), 100),
        ((2, 4), 0),
        ((3, 4), 100),
        ((5,), 0),
        ((6,), 100),
        ((7,), 100),
        ((8, 18, 10, 19), 2_000),
        ((10, 8, 19, 18), 2_000),
        ((19, 18, 10, 8), 2_000),
        ((10, 20, 11), 4_000),
        ((11, 10, 20), 4_000),
        ((12,), 24_000),
        ((16, 22), 0),
        ((16, 22, 11), 2_000),
        ((17,), 0),
        ((13,), 0),
        ((10, 21, 23), 2_000),
        ((23, 21, 10), 2_000),
        ((10, 14), 2_000),
        ((14,), 0),
        ((15,), 0),
        ((1, 24, 26), 69),
        ((1, 24, 26, 25), 0),
        ((25, 26, 24, 1), 0),
        ((1, 27), 100),
        ((1, 27, 28), 69),
        ((1, 26, 29), 100),
        ((1, 24, 26, 29), 100),
        ((1, 30), 0),
        ((1, 31), 100),
        ((1, 30, 32, 33, 34), 100),
        ((33, 30, 1), 100),
        ((1, 30, 35), 0),
        ((1, 24, 26, 30, 35), 0),
        ((36, 37, 38, 39, 40, 41, 42, 43), 0),
        ((38, 42, 1), 100),
        ((44, 10), 2_000),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_the_examples_have_the_effect_that_is_stated(shop: Shop, numbers: tuple[int, ...], effect: int):
    history = History(shop, "TB")

    history.tell([number for number in numbers for _ in range(2)])

    assert (history.credits, history.unhandled) == (effect, [])
    with shop.app.app_context():
        assert invariants.check() == []
