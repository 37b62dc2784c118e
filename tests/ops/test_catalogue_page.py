"""/admin/catalogue: what is sold, what is not and why, and *Sync now*."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.billing.market import Market
from tests.billing.shop import Shop, price
from tests.costs.counting import Counted
from tests.people import Browser, People, Someone
from tokenboard.billing import catalogue_service
from tokenboard.billing.models import Price
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.providers.payments import Unavailable

PAGE = "/admin/catalogue"
Open = Callable[[Someone | None], Browser]


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_it_is_for_administrators_only(sqlite_people: People, who: str):
    browser = sqlite_people.browser(getattr(sqlite_people, who))

    assert [browser.get(PAGE).status_code, browser.post(f"{PAGE}/sync").status_code] == [404, 404]
    assert sqlite_people.browser(None).get(PAGE).headers["Location"].startswith("/login")


def test_an_empty_catalogue_says_how_to_fill_it(people: People, browser: Open):
    assert "Nothing has been taken over yet" in browser(people.ada).get(PAGE).text


def test_what_is_sold_stands_with_its_price_and_credits_and_the_rest_with_its_reason(shop: Shop):
    odd = price("price_odd", "prod_odd", 500, "many")
    gone = price("price_gone", "prod_gone", 700, "7", is_active=False)
    metered = price("price_metered", "prod_metered", 700, "7", "month", usage_type="metered")
    with shop.app.app_context():
        for one in (odd, gone, metered):
            catalogue_service.learn_product(product=one.product, at=now())
            catalogue_service.learn_price(price=one, at=now())
        orphan = Price(provider_id="price_orphan", product_provider_id="prod_later", currency="usd", told_at=now())
        db.session.add(orphan)
        db.session.commit()

    shown = shop.people.browser(shop.people.ada).get(PAGE).text

    assert "5\N{NO-BREAK SPACE}prices of 5\N{NO-BREAK SPACE}products for sale" in shown
    assert "¥1,500" in shown
    assert "every month" in shown
    reasons = ("is not a whole number", "it is archived at Stripe", "it is metered", "its product is not known yet")
    assert [words for words in reasons if words not in shown] == []


def test_sync_takes_over_what_stripe_lists(market: Market):
    ada = market.people.browser(market.people.ada)

    answers = [ada.post(f"{PAGE}/sync") for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [PAGE, PAGE]
    assert "5\N{NO-BREAK SPACE}products and 5\N{NO-BREAK SPACE}prices were taken over." in ada.get(PAGE).text


def test_a_provider_that_does_not_answer_is_said_and_nothing_changes(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    def fail(**_: object) -> object:
        raise Unavailable("stripe", status=500)

    monkeypatch.setattr(shop.providers.stripe(), "prices", fail)
    ada = shop.people.browser(shop.people.ada)

    assert ada.post(f"{PAGE}/sync").status_code == 303

    shown = ada.get(PAGE).text
    assert "Stripe" in shown.partition('id="toasts"')[2]
    assert "5\N{NO-BREAK SPACE}prices" in shown


@pytest.mark.parametrize("size", [1, 30])
def test_the_page_asks_the_database_a_fixed_number_of_questions(
    shop: Shop, count_queries: Callable[[], AbstractContextManager[Counted]], size: int
):
    with shop.app.app_context():
        for number in range(size):
            one = price(f"price_{number}", f"prod_{number}", 500, "5")
            catalogue_service.learn_product(product=one.product, at=now())
            catalogue_service.learn_price(price=one, at=now())
        db.session.commit()
    ada = shop.people.browser(shop.people.ada)
    ada.get(PAGE)

    with shop.app.app_context(), count_queries() as counted:
        piece = ada.fragment(PAGE, "catalogue").text

    assert piece.lstrip().startswith('<div id="catalogue"')
    # Who asks; products and prices.
    assert counted.number == 3
