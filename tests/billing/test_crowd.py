"""Deliveries of many purchases through both providers at once, duplicated and shuffled, by four senders over HTTP,
unworthy ones among them: a grant for each purchase, 0 double, 0 lost, 0 for the unworthy, all of which can be seen.

`./run test --whole tests/billing/test_crowd.py` is the whole crowd: 1,000 deliveries of 250 purchases, 100 unworthy
ones; `PAYMENT_PURCHASES=40` one of another size. The last test lets a broken house
(a grant keyed by the event instead of what was bought) go through the same crowd: the judge must find it out.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from tests.billing.conftest import serving_house
from tests.billing.crowd import Delivery, cheap_paystack_order, complaints, orders, send_and_work, sweep_out
from tests.billing.events import event, session, signed
from tests.billing.paystack_shop import charge_success
from tests.billing.shop import Shop
from tests.sizes import sized
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing import payment_queries, stripe_service
from tokenboard.billing.asking import Answers
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import PaymentGrant
from tokenboard.billing.stripe_service import Handled
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.ledger import service as ledger
from tokenboard.ledger.accounts import House
from tokenboard.ledger.kinds import Category
from tokenboard.providers import stripe_answers as read
from tokenboard.providers.stripe_objects import StripeEvent
from tokenboard.workspaces.models import Workspace

PURCHASES = int(os.environ.get("PAYMENT_PURCHASES") or sized(30, 250))
UNWORTHY = sized(20, 100)
COMPLETED, SUCCEEDED = "checkout.session.completed", "checkout.session.async_payment_succeeded"


def worthy(made: dict[str, str]) -> list[Delivery]:
    """Four of every purchase: two events, each twice; Paystack's second one says the same in other words."""
    found = []
    for number, reference in made.items():
        if int(number) % 2:
            told = [charge_success(reference, int(number)), charge_success(reference, int(number), "SUCCESS")]
            found += [Delivery("paystack", one) for one in told * 2]
        else:
            about = session(f"cs_{number}", payment_intent=f"pi_{number}")
            told = [event(COMPLETED, about), event(SUCCEEDED, about)]
            found += [Delivery("stripe", one) for one in told * 2]
    return found


def unworthy(shop: Shop, made: dict[str, str]) -> list[Delivery]:
    """Forged, replayed, foreign, of the other provider, of a wrong amount: 20 of each."""
    cheap = [cheap_paystack_order(shop, 10_000 + number) for number in range(UNWORTHY // 10)]
    for number in range(UNWORTHY // 10):
        shop.order(session_id=f"cs_cheap{number}")
    stripes, paystacks = made["0"], made["1"]
    old = signed(b"{}", at=int(now().timestamp()) - 4_000)
    foreign: list[dict[str, Any]] = [{"livemode": True}, {"api_version": "2020-08-27"}, {"account": "acct_x"}]
    found = []
    for number in range(UNWORTHY // 10):
        paid = session(f"cs_x{number}", client_reference_id=paystacks)
        low = session(f"cs_cheap{number}", amount_subtotal=1, amount_total=1)
        found += [
            Delivery("stripe", event(COMPLETED, paid), "t=1,v1=" + "0" * 64, 400),
            Delivery("paystack", charge_success(stripes), "0" * 128, 400),
            Delivery("stripe", event(COMPLETED, session("cs_0")), old, 400),
            Delivery("paystack", event(COMPLETED, session("cs_0")), signed(b"{}"), 400),  # Stripe's, at Paystack's door
            Delivery("stripe", event(COMPLETED, session("cs_0"), **foreign[number % 3])),
            Delivery("stripe", event(SUCCEEDED, session("cs_0"), **foreign[(number + 1) % 3])),
            Delivery("stripe", event(COMPLETED, paid)),
            Delivery("paystack", charge_success(stripes, 20_000 + number)),
            Delivery("stripe", event(COMPLETED, low)),
            Delivery("paystack", charge_success(cheap[number], 10_000 + number)),
        ]
    return found


def test_a_crowd_of_deliveries_makes_one_grant_a_purchase_and_none_for_the_unworthy(shop: Shop):
    made = orders(shop, PURCHASES)
    deliveries = worthy(made) + unworthy(shop, made)
    random.Random(7).shuffle(deliveries)

    with serving_house(shop.app) as house_url:
        heard = send_and_work(shop, house_url, deliveries)
    sweep_out(shop)

    assert heard == {200: 4 * PURCHASES + UNWORTHY * 6 // 10, 400: UNWORTHY * 4 // 10}
    assert complaints(shop, list(made.values()), 100) == []
    assert seen(shop) == UNWORTHY


def seen(shop: Shop) -> int:
    """How many unworthy deliveries the operator can see: refused at the door and counted, or refused events."""
    with shop.app.app_context():
        alerts = open_alerts()
        ignored = set(db.session.scalars(db.select(InboxEvent.id).where(InboxEvent.state == "ignored")))
        unhandled = db.select(InboxEvent.event_id).where(InboxEvent.state.in_(("new", "retry", "dead")))
        assert list(db.session.scalars(unhandled)) == []
    told = {one.open_key.removeprefix("billing.event_refused:") for one in alerts}
    assert ignored <= told
    return len(ignored) + sum(one.times for one in alerts if one.kind == "billing.webhook_refused")


def _grant_by_event(told: StripeEvent, _answers: Answers) -> Handled:
    """What many a shop does: one event, one grant."""
    about = read.checkout_session(told.object)
    payment = payment_queries.locked(stripe_service.order_of(about).id)
    posting = ledger.grant(
        wallet_id=db.session.get_one(Workspace, payment.workspace_id).ledger_account_id,
        amount_micros=payment.credits_micros,
        category=Category.PAID,
        house=House.SALES_STRIPE,
        key=told.id,
        payment=told.id,
    )
    facts = {"transaction_id": posting.transaction_id, "grant_id": posting.grant_id}
    row = PaymentGrant(payment_id=payment.id, key=told.id, credits_micros=payment.credits_micros, **facts)
    db.session.add(row)
    return Handled(payment.id)


def test_the_judge_finds_out_a_house_that_grants_by_event(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    for kind in (COMPLETED, SUCCEEDED):
        monkeypatch.setitem(stripe_service._HANDLERS, kind, _grant_by_event)
    made = orders(shop, 8)
    deliveries = worthy(made)
    random.Random(7).shuffle(deliveries)

    with serving_house(shop.app) as house_url:
        send_and_work(shop, house_url, deliveries)
    sweep_out(shop)

    doubled = [made[number] for number in made if int(number) % 2 == 0]
    assert complaints(shop, list(made.values()), 100) == [
        *(f"{reference} was credited 2 times" for reference in doubled),
        "the balance has 1200 credits for 8 purchases",
    ]
