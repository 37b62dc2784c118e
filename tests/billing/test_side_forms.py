"""Beside the shop: a promo code is redeemed, the automatic top-up is set, both on the page and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.buying import PAGE, Buyer, plain
from tests.billing.market import PACK, Market
from tokenboard.billing import catalogue_queries, promo_service, tasks
from tokenboard.billing.models import Customer
from tokenboard.billing.promo_rules import BatchWish
from tokenboard.core.db import db

REDEEM, TOP_UP = "/credits/redeem", "/credits/auto-topup"


@pytest.fixture
def alice(market: Market) -> Buyer:
    return Buyer(market, market.people.alice)


def code_of(market: Market, **facts: Any) -> str:
    with market.app.app_context():
        usual: dict[str, Any] = {"name": "spring", "count": 1, "credits_micros": 50_000_000}
        _, codes = promo_service.make_batch(wish=BatchWish(**(usual | facts)), actor="ada")
        db.session.commit()
        return codes[0]


def rule(market: Market, **changed: str) -> dict[str, str]:
    with market.app.app_context():
        pack = catalogue_queries.offer(PACK).price.id
    form = {"workspace_id": market.people.alice.workspace_id, "topup_on": "1", "topup_below": "1,000,000"}
    return form | {"topup_pack": pack, "topup_cap": "2.50"} | changed


def test_a_code_brings_its_credits_and_says_so(alice: Buyer):
    code = code_of(alice.market)

    answer = alice.browser.post(REDEEM, {"workspace_id": alice.workspace_id, "code": code.lower()})

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    page = plain(alice.open())
    assert "The code brought 50 credits." in page
    assert "Code spring Added, promo code" in page
    assert alice.market.credits == 50


@pytest.mark.parametrize(
    ("code", "status", "sentence"),
    [
        ("NOBODY-KNOWS-THIS", 409, "This code is not valid, or its time is over."),
        ("", 422, "Please fill this in."),
        ("A" * 61, 422, "At most 60 characters."),
    ],
)
def test_a_code_that_is_none_is_told_at_its_field(alice: Buyer, code: str, status: int, sentence: str):
    answer = alice.browser.post(REDEEM, {"workspace_id": alice.workspace_id, "code": code})

    assert answer.status_code == status
    assert sentence in plain(answer.text)
    assert alice.market.credits == 0


def test_a_code_is_used_once(alice: Buyer):
    form = {"workspace_id": alice.workspace_id, "code": code_of(alice.market)}
    alice.browser.post(REDEEM, form)

    again = alice.browser.post(REDEEM, form)

    assert again.status_code == 409
    assert "This code has been used." in again.text
    assert alice.market.credits == 50


def test_the_top_up_is_set_said_and_switched_off(alice: Buyer):
    assert "Off. It buys a pack when the balance falls below a line." in plain(alice.open())

    saved = alice.browser.post(TOP_UP, rule(alice.market, topup_below="200", topup_cap="25"))
    assert saved.status_code == 303
    page = alice.open()
    assert "Below 200 credits, 100 credits is bought, for at most $25.00 a month." in plain(page)
    assert 'name="topup_cap" type="text" value="25.00"' in page

    alice.browser.post(TOP_UP, {k: v for k, v in rule(alice.market).items() if k != "topup_on"})
    assert "Off." in plain(alice.open())


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"topup_below": "nothing"}, "Write an amount as 12 or 12.50."),
        ({"topup_cap": "0.99"}, "From $1 to $100,000 a month."),
        ({"topup_pack": "price_SbxProMonth"}, "This is not for sale."),
        ({"topup_pack": ""}, "Please fill this in."),
    ],
)
def test_a_top_up_that_cannot_be_read_keeps_what_was_typed(alice: Buyer, changed: dict[str, str], sentence: str):
    answer = alice.browser.post(TOP_UP, rule(alice.market, **changed))

    assert answer.status_code == 422
    assert sentence in plain(answer.text)
    assert '<details class="disclosure" open' in answer.text
    typed = rule(alice.market, **changed)
    assert all(f'value="{typed[name]}"' in answer.text for name in ("topup_below", "topup_cap"))


def test_a_decline_stops_it_and_the_page_says_why(alice: Buyer):
    alice.buy()
    alice.pay(alice.orders()[0])
    alice.browser.post(TOP_UP, rule(alice.market))
    with alice.market.app.app_context():
        customer = db.session.scalars(db.select(Customer)).one().provider_id
    alice.market.control("stripe/cards", customer=customer, card="declined")

    with alice.market.app.app_context():
        tasks.top_up(alice.workspace_id)

    page = plain(alice.open())
    assert "It has stopped The bank declined the card." in page
    assert "Nothing more is bought until it is switched on again." in page


def test_members_read_the_top_up_and_do_not_set_it(market: Market):
    bob = Buyer(market, market.people.bob, market.people.team_id)

    assert "Automatic top-up" in plain(bob.open())
    assert TOP_UP not in bob.open()
    assert bob.browser.post(TOP_UP, {"workspace_id": market.people.team_id}).status_code == 403
