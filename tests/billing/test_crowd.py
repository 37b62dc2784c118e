"""Many purchases through both providers at once: duplicated, shuffled, four senders, forged ones among them.

`PAYMENT_PURCHASES=250 ./run test tests/billing/test_crowd.py` is the long profile: 1,000 deliveries of 250 purchases.
"""

from __future__ import annotations

import os
import random
import threading
from datetime import UTC, datetime
from typing import Any

from tests.billing.events import NOON, deliver, deliver_paystack, event, session, signed
from tests.billing.shop import PACK, Shop
from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing import catalogue_queries, order_service, tasks
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import PaymentGrant
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.providers.paystack_objects import PaystackStatus, PaystackTransaction
from tokenboard.workspaces.models import Workspace

PURCHASES = int(os.environ.get("PAYMENT_PURCHASES", "40"))
COMPLETED, SUCCEEDED = "checkout.session.completed", "checkout.session.async_payment_succeeded"


def paystack_order(shop: Shop, number: int) -> str:
    with shop.app.app_context():
        basket = order_service.paystack_basket(
            offer=catalogue_queries.offer(PACK), amount_usd_cents=None, currency="USD"
        )
        made = order_service.order(
            workspace=db.session.get_one(Workspace, shop.home),
            person=db.session.get_one(Person, shop.people.alice.id),
            basket=basket,
            intent_key=f"paystack-{number}",
        )
        db.session.commit()
        return made.id


def verified(reference: str, number: int, amount: int = 999) -> PaystackTransaction:
    return PaystackTransaction(
        id=number,
        reference=reference,
        status=PaystackStatus.SUCCEEDED,
        raw_status="success",
        is_live=False,
        amount=amount,
        requested_amount=amount,
        currency="usd",
        channel="card",
        gateway_response="Successful",
        paid_at=datetime.fromtimestamp(NOON, UTC),
        created_at=datetime.fromtimestamp(NOON, UTC),
        fees=0,
        email="alice@example.com",
    )


def charge_success(reference: str, number: int) -> dict[str, Any]:
    about = {"id": number, "domain": "test", "status": "success", "reference": reference, "amount": 999}
    return {"event": "charge.success", "data": about | {"currency": "USD", "metadata": ""}}


def test_a_crowd_of_deliveries_makes_one_grant_a_purchase_and_none_for_the_forged(shop: Shop):
    deliveries: list[tuple[str, dict[str, Any], str | None]] = []
    for number in range(PURCHASES):
        if number % 2:
            reference = paystack_order(shop, number)
            shop.providers.paystack().verified[reference] = verified(reference, number)
            deliveries += [("paystack", charge_success(reference, number), None)] * 4
        else:
            shop.order(session_id=f"cs_{number}")
            about = session(f"cs_{number}", payment_intent=f"pi_{number}")
            told = [event(COMPLETED, about), event(SUCCEEDED, about)]
            deliveries += [("stripe", one, None) for one in told * 2]
    deliveries += _unworthy(shop)
    random.Random(7).shuffle(deliveries)

    _send_and_work(shop, deliveries)
    shop.due()

    assert shop.credits == 100 * PURCHASES
    with shop.app.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(PaymentGrant)) == PURCHASES
        states = set(db.session.scalars(db.select(InboxEvent.state)))
        kinds = {one.kind for one in open_alerts()}
    assert states <= {"done", "ignored", "retry"}
    assert {"billing.webhook_refused", "billing.event_refused"} <= kinds


def _unworthy(shop: Shop) -> list[tuple[str, dict[str, Any], str | None]]:
    """Forged, foreign, of the other provider, of a wrong amount."""
    cheap, other = paystack_order(shop, 10_001), paystack_order(shop, 10_002)
    shop.providers.paystack().verified[cheap] = verified(cheap, 10_001, amount=1)
    shop.order(session_id="cs_cheap")
    shop.order(session_id="cs_live")
    old = signed(b"{}", at=int(now().timestamp()) - 4_000)
    found: list[tuple[str, dict[str, Any], str | None]] = []
    for number in range(max(4, PURCHASES // 10)):
        found += [
            ("stripe", event(COMPLETED, session("cs_forged", client_reference_id=other)), "t=1,v1=" + "0" * 64),
            ("stripe", event(COMPLETED, session("cs_0")), old),
            ("stripe", event(COMPLETED, session("cs_cheap", amount_subtotal=1, amount_total=1)), None),
            ("stripe", event(COMPLETED, session("cs_live"), livemode=True), None),
            ("stripe", event(COMPLETED, session(f"cs_x{number}", client_reference_id=other)), None),
            ("paystack", charge_success(cheap, 10_001), None),
        ]
    return found


def _send_and_work(shop: Shop, deliveries: list[tuple[str, dict[str, Any], str | None]]) -> None:
    barrier = threading.Barrier(6)

    def send(part: int) -> None:
        barrier.wait()
        for provider, told, header in deliveries[part::4]:
            if provider == "paystack":
                assert deliver_paystack(shop.app, told).status_code == 200
            else:
                assert deliver(shop.app, told, header=header).status_code == (400 if header else 200)

    def work() -> None:
        barrier.wait()
        with shop.app.app_context():
            for _ in range(4):
                tasks.sweep()
                db.session.remove()

    threads = [threading.Thread(target=send, args=(part,)) for part in range(4)]
    threads += [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with shop.app.app_context():
        for _ in range(1 + len(deliveries) // tasks.BATCH):
            tasks.sweep()
