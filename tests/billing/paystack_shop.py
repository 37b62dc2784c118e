"""Paystack's side of the small shop: orders, what `verify` says, events and lists, with the keys Paystack sends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.billing.events import NOON
from tests.billing.shop import PACK, Shop
from tokenboard.accounts.models import Person
from tokenboard.billing import catalogue_queries, order_service
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.providers import paystack_answers as read
from tokenboard.providers.paystack_objects import PaystackRefund, PaystackStatus, PaystackTransaction
from tokenboard.workspaces.models import Workspace


def paystack_order(shop: Shop, number: int = 1) -> str:
    """Alice has ordered the pack of 9.99 through Paystack; the reference."""
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


def verified(
    reference: str, number: int = 1, amount: int = 999, status: PaystackStatus = PaystackStatus.SUCCEEDED
) -> PaystackTransaction:
    """What Paystack answers when it is asked about a payment."""
    return PaystackTransaction(
        id=number,
        reference=reference,
        status=status,
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


def paystack_paid(shop: Shop, number: int = 1) -> str:
    """An order that Paystack calls paid; the reference."""
    reference = paystack_order(shop, number)
    shop.providers.paystack().verified[reference] = verified(reference, number)
    return reference


def charge_success(reference: str, number: int = 1, status: str = "success") -> dict[str, Any]:
    about = {"id": number, "domain": "test", "status": status, "reference": reference, "amount": 999}
    return {"event": "charge.success", "data": about | {"currency": "USD", "metadata": ""}}


def listed_refund(refund_id: int, reference: str | None, status: str, amount: int = 300, **more: Any) -> PaystackRefund:
    """A refund as the list tells it; without a reference as older answers do, by the payment's number only."""
    told = {"id": refund_id, "transaction": 1, "transaction_reference": reference, "status": status}
    return read.refund(told | {"amount": amount, "currency": "USD", "createdAt": now().isoformat()} | more)


def refund_event(reference: str, status: str, refund_reference: str | None = None) -> dict[str, Any]:
    about = {"status": status, "transaction_reference": reference, "refund_reference": refund_reference}
    return {"event": f"refund.{status}", "data": about | {"amount": "300", "currency": "USD", "domain": "test"}}


def dispute_event(reference: str, act: str, status: str, resolution: str | None = None, **more: Any) -> dict[str, Any]:
    paid_for = {"id": 1, "reference": reference, "status": "success", "amount": 999, "domain": "test"}
    about = {"id": 358_950, "domain": "test", "refund_amount": 999, "currency": "USD", "status": status}
    return {
        "event": f"charge.dispute.{act}",
        "data": about | {"resolution": resolution, "transaction": paid_for, "dueAt": None} | more,
    }
