"""/credits as a shop: who sees what of it, what is hidden where a provider is off, and how much the page asks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.billing.buying import BUY, PAGE, Buyer, plain
from tests.billing.market import Market
from tests.costs.counting import Counted, count_queries
from tokenboard.billing.models import Subscription
from tokenboard.core.clock import now
from tokenboard.core.db import db

__all__ = ["count_queries"]


@pytest.fixture
def alice(market: Market) -> Buyer:
    return Buyer(market, market.people.alice)


def test_viewers_look_and_buy_nothing(market: Market):
    vera = Buyer(market, market.people.vera, market.people.team_id)

    page = vera.open()

    assert "You may look at everything here." in page
    assert "100" in plain(page)
    assert "Pay $1.00" not in page
    assert "Promo code" not in page
    assert vera.browser.post(BUY, {"workspace_id": market.people.team_id}).status_code == 403


def test_a_demo_workspace_buys_nothing(market: Market):
    alice = Buyer(market, market.people.alice)
    alice.browser.post("/demo")
    page = alice.browser.get(PAGE).text
    workspace = re.search(r'name="workspace_id" value="([^"]+)"', page)
    assert workspace is not None

    assert "A demo workspace buys nothing" in page
    assert "Pay $1.00" not in page
    for path in (BUY, "/credits/subscribe", "/credits/redeem", "/credits/auto-topup"):
        refused = alice.browser.post(path, {"workspace_id": workspace[1]})
        assert refused.status_code == 422, path


def test_what_is_off_is_hidden_and_named_to_administrators_only(market: Market, set_to: Callable[..., None]):
    set_to(sandbox_url="", stripe_secret_key="sk_test_x", paystack_secret_key=())
    alice, ada = Buyer(market, market.people.alice), Buyer(market, market.people.ada)

    shown = plain(alice.open("currency=KES"))
    assert "Paystack" not in shown
    assert "KES" not in shown
    assert "Pay $1.00 with Stripe" in shown
    assert "Card through Paystack and M-Pesa are off: set PAYSTACK_SECRET_KEY." in plain(ada.open())

    set_to(sandbox_url="", stripe_secret_key="", paystack_secret_key=("sk_test_x",), paystack_currency="KES")
    only_paystack = plain(alice.open())
    assert "Plans" not in only_paystack
    assert "Pay KES 129.00 with Paystack" in only_paystack


def test_where_nothing_can_be_bought_one_may_ask(market: Market, set_to: Callable[..., None]):
    alice = Buyer(market, market.people.alice)
    assert "Ask an administrator for credits" not in alice.open()

    set_to(sandbox_url="", stripe_secret_key="", paystack_secret_key=())

    page = alice.open()
    assert "Ask an administrator for credits" in page
    assert "Add credits" not in page
    assert "Packs and plans by card through Stripe are off" in plain(Buyer(market, market.people.ada).open())


@pytest.mark.parametrize("tab", ["", "tab=payments", "tab=receipts"])
def test_the_page_asks_a_fixed_number_of_questions(alice: Buyer, count_queries: Callable[[], Counted], tab: str):
    for _ in range(3):
        alice.buy()
        alice.pay(alice.orders()[-1])
    alice.open(tab)

    with alice.market.app.app_context(), count_queries() as counted:  # type: ignore[attr-defined]
        alice.open(tab)

    # Who asks, which workspaces; the line, wallet, grants, use; one tab's lines; plan, catalogue, ended orders, top-up,
    # customer; the pill.
    assert counted.number == 13, counted.statements


def test_two_live_plans_do_not_offer_a_third(alice: Buyer):
    with alice.market.app.app_context():
        for number in (1, 2):
            db.session.add(
                Subscription(
                    workspace_id=alice.workspace_id, provider_id=f"sub_{number}", status="active", told_at=now()
                )
            )
        db.session.commit()

    assert "Subscribe for" not in plain(alice.open("buy=plans"))
