"""Money back from the control room: the amount in the button, what it takes beforehand, once, and lost answers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import requests
import time_machine
from werkzeug.test import TestResponse

from tests.billing.market import PACK, Market
from tests.people import Browser
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing import tasks
from tokenboard.billing.models import Refund
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.money import MICROS_PER_CREDIT
from tokenboard.ledger import service as ledger
from tokenboard.workspaces.models import Workspace

STRIPE_REFUNDS, PAYSTACK_REFUNDS = "/stripe/v1/refunds", "/paystack/refund"
TRIES = 3  # of one call to Stripe


def bought(market: Market) -> str:
    """Alice has bought a pack of 100 credits for $1.00 at Stripe."""
    reference = str(market.post("/api/billing/checkout", packageId=PACK)["reference"])
    market.control("stripe/sessions", id=str(market.payment(reference).object_id))
    market.deliver()
    return reference


def paid_at_paystack(market: Market) -> str:
    reference = str(market.post("/api/checkout/start", packageId=PACK, currency="USD")["reference"])
    market.control("paystack/pay", reference=reference, outcome="success")
    market.deliver()
    return reference


def ada(market: Market) -> Browser:
    return market.people.browser(market.people.ada)


def page_of(payment: str) -> str:
    return f"/admin/payments/{payment}"


def press(browser: Browser, payment: str, amount_minor: int, key: str | None = None) -> TestResponse:
    """The button, as the page would send it."""
    return browser.post(f"{page_of(payment)}/refund", {"amount_minor": amount_minor, "form_key": key or new_id()})


def refunds(market: Market) -> list[Refund]:
    """Ours; what tests before left at the sandbox may be told too."""
    with market.app.app_context():
        wanted = db.select(Refund).where(Refund.payment_id.is_not(None))
        return list(db.session.scalars(wanted.order_by(Refund.created_at)))


def fault_at(market: Market, **told: object) -> None:
    answer = requests.post(f"{market.sandbox_url}/_control/faults", json=told, timeout=20)
    assert answer.status_code == 200


def spend(market: Market, amount: int) -> None:
    with market.app.app_context():
        wallet = db.session.get_one(Workspace, market.people.alice.workspace_id).ledger_account_id
        ledger.spend(wallet_id=wallet, amount_micros=amount * MICROS_PER_CREDIT, key=f"spend-{amount}")
        db.session.commit()


def test_the_button_says_all_that_is_left_and_what_it_takes(market: Market):
    payment = bought(market)

    shown = ada(market).get(page_of(payment)).text

    assert "Refund $1.00" in shown
    assert "<b>100 credits</b> are taken back. The wallet has them." in shown


def test_a_part_is_looked_at_before_it_is_pressed(market: Market):
    payment = bought(market)

    piece = ada(market).fragment(f"{page_of(payment)}?amount=0.335", "refund_preview")
    assert (piece.status_code, "at most 2 decimals" in piece.text) == (422, True)
    piece = ada(market).fragment(f"{page_of(payment)}?amount=0.33", "refund_preview")

    assert piece.text.lstrip().startswith('<div id="refund_preview"')
    assert "Refund $0.33" in piece.text
    assert "<b>33 credits</b>" in piece.text


def test_what_the_wallet_no_longer_has_is_said_beforehand_and_comes_true(market: Market):
    payment = bought(market)
    spend(market, 1_060)  # 1,000 came with the sign-up: 40 are left

    assert "The wallet has 40 of them free" in ada(market).get(page_of(payment)).text
    assert "60 become a debt" in ada(market).get(page_of(payment)).text

    assert press(ada(market), payment, 100).status_code == 303
    assert market.credits == -1_060
    with market.app.app_context():
        wallet = db.session.get_one(Workspace, market.people.alice.workspace_id).ledger_account_id
        assert (
            db.session.execute(
                db.text("SELECT posted_micros FROM ledger_account WHERE id = :id"), {"id": _stored(wallet)}
            ).scalar()
            == -60 * MICROS_PER_CREDIT
        )


def _stored(wallet_id: str) -> str:
    return wallet_id.replace("-", "") if db.engine.dialect.name == "sqlite" else wallet_id


@pytest.mark.parametrize("amount", ["abc", "0", "-1", "1.001", "1e2", "9" * 30])
def test_an_amount_that_is_none_is_refused(market: Market, amount: str):
    payment = bought(market)

    answer = ada(market).get(f"{page_of(payment)}?amount={amount}")

    assert answer.status_code == 422
    assert "Refund $" not in answer.text


def test_more_than_was_paid_gets_no_button(market: Market):
    payment = bought(market)

    shown = ada(market).get(f"{page_of(payment)}?amount=1.01").text

    assert "At most $1.00 can go back." in shown
    assert "Refund $" not in shown


@pytest.mark.parametrize("form", [{}, {"amount_minor": "50"}, {"amount_minor": "-5", "form_key": "x"}], ids=str)
def test_a_form_that_no_page_made_is_refused(market: Market, form: dict[str, str]):
    payment = bought(market)

    assert ada(market).post(f"{page_of(payment)}/refund", form).status_code == 422
    assert refunds(market) == []


def test_half_goes_back_and_the_credits_with_it_once(market: Market):
    payment, browser, key = bought(market), ada(market), new_id()

    answers = [press(browser, payment, 50, key) for _ in range(3)]
    market.deliver()

    assert [answer.status_code for answer in answers] == [303] * 3
    assert [one.amount_minor for one in refunds(market)] == [50]
    assert (market.credits, market.payment(payment).state) == (50, "partly_refunded")
    shown = browser.get(page_of(payment)).text
    assert "Refund of $0.50: succeeded" in shown
    assert "asked for by Ada" in shown
    assert "At most $0.50 is left." in shown


def test_two_pages_are_two_refunds_and_never_more_than_was_paid(market: Market):
    payment, browser = bought(market), ada(market)

    assert [press(browser, payment, 60).status_code for _ in range(2)] == [303, 409]

    assert market.credits == 40


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_only_administrators_give_back(market: Market, who: str):
    payment = bought(market)

    assert press(market.people.browser(getattr(market.people, who)), payment, 50).status_code == 404
    assert press(market.people.browser(None), payment, 50).status_code in (302, 303)
    assert refunds(market) == []


def test_a_disputed_payment_is_not_refunded_besides(market: Market):
    payment = bought(market)
    market.control("stripe/disputes", payment_intent=market.payment(payment).payment_intent_id)
    market.deliver()

    shown = ada(market).get(page_of(payment)).text

    assert "answer the dispute instead" in shown
    assert press(ada(market), payment, 50).status_code == 409


def test_a_refusal_is_shown_and_a_new_page_tries_anew(market: Market):
    payment, browser, key = bought(market), ada(market), new_id()
    fault_at(market, path=STRIPE_REFUNDS, fault="429", times=1)

    refused = press(browser, payment, 50, key)
    again = press(browser, payment, 50, key)
    fresh = press(browser, payment, 50)

    assert (refused.status_code, "Nothing went back" in refused.text) == (502, True)
    assert (again.status_code, fresh.status_code) == (303, 303)
    assert sorted(one.state for one in refunds(market)) == ["failed", "succeeded"]
    assert market.credits == 50


@pytest.mark.parametrize("fault", ["500", "after-500"])
@pytest.mark.parametrize("provider", ["stripe", "paystack"])
def test_a_lost_answer_is_asked_for_again_and_goes_back_once(market: Market, provider: str, fault: str):
    payment = bought(market) if provider == "stripe" else paid_at_paystack(market)
    path = STRIPE_REFUNDS if provider == "stripe" else PAYSTACK_REFUNDS
    tries = TRIES if provider == "stripe" and fault == "500" else 1
    fault_at(market, path=path, fault=fault, times=tries)

    press(ada(market), payment, 50)
    with time_machine.travel(now() + timedelta(minutes=3), tick=False), market.app.app_context():
        tasks.finish_refunds()
        tasks.finish_refunds()

    assert [(one.state in ("succeeded", "pending"), one.next_ask_at) for one in refunds(market)] == [(True, None)]
    assert _back_at(market, provider, payment) == [50]


def _back_at(market: Market, provider: str, payment: str) -> list[int]:
    """What the provider itself says has gone back."""
    with market.app.app_context():
        clients = market.app.extensions["clients"]
        if provider == "stripe":
            return [one.amount for one in clients.stripe().refunds(market.payment(payment).payment_intent_id)]
        listed = clients.paystack().refunds(now() - timedelta(days=1), now() + timedelta(days=1))
        return [one.amount for one in listed if one.reference == payment]


def lost_request(market: Market, payment: str, asks: int = 0) -> None:
    """Ours was written; the process was killed before the provider answered."""
    with market.app.app_context():
        row = Refund(
            payment_id=payment,
            provider="stripe",
            payment_intent_id=market.payment(payment).payment_intent_id,
            amount_minor=50,
            currency="usd",
            state="requested",
            actor=market.people.ada.id,
            intent_key="killed between two statements",
            next_ask_at=now() - timedelta(seconds=1),
            asks=asks,
            told_at=now() - timedelta(days=1),
        )
        db.session.add(row)
        db.session.commit()


def test_a_refund_that_was_asked_for_and_never_sent_is_found_by_the_sweeper(market: Market):
    payment = bought(market)
    lost_request(market, payment)
    assert "no answer yet" in ada(market).get(page_of(payment)).text

    market.sweep()

    assert market.credits == 50


def test_ask_again_is_a_button_and_harmless(market: Market):
    payment, browser = bought(market), ada(market)
    fault_at(market, path=STRIPE_REFUNDS, fault="500", times=TRIES)
    press(browser, payment, 50)
    ask = re.search(rf'action="({page_of(payment)}/refunds/[^"]+)"', browser.get(page_of(payment)).text)[1]

    assert [browser.post(ask).status_code for _ in range(2)] == [303, 303]
    assert _back_at(market, "stripe", payment) == []  # somebody asked a moment ago
    with time_machine.travel(now() + timedelta(minutes=3), tick=False):
        assert [browser.post(ask).status_code for _ in range(2)] == [303, 303]

    assert _back_at(market, "stripe", payment) == [50]
    assert market.credits == 50
    assert ada(market).post(f"{page_of(payment)}/refunds/{new_id()}/ask").status_code == 404


def test_an_answer_that_never_comes_is_told_to_the_operator(market: Market):
    payment = bought(market)
    lost_request(market, payment, asks=6)
    fault_at(market, path=STRIPE_REFUNDS, fault="500", times=TRIES)

    market.sweep()

    with market.app.app_context():
        assert "billing.refund_unanswered" in {one.kind for one in open_alerts()}
    assert [one.next_ask_at for one in refunds(market)] == [None]
    with time_machine.travel(now() + timedelta(minutes=11), tick=False):
        assert payment in ada(market).get("/admin/payments?trouble=refund").text


def test_check_now_asks_the_provider_and_credits(market: Market):
    market.control("webhooks", provider="stripe", lose=9)
    reference = str(market.post("/api/billing/checkout", packageId=PACK)["reference"])
    market.control("stripe/sessions", id=str(market.payment(reference).object_id))
    browser = ada(market)

    answers = [browser.post(f"{page_of(reference)}/check").status_code for _ in range(2)]

    assert (answers, market.credits) == ([303, 303], 100)
    assert "It stands at: credited." in browser.get(page_of(reference)).text
