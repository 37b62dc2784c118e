"""The inbox: what is let in, what is refused, what is tried again; crashes, senders at once, no queue."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from tests.billing.events import NOON, deliver, event, session, signed
from tests.billing.shop import Shop
from tests.billing.stripe_stand_in import STRIPE_SECRET, StandInStripe
from tokenboard.audit.alerts import open_alerts
from tokenboard.billing import inbox_service, tasks
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.core.clock import now
from tokenboard.core.db import db

PAID = "checkout.session.completed"


def stored(app: Flask) -> list[InboxEvent]:
    with app.app_context():
        return list(db.session.scalars(db.select(InboxEvent)))


def alerts(app: Flask) -> set[str]:
    with app.app_context():
        return {one.kind for one in open_alerts()}


@pytest.mark.parametrize("path", ["/api/webhooks/stripe", "/api/billing/webhook"])
def test_a_signed_event_is_stored_once(shop: Shop, path: str):
    told = event("some.kind", {"id": "x"})

    answers = [deliver(shop.app, told, path=path) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [row.event_id for row in stored(shop.app)] == [told["id"]]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1,v1=00",
        signed(b"something else"),
        "junk",
        "v0=" + "0" * 64,
        "\u00e4",
    ],
    ids=range(6),
)
def test_a_forged_event_is_refused_and_seen(shop: Shop, header: str):
    answer = deliver(shop.app, event(PAID, session()), header=header)

    assert answer.status_code == 400
    assert stored(shop.app) == []
    assert "billing.webhook_refused" in alerts(shop.app)


@pytest.mark.parametrize("offset", [-301, 301, 86_400])
def test_an_event_signed_at_another_time_is_refused(shop: Shop, offset: int):
    told = event(PAID, session())
    moment = int(now().timestamp()) + offset

    answer = deliver(shop.app, told, header=signed(json.dumps(told).encode(), at=moment))

    assert answer.status_code == 400


@pytest.mark.parametrize("secrets", [("new-" + STRIPE_SECRET, STRIPE_SECRET), (STRIPE_SECRET, "old-one")])
def test_secrets_can_be_exchanged(shop: Shop, monkeypatch: pytest.MonkeyPatch, secrets: tuple[str, ...]):
    monkeypatch.setattr(shop.providers, "_stripe", StandInStripe(secrets))

    assert deliver(shop.app, event("some.kind", {"id": "x"})).status_code == 200


@pytest.mark.parametrize("secrets", [(), ("",), ("  ", "")])
def test_without_a_secret_the_door_is_shut(shop: Shop, monkeypatch: pytest.MonkeyPatch, secrets: tuple[str, ...]):
    monkeypatch.setattr(shop.providers, "_stripe", StandInStripe(secrets))
    body = json.dumps(event(PAID, session())).encode()

    answer = deliver(shop.app, event(PAID, session()), header=signed(body, secret=""))

    assert (answer.status_code, answer.json["setting"]) == (503, "STRIPE_WEBHOOK_SECRET")


@pytest.mark.parametrize("body", [b"[]", b"null", b"{}", b"\xff\xfe", b"not json", b'{"object":"event"}'])
def test_what_is_signed_and_no_event_is_refused(shop: Shop, body: bytes):
    headers = {"Stripe-Signature": signed(body)}

    answer = shop.app.test_client().post("/api/webhooks/stripe", data=body, headers=headers)

    assert answer.status_code == 400
    assert stored(shop.app) == []


def test_a_body_over_a_megabyte_is_refused_and_one_below_is_taken(shop: Shop):
    large = event("some.kind", {"id": "x", "padding": "y" * 900_000})
    assert deliver(shop.app, large).status_code == 200

    too_large = event("some.kind", {"id": "x", "padding": "y" * 1_100_000})
    assert deliver(shop.app, too_large).status_code == 413


@pytest.mark.parametrize(
    "foreign", [{"livemode": True}, {"api_version": "2020-08-27"}, {"account": "acct_other"}], ids=str
)
def test_a_foreign_event_brings_nothing_and_is_seen(shop: Shop, foreign: dict[str, Any]):
    shop.order()

    assert shop.tell(event(PAID, session(), **foreign)) == ["ignored"]

    assert shop.credits == 0
    assert "billing.event_refused" in alerts(shop.app)


@pytest.mark.parametrize(
    "about",
    [
        {"id": "cs_pack"},
        session(amount_subtotal="999"),
        session(currency="dollars"),
        session(mode=None),
        session(total_details=["x"]),
    ],
    ids=range(5),
)
def test_a_signed_oddity_is_never_a_crash_and_never_a_grant(shop: Shop, about: dict[str, Any]):
    shop.order()

    assert shop.tell(event(PAID, about)) == ["retry"]

    assert shop.credits == 0


def test_an_order_of_the_other_provider_is_not_paid_by_this_one(shop: Shop):
    order = shop.order()
    with shop.app.app_context():
        shop_payment = db.session.get_one(type(shop.payment(order)), order)
        shop_payment.provider, shop_payment.object_id = "paystack", None
        db.session.commit()

    assert shop.tell(event(PAID, session(client_reference_id=order))) == ["ignored"]

    assert shop.credits == 0


def test_what_cannot_be_handled_is_given_up_in_the_end_and_can_be_replayed(shop: Shop):
    told = event(PAID, session(amount_subtotal="999"))
    shop.tell(told)
    for _ in range(7):
        shop.due()
    assert [row.state for row in stored(shop.app)] == ["dead"]
    assert "billing.event_dead" in alerts(shop.app)

    shop.order()
    with shop.app.app_context():
        row = inbox_service.find(told["id"])
        row.body = json.dumps(told | {"data": {"object": session()}}).encode()
        inbox_service.replay(event_row_id=row.id, actor="ada")
        db.session.commit()
        tasks.sweep()

    assert shop.credits == 100
    assert "billing.event_dead" not in alerts(shop.app)


def test_replaying_an_event_that_is_done_brings_nothing_more(shop: Shop):
    shop.order()
    told = event(PAID, session())
    shop.tell(told)

    with shop.app.app_context():
        inbox_service.replay(event_row_id=inbox_service.find(told["id"]).id, actor="ada")
        db.session.commit()
        tasks.sweep()

    assert shop.credits == 100


def test_an_alien_event_is_kept_and_left_alone(shop: Shop):
    assert shop.tell(event("payment_intent.succeeded", {"id": "pi_pack"}, created=NOON)) == ["done"]

    assert [row.note for row in stored(shop.app)] == ["No kind we act on."]
