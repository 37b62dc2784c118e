"""Stripe's events with the keys the pinned version sends, and how they are signed and delivered."""

from __future__ import annotations

import copy
import hashlib
import hmac
import itertools
import json
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.billing.stripe_stand_in import PAYSTACK_KEY, STRIPE_SECRET
from tokenboard.core.clock import now
from tokenboard.providers.stripe_events import API_VERSION

Body = dict[str, Any]
NOON = 1_793_577_600  # 2026-11-01 12:00 UTC, as in the examples
_numbers = itertools.count(1)


def event(kind: str, about: Body, *, created: int = NOON + 5, event_id: str = "", **more: Any) -> Body:
    """An event about an object; every call is another event."""
    return {
        "id": event_id or f"evt_test_{next(_numbers)}",
        "object": "event",
        "api_version": API_VERSION,
        "created": created,
        "data": {"object": copy.deepcopy(about)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    } | more


def session(session_id: str = "cs_pack", **facts: Any) -> Body:
    """A checkout session for a pack of 100 credits at 9.99, paid by card."""
    return {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": 999,
        "amount_total": 999,
        "client_reference_id": None,
        "created": NOON,
        "currency": "usd",
        "customer": "cus_alice",
        "expires_at": NOON + 86_400,
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_intent": "pi_pack",
        "payment_status": "paid",
        "status": "complete",
        "subscription": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "url": None,
    } | facts


def line(line_id: str, amount: int = 1_999, *, price: str = "price_month", start: int = NOON, **facts: Any) -> Body:
    """A line of a subscription's invoice."""
    is_proration = facts.pop("proration", False)
    item = facts.pop("item", "si_alice")
    details = {"subscription": "sub_alice", "subscription_item": item, "proration": is_proration, "invoice_item": None}
    return {
        "id": line_id,
        "object": "line_item",
        "amount": amount,
        "currency": "usd",
        "quantity": 1,
        "description": None,
        "discount_amounts": [],
        "period": {"start": start, "end": start + 2_592_000},
        "pricing": {"type": "price_details", "price_details": {"price": price, "product": "prod_month"}},
        "parent": {"type": "subscription_item_details", "subscription_item_details": details},
    } | facts


def invoice(invoice_id: str, lines: list[Body], reason: str = "subscription_cycle", **facts: Any) -> Body:
    """A paid invoice of Alice's plan."""
    amount = sum(one["amount"] for one in lines)
    parent = {
        "type": "subscription_details",
        "subscription_details": {"subscription": "sub_alice", "metadata": facts.pop("metadata", {})},
    }
    return {
        "id": invoice_id,
        "object": "invoice",
        "amount_due": amount,
        "amount_paid": amount,
        "attempt_count": 1,
        "billing_reason": reason,
        "created": NOON,
        "currency": "usd",
        "customer": "cus_alice",
        "hosted_invoice_url": f"https://invoice.stripe.com/{invoice_id}",
        "invoice_pdf": None,
        "lines": {"object": "list", "data": lines, "has_more": False},
        "next_payment_attempt": None,
        "number": None,
        "parent": parent,
        "status": "paid",
        "status_transitions": {"paid_at": NOON + 3},
        "total": amount,
    } | facts


def subscription(status: str, *, start: int = NOON, **facts: Any) -> Body:
    """Alice's monthly plan."""
    recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
    item = {
        "id": "si_alice",
        "price": {"id": "price_month", "product": "prod_month", "recurring": recurring},
        "current_period_start": start,
        "current_period_end": start + 2_592_000,
    }
    return {
        "id": "sub_alice",
        "object": "subscription",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "created": NOON,
        "currency": "usd",
        "customer": "cus_alice",
        "ended_at": None,
        "items": {"object": "list", "data": [item]},
        "latest_invoice": None,
        "metadata": {},
        "pause_collection": None,
        "status": status,
        "trial_end": None,
    } | facts


def charge(refunded: int, *, amount: int = 999, intent: str = "pi_pack") -> Body:
    return {
        "id": f"ch_{intent}",
        "object": "charge",
        "amount": amount,
        "amount_refunded": refunded,
        "currency": "usd",
        "customer": "cus_alice",
        "created": NOON,
        "disputed": False,
        "payment_intent": intent,
        "receipt_url": None,
        "refunded": refunded == amount,
        "status": "succeeded",
    }


def refund(refund_id: str, status: str, amount: int = 300, *, intent: str = "pi_pack") -> Body:
    return {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "charge": f"ch_{intent}",
        "created": NOON,
        "currency": "usd",
        "metadata": {},
        "payment_intent": intent,
        "status": status,
    }


def dispute(status: str, amount: int = 999, *, intent: str = "pi_pack") -> Body:
    return {
        "id": "dp_pack",
        "object": "dispute",
        "amount": amount,
        "charge": f"ch_{intent}",
        "created": NOON,
        "currency": "usd",
        "metadata": {},
        "payment_intent": intent,
        "reason": "fraudulent",
        "status": status,
    }


def signed(body: bytes, secret: str = STRIPE_SECRET, at: int | None = None) -> str:
    """Stripe's signature header over these bytes."""
    moment = int(now().timestamp()) if at is None else at
    mark = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mark}"


def deliver(app: Flask, told: Body, *, header: str | None = None, path: str = "/api/webhooks/stripe") -> TestResponse:
    """Send an event as Stripe does."""
    body = json.dumps(told).encode()
    headers = {"Stripe-Signature": signed(body) if header is None else header}
    return app.test_client().post(path, data=body, headers=headers, content_type="application/json")


def deliver_paystack(app: Flask, told: Body, *, key: str = PAYSTACK_KEY) -> TestResponse:
    """Send an event as Paystack does."""
    body = json.dumps(told).encode()
    mark = hmac.new(key.encode(), body, hashlib.sha512).hexdigest()
    headers = {"x-paystack-signature": mark}
    return app.test_client().post("/api/webhooks/paystack", data=body, headers=headers, content_type="application/json")
