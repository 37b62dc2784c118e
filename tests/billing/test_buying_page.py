"""/credits as a shop: what is chosen is what is ordered, once an intent, at the price that was shown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.billing.buying import PAGE, Buyer, plain
from tests.billing.market import PACK, PLAN, Market
from tests.costs.counting import count_queries
from tokenboard.billing import catalogue_queries
from tokenboard.billing.models import Price
from tokenboard.core.db import db

__all__ = ["count_queries"]


@pytest.fixture
def alice(market: Market) -> Buyer:
    return Buyer(market, market.people.alice)


def pack_value(market: Market, price: str, minor: int) -> str:
    with market.app.app_context():
        return f"{catalogue_queries.offer(price).price.id}:{minor}"


def test_the_smallest_pack_is_chosen_and_its_total_stands_on_the_button(alice: Buyer):
    page = plain(alice.open())

    assert "100 credits $1.00 500 credits $5.00 2,000 credits $20.00 Another amount" in page
    assert "Total $1.00 for 100 credits" in page
    assert "Pay $1.00 with Stripe" in page
    assert "On Stripe's page. Tax, if any, is added there." in page


def test_a_press_orders_and_leads_to_stripe(alice: Buyer):
    answer = alice.buy()

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(alice.market.sandbox_url)
    order = alice.orders()[0]
    assert (order.provider, order.amount_minor, order.currency, order.credits_micros) == (
        "stripe",
        100,
        "usd",
        100_000_000,
    )


def test_a_double_click_and_a_second_tab_are_one_order_and_the_way_back_leads_to_it(alice: Buyer):
    first, second = alice.form(), alice.form()  # two tabs

    answers = [alice.press(one) for one in (first, first, second)]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(alice.orders()) == 1

    order = alice.orders()[0]
    alice.pay(order)
    assert alice.market.credits == 100
    assert alice.press(first).headers["Location"] == f"/credits/payments/{order.id}"
    assert len(alice.orders()) == 1


def test_a_page_drawn_after_paying_buys_the_same_again(alice: Buyer):
    alice.buy()
    alice.pay(alice.orders()[0])

    alice.buy()
    alice.pay(alice.orders()[1])

    assert alice.market.credits == 200


def test_another_pack_under_the_same_key_is_another_order(alice: Buyer):
    form = alice.form()
    alice.press(form)

    answer = alice.press(form | {"pack": pack_value(alice.market, "price_SbxPack500", 500)})

    assert answer.status_code == 303
    assert [one.amount_minor for one in alice.orders()] == [100, 500]


def test_shillings_follow_the_rate_which_is_shown(alice: Buyer):
    page = plain(alice.open("currency=KES"))
    assert "1 USD = 129 KES" in page
    assert "100 credits KES 129.00" in page
    assert "Pay KES 129.00 with Paystack" in page

    answer = alice.buy("currency=KES")

    assert "/paystack/" in answer.headers["Location"]
    order = alice.orders()[0]
    assert (order.amount_minor, order.currency, order.exchange_rate) == (12_900, "kes", "129")


def test_a_price_that_changed_meanwhile_is_told_and_not_ordered(alice: Buyer):
    form = alice.form()
    with alice.market.app.app_context():
        db.session.execute(db.update(Price).where(Price.provider_id == PACK).values(unit_amount_minor=120))
        db.session.commit()

    answer = alice.press(form)

    assert answer.status_code == 422
    assert "The total is $1.20. Press the button again if you agree." in plain(answer.text)
    assert alice.orders() == []
    with alice.market.app.app_context():
        db.session.execute(db.update(Price).where(Price.provider_id == PACK).values(unit_amount_minor=100))
        db.session.commit()


def test_an_amount_of_ones_own_buys_at_the_value_of_a_credit(alice: Buyer):
    assert alice.buy(pack="custom", amount="1,000.00").status_code == 303
    order = alice.orders()[0]
    assert (order.kind, order.provider, order.amount_minor, order.credits_micros) == (
        "custom",
        "stripe",
        100_000,
        100_000_000_000,
    )
    alice.pay(order)
    assert alice.market.credits == 100_000


def test_an_amount_in_shillings_is_agreed_to_before_it_is_ordered(alice: Buyer):
    form = alice.form("currency=KES", pack="custom", amount="12.50", total="")

    told = alice.press(form)
    assert told.status_code == 422
    assert "The total is KES 1,612.50." in plain(told.text)
    assert 'name="total" value="161250"' in told.text
    assert 'value="12.50"' in told.text

    assert alice.press(form | {"total": "161250"}).status_code == 303
    assert alice.orders()[0].credits_micros == 1_250_000_000


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"pack": "custom", "amount": "0.99"}, "An amount is from 1 to 1,000 US dollars."),
        ({"pack": "custom", "amount": "1000.01"}, "An amount is from 1 to 1,000 US dollars."),
        ({"pack": "custom", "amount": "1e3"}, "Write an amount as 12 or 12.50."),
        ({"pack": "custom", "amount": "1.005"}, "At most two decimals."),
        ({"pack": "custom", "amount": ""}, "Write an amount as 12 or 12.50."),
        ({"amount": "30"}, "Choose “Another amount” to buy for this, or empty the field."),
        ({"pack": "nothing:100"}, "This pack is not for sale any more."),
        ({"pack": f"{PLAN}:1999"}, "This pack is not for sale any more."),
        ({"method": "cash"}, "Choose how to pay."),
        ({"method": "mpesa"}, "Choose how to pay."),
        ({"currency": "EUR"}, "Choose how to pay."),
    ],
)
def test_what_cannot_be_bought_is_told_on_the_same_page(alice: Buyer, changed: dict[str, str], sentence: str):
    answer = alice.buy(**changed)

    assert answer.status_code == 422
    assert sentence in plain(answer.text)
    assert 'action="/credits/buy"' in answer.text
    assert alice.orders() == []


def test_a_prompt_needs_a_kenyan_phone_and_leads_to_the_page_that_waits(alice: Buyer):
    form = alice.form("currency=KES", method="mpesa")
    refused = alice.press(form | {"phone": "12345"})
    assert refused.status_code == 422
    assert "Write a Kenyan mobile number" in refused.text

    answers = [alice.press(form | {"phone": "0712 345 678"}) for _ in range(2)]

    order = alice.orders()[0]
    assert [answer.headers["Location"] for answer in answers] == [f"/credits/payments/{order.id}"] * 2
    assert (len(alice.orders()), order.state) == (1, "pending")


@pytest.mark.parametrize(("query", "path"), [("", "/stripe/v1/checkout"), ("currency=KES", "/paystack/transaction")])
def test_a_provider_that_is_down_keeps_the_basket_and_the_next_press_finds_the_order(
    alice: Buyer, query: str, path: str
):
    form = alice.form(query)
    alice.order_fault(path)

    down = alice.press(form)
    assert down.status_code == 503
    assert "The payment page could not be opened" in down.text
    assert f'value="{form["pack"]}" checked' in down.text
    assert f'name="key" value="{form["key"]}"' in down.text

    assert alice.press(form).status_code == 303
    assert len(alice.orders()) == 1


def test_a_plan_is_begun_from_its_tab_and_marked_when_it_runs(alice: Buyer):
    page = alice.open("buy=plans")
    assert "Pro monthly $19.99 a month 2,000 credits each month Subscribe for $19.99 a month" in plain(page)
    with alice.market.app.app_context():
        plan = catalogue_queries.offer(PLAN).price.id
    form = {"workspace_id": alice.workspace_id, "plan": plan}

    answers = [alice.browser.post("/credits/subscribe", form) for _ in range(2)]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    alice.pay(alice.orders()[0])
    assert alice.market.credits == 2_000

    running = plain(alice.open("buy=plans"))
    assert "Pro monthly Your plan" in running
    assert "Subscribe for" not in running
    again = alice.browser.post("/credits/subscribe", form)
    assert again.status_code == 409
    assert "This workspace has a subscription already." in plain(again.text)


def test_what_is_no_plan_cannot_be_subscribed_to(alice: Buyer):
    form = {"workspace_id": alice.workspace_id, "plan": PACK}

    assert alice.browser.post("/credits/subscribe", form).status_code == 422


def test_a_multiplier_is_shown_as_a_bonus_and_ordered(alice: Buyer, set_to: Callable[..., None]):
    set_to(credit_purchase_multiplier=Decimal(2))
    page = plain(alice.open())
    assert "100 credits + 100 bonus $1.00" in page
    assert "Total $1.00 for 200 credits" in page

    alice.buy()

    assert alice.orders()[0].credits_micros == 200_000_000


def test_the_total_follows_the_basket_as_a_block(alice: Buyer):
    pack = pack_value(alice.market, "price_SbxPack500", 500)

    block = alice.browser.fragment(f"/credits/total?currency=USD&method=stripe&pack={pack}", "total").text
    typed = alice.browser.fragment("/credits/total?currency=KES&method=mpesa&pack=custom&amount=2", "total").text
    nothing = alice.browser.fragment("/credits/total?currency=USD&method=stripe&pack=custom&amount=", "total").text

    assert block.strip().startswith('<div id="total"')
    assert "Total $5.00 for 500 credits Pay $5.00 with Stripe" in plain(block)
    assert "Ask my phone for KES 258.00" in plain(typed)
    assert "Write an amount." in plain(nothing)
    assert alice.browser.get("/credits/total").headers["Location"] == PAGE
