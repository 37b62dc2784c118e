"""Refunds and disputes that come at odd moments, in odd currencies or of nobody: never a stranger's credits."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.billing.events import NOON, charge, deliver, dispute, event, invoice, line, refund, session
from tests.billing.shop import Shop
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing import inbox_service, tasks
from tokenboard.billing.asking import Answers
from tokenboard.core.db import db, is_postgresql
from tokenboard.web.clients import clients

PAID = "checkout.session.completed"
FREE: dict[str, Any] = {
    "payment_status": "no_payment_required",
    "payment_intent": None,
    "amount_total": 0,
    "total_details": {"amount_discount": 999, "amount_shipping": 0, "amount_tax": 0},
}


def test_money_back_for_a_charge_that_names_no_payment_is_nobodys(shop: Shop):
    shop.order()
    nameless = {"payment_intent": None}
    shop.tell(
        event("refund.created", refund("re_old", "succeeded", 999) | nameless),
        event("charge.dispute.created", dispute("needs_response") | nameless),
        event("charge.refunded", charge(999) | nameless),
    )

    shop.tell(event("invoice.paid", invoice("in_first", [line("il_first")], "subscription_create")))
    shop.tell(event(PAID, session(**FREE)))

    assert shop.credits == 2_100


def test_a_refund_handled_in_the_moment_of_the_credit_is_found_by_the_sweeper(shop: Shop):
    with shop.app.app_context():
        if not is_postgresql():
            pytest.skip(reason="SQLite lets one writer in at a time: the second sees what the first has written")
    shop.order()
    paid, back = event(PAID, session()), event("refund.created", refund("re_1", "succeeded"), created=NOON + 9)
    deliver(shop.app, paid)
    deliver(shop.app, back)
    is_credited, is_refunded = threading.Event(), threading.Event()

    def credit_slowly() -> None:
        with shop.app.app_context():
            row = inbox_service.take(inbox_service.find(paid["id"]).id)
            inbox_service.handle(row=row, answers=Answers(), providers=clients())
            is_credited.set()
            is_refunded.wait(10)
            db.session.commit()
            db.session.remove()

    crediting = threading.Thread(target=credit_slowly)
    crediting.start()
    assert is_credited.wait(10)
    with shop.app.app_context():
        tasks.process_event(inbox_service.find(back["id"]).id)
    is_refunded.set()
    crediting.join()
    assert shop.credits == 100  # neither saw the other

    shop.due()

    assert shop.credits == 69


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("refund.created", refund("re_yen", "succeeded", 300) | {"currency": "jpy"}),
        ("charge.dispute.created", dispute("needs_response", 300) | {"currency": "jpy"}),
        ("charge.refunded", charge(300) | {"currency": "jpy"}),
    ],
)
@pytest.mark.parametrize("is_before", [True, False])
def test_money_back_in_another_currency_moves_nothing_and_is_seen(
    shop: Shop, kind: str, about: dict[str, object], is_before: bool
):
    shop.order()
    paid, back = event(PAID, session()), event(kind, about, created=NOON + 9)

    ends = shop.tell(*((back, paid) if is_before else (paid, back)))
    shop.due()

    assert shop.credits == 100
    assert is_before or ends[1] == "ignored"
    with shop.app.app_context():
        assert is_before or "billing.event_refused" in {one.kind for one in open_alerts()}


def test_a_refund_that_succeeded_is_not_pending_again(shop: Shop):
    shop.order()
    shop.tell(event(PAID, session()), event("refund.updated", refund("re_1", "succeeded"), created=NOON + 50))

    shop.tell(event("refund.updated", refund("re_1", "pending"), created=NOON + 60))

    assert shop.credits == 69


def test_a_refund_named_by_odd_metadata_is_a_refund_like_any_other(shop: Shop):
    shop.order()
    shop.tell(event(PAID, session()))
    odd = refund("re_1", "succeeded") | {"metadata": {"refund_id": "not an id of ours"}}

    assert shop.tell(event("refund.created", odd, created=NOON + 50)) == ["done"]

    assert shop.credits == 69
