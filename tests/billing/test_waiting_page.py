"""The page a buyer comes back to: it says the step, waits by itself, and looks when asked."""

from __future__ import annotations

from tests.billing.market import PACK, Market
from tokenboard.audit.alerts import open_alerts


def test_the_page_waits_and_then_says_that_the_credits_are_here(market: Market):
    bought = market.post("/api/billing/checkout", packageId=PACK)
    path = f"/credits/payments/{bought['reference']}"
    browser = market.people.browser(market.people.alice)

    waiting = browser.get(path).get_data(as_text=True)
    assert "Waiting for your payment" in waiting
    assert 'hx-trigger="every 2s, shown"' in waiting

    market.control("stripe/sessions", id=str(market.payment(bought["reference"]).object_id))
    assert browser.post(f"{path}/check").headers["Location"] == path

    there = browser.fragment(path, "payment_state").get_data(as_text=True)
    assert "Your credits are here" in there
    state = there[there.index('id="payment_state"') : there.index("</section>")]
    assert "hx-trigger" not in state
    assert "<html" not in there
    assert market.credits == 100


def test_a_stranger_sees_no_payment(market: Market):
    bought = market.post("/api/billing/checkout", packageId=PACK)

    answer = market.people.browser(market.people.charlie).get(f"/credits/payments/{bought['reference']}")

    assert answer.status_code == 404


def test_looking_at_a_payment_of_another_amount_tells_the_operator(market: Market):
    asked = market.post("/api/checkout/start", packageId=PACK, currency="USD")
    market.control("paystack/pay", reference=asked["reference"], outcome="success", amount=1)

    market.people.browser(market.people.alice).post(f"/credits/payments/{asked['reference']}/check")

    assert market.credits == 0
    with market.app.app_context():
        assert [one.kind for one in open_alerts()] == ["billing.event_refused"]
