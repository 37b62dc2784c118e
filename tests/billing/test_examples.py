"""The 44 example events of the pinned API version, signed, each twice, in many orders: the reference's own effects.

They lie beside the project (TOKENBOARD_SHARED); what they depend on is laid ready here: the orders behind the
sessions, the catalogue, the customer.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.billing.shop import Shop, price
from tests.contract.shared import SHARED, needs_shared
from tokenboard.billing import catalogue_service
from tokenboard.billing.models import Customer
from tokenboard.core.db import db
from tokenboard.providers import stripe_billing_answers as read

pytestmark = needs_shared

FOLDER = SHARED / "examples" / "stripe"
LONG_BEFORE = 1_790_000_000
SESSIONS = {
    "cs_test_TBpack": "price_TBpack100usd",
    "cs_test_TBsepa": "price_TBeuro",
    "cs_test_TBgone": "price_TBpack100usd",
    "cs_test_TBjpy": "price_TByen",
    "cs_test_TBfree": "price_TBpack100usd",
    "cs_test_TBsub": "price_TBpromonth",
    "cs_test_TBtrial": "price_TBpromonth",
}
CATALOGUE = (
    price("price_TBpack100usd", "prod_TBpack100", 999, "100"),
    price("price_TBeuro", "prod_TBpack100eur", 999, "100", currency="eur"),
    price("price_TByen", "prod_TBpack100jpy", 1_500, "100", currency="jpy"),
    price("price_TBpromonth", "prod_TBpromonth", 1_999, "2000", "month"),
    price("price_TBproyear", "prod_TBproyear", 19_900, "24000", "year"),
)


def told(number: int) -> dict[str, Any]:
    return json.loads(next(FOLDER.glob(f"{number:02d}-*.json")).read_text())


@pytest.fixture
def till(shop: Shop) -> Shop:
    """The shop with what the examples speak of."""
    with shop.app.app_context():
        catalogue_service.sync(prices=CATALOGUE, at=datetime.fromtimestamp(LONG_BEFORE, UTC))
        customer = db.session.scalars(db.select(Customer)).one()
        customer.provider_id = "cus_TB00000042"
        db.session.commit()
    for session_id, price_id in SESSIONS.items():
        if price_id != "price_TBpromonth":
            shop.order(price_id, session_id)
    shop.order("price_TBpromonth", "cs_test_TBsub")
    shop.providers.stripe().things["subscription", "sub_TB0000monthly"] = read.subscription(told(23)["data"]["object"])
    return shop


def run(till: Shop, *numbers: int, seed: int | None = None) -> int | float:
    """Each event twice, in this order or in a random one; the balance after."""
    deliveries = [told(number) for number in numbers for _ in range(2)]
    if seed is not None:
        random.Random(seed).shuffle(deliveries)
    till.tell(*deliveries)
    for _ in range(2):
        till.due()
    return till.credits


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
def test_the_examples_have_the_effect_that_is_stated(till: Shop, numbers: tuple[int, ...], effect: int):
    assert run(till, *numbers) == effect


@pytest.mark.parametrize("seed", range(4))
def test_everything_in_any_order_comes_to_the_same(till: Shop, seed: int):
    everything = (*range(1, 4), *range(5, 12), *range(16, 26), 26, 27, 28, *range(36, 45))

    # 100 refunded whole, 100 delayed, 100 in yen, 100 free; two months; nothing for the rest.
    assert run(till, *everything, seed=seed) == 300 + 4_000
