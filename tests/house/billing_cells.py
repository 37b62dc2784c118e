"""Samples of billing's routes: a pack of the sandbox's catalogue, an order of the team, an event, a code."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.house.sampled import Sampled
from tests.people import People
from tokenboard.billing import catalogue_service, promo_service
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.models import Payment, Refund
from tokenboard.billing.promo_rules import BatchWish
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token
from tokenboard.core.db import db, new_id
from tokenboard.providers.stripe_objects import Price, Product

_PACK = "price_SbxPack100"
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def billing_samples(people: People) -> dict[str, Sampled]:
    """By the map's own spelling."""
    with people.app.app_context():
        payment_id, paid_id, event_id, code, refund_id, batch_id = _rows(people)
    form = {"workspace_id": people.team_id}
    team = {"workspaceId": people.team_id}
    bought = {"packageId": _PACK, "idempotencyKey": new_token()} | team
    rule = {"enabled": False, "thresholdCredits": 5, "packageId": _PACK, "monthlyCapCents": 500}
    return {
        "POST /api/billing/checkout": Sampled(json=bought, names_workspace=True),
        "POST /api/billing/checkout-session": Sampled(
            json={"priceId": _PACK, "idempotencyKey": new_token()} | team, names_workspace=True
        ),
        "GET /api/billing/portal-link": Sampled(query=team, names_workspace=True),
        "POST /api/billing/portal-link": Sampled(json=team, names_workspace=True),
        "POST /api/credits/buy": Sampled(json=bought, names_workspace=True),
        "GET /api/subscription": Sampled(query=team, names_workspace=True),
        "POST /api/checkout/start": Sampled(json=bought, names_workspace=True),
        "POST /api/checkout/mpesa": Sampled(json=bought | {"phone": "0712345678"}, names_workspace=True),
        "GET /api/checkout/:reference": Sampled((payment_id,), names_workspace=True),
        "GET /api/billing/payments": Sampled(query=team, names_workspace=True),
        "POST /credits/buy": Sampled(form=form, names_workspace=True),
        "POST /credits/subscribe": Sampled(form=form, names_workspace=True),
        "POST /credits/redeem": Sampled(form=form | {"code": code}, names_workspace=True),
        "POST /credits/auto-topup": Sampled(form=form, names_workspace=True),
        "GET /credits/payments.csv": Sampled(query=form, names_workspace=True),
        "GET /credits/payments/:id": Sampled((payment_id,), names_workspace=True),
        "POST /credits/payments/:id/again": Sampled((payment_id,), names_workspace=True),
        "GET /credits/payments/:id/receipt": Sampled((paid_id,), names_workspace=True),
        "GET /subscription": Sampled(query=form, names_workspace=True),
        "POST /subscription/portal": Sampled(form=form, names_workspace=True),
        "POST /credits/payments/:id/check": Sampled((payment_id,), names_workspace=True),
        "POST /api/credits/redeem": Sampled(json={"code": code} | team, names_workspace=True),
        "GET /api/credits/auto-topup": Sampled(query=team, names_workspace=True),
        "PUT /api/credits/auto-topup": Sampled(json=rule | team, names_workspace=True),
        "GET /admin/payments/:id": Sampled((payment_id,)),
        "POST /admin/promo-codes": Sampled(form={"name": "matrix"}),
        "GET /admin/promo-codes/:id": Sampled((batch_id,)),
        "GET /admin/promo-codes/:id/codes.csv": Sampled((batch_id,)),
        "POST /admin/promo-codes/:id/stored": Sampled((batch_id,)),
        "POST /admin/promo-codes/:id/end": Sampled((batch_id,)),
        "POST /api/admin/promo-codes": Sampled(json={"name": "m2", "credits": 1, "idempotencyKey": new_token()}),
        "POST /api/admin/promo-codes/:id/end": Sampled((batch_id,)),
        "GET /admin/webhooks/:id": Sampled((event_id,)),
        "POST /admin/webhooks/:id/replay": Sampled((event_id,)),
        "POST /admin/webhooks/replay-dead": Sampled(form={"count": "1"}),
        "POST /admin/alerts/:id/resolve": Sampled((event_id,)),
        "POST /admin/payments/:id/check": Sampled((payment_id,)),
        "POST /admin/payments/:id/refund": Sampled((payment_id,)),
        "POST /admin/payments/:id/refunds/:id/ask": Sampled((payment_id, refund_id)),
        "POST /api/admin/payments/:id/refund": Sampled((payment_id,), json={"amountCents": 1}),
        "POST /api/admin/webhooks/:id/replay": Sampled((event_id,)),
    }


def _rows(people: People) -> tuple[str, ...]:
    product = Product("prod_SbxPack100", "100 credits", None, True, {"includedCredits": "100"})
    catalogue_service.learn_product(product=product, at=_LONG_AGO)
    price = Price(_PACK, product.id, product, "usd", 100, True, None, 0, None, "per_unit", None, None, None, {}, None)
    catalogue_service.learn_price(price=price, at=_LONG_AGO)
    payment, paid = _payment(people), _payment(people)
    paid.state, paid.paid_at, paid.charged_minor = "paid", now(), 100
    event = InboxEvent(
        provider="stripe", event_id=new_token(), type="none", created_at=now(), is_live=False, body=b"{}", state="done"
    )
    db.session.add_all([payment, paid, event])
    db.session.flush()
    facts = {"provider": "stripe", "provider_id": new_token(), "currency": "usd", "told_at": now()}
    refund = Refund(payment_id=payment.id, amount_minor=1, state="failed", **facts)
    db.session.add(refund)
    wish = BatchWish("matrix", 1, credits_micros=1_000_000)
    _, codes = promo_service.make_batch(wish=wish, actor="matrix")
    shown, _ = promo_service.make_batch(wish=wish, actor=people.ada.id, batch_id=new_id())
    db.session.commit()
    return payment.id, paid.id, event.id, codes[0], refund.id, shown.id


def _payment(people: People) -> Payment:
    return Payment(
        workspace_id=people.team_id,
        provider="stripe",
        kind="pack",
        intent_key=new_token(),
        amount_minor=100,
        currency="usd",
        credits_micros=100_000_000,
    )
