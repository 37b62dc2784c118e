"""`flask billing …`: what the operator types."""

from __future__ import annotations

from tests.billing.events import event, session
from tests.billing.market import PACK, Market
from tests.billing.shop import Shop


def test_prices_are_taken_over(market: Market):
    told = market.app.test_cli_runner().invoke(args=["billing", "sync-prices"])

    assert (told.exit_code, told.output.strip()) == (0, "5 products, 5 prices.")


def test_the_reconciler_changes_nothing_unless_told_to(market: Market):
    market.control("webhooks", provider="stripe", lose=20)
    bought = market.post("/api/billing/checkout", packageId=PACK)
    market.control("stripe/sessions", id=str(market.payment(bought["reference"]).object_id))
    run = market.app.test_cli_runner().invoke

    dry = run(args=["billing", "reconcile"])
    assert "nothing was changed; add --heal to mend" in dry.output
    assert market.credits == 0

    assert "mended as far as possible" in run(args=["billing", "reconcile", "--heal"]).output
    assert market.credits == 100


def test_an_event_is_replayed_by_its_own_id(shop: Shop):
    told = event("checkout.session.completed", session())
    assert shop.tell(told) == ["ignored"]  # no such order yet
    shop.order()
    run = shop.app.test_cli_runner().invoke

    assert "Nothing was changed" in run(args=["billing", "replay", told["id"]]).output
    assert shop.credits == 0
    assert "Now: done." in run(args=["billing", "replay", told["id"], "--now"]).output
    assert shop.credits == 100
    assert run(args=["billing", "replay", "evt_none"]).exit_code == 1


def test_codes_are_printed_once_and_work(shop: Shop):
    printed = shop.app.test_cli_runner().invoke(
        args=["billing", "make-codes", "spring", "--count", "3", "--credits", "7"]
    )
    found = printed.output.split()
    assert len(found) == len(set(found)) == 3

    alice = shop.people.bearer(shop.people.alice)
    assert alice.post("/api/credits/redeem", json={"code": found[0]}).json["credits"] == 7
