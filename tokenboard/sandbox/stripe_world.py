"""Stripe's side of the sandbox as the acts see it: its objects, its time, the events that acts cause.

Time: the sandbox's own, moved by what the control API has added (`stripe|ahead`), as a test clock is. Signatures are
dated by the real clock, because the receiver compares with its own.
"""

from __future__ import annotations

import json
from typing import Any

from tokenboard.sandbox import stripe_shapes
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.payments import Payments, payments
from tokenboard.sandbox.stripe_form import Refusal, unknown_object
from tokenboard.sandbox.stripe_shapes import Body

AHEAD = "stripe|ahead_seconds"
KIND_PREFIX = "stripe."
DELAYED_SECONDS = 3 * 86_400  # how long a delayed payment method takes
INCOMPLETE_SECONDS = 23 * 3_600  # how long a first payment may wait for its person
_PREFIXES = {
    "checkout.session": "cs_test",
    "item": "li",
    "product": "prod",
    "price": "price",
    "customer": "cus",
    "payment_method": "pm",
    "payment_intent": "pi",
    "charge": "ch",
    "refund": "re",
    "dispute": "dp",
    "subscription": "sub",
    "subscription_item": "si",
    "invoice": "in",
    "line_item": "il",
    "invoice_payment": "inpay",
    "billing_portal.session": "bps",
    "event": "evt",
    "coupon": "coupon",
    "promotion_code": "promo",
    "webhook_endpoint": "we",
    "request": "req",
}


def due_at(thing: Body) -> int | None:
    """When something happens to this object by itself."""
    kind, status = thing["object"], thing.get("status")
    if kind == "checkout.session" and status == "open":
        return int(thing["expires_at"])
    if kind == "payment_intent" and status == "processing":
        return int(thing["created"]) + DELAYED_SECONDS
    if kind == "subscription" and status in ("active", "trialing", "past_due"):
        return int(thing["items"]["data"][0]["current_period_end"])
    if kind == "subscription" and status == "incomplete":
        return int(thing["created"]) + INCOMPLETE_SECONDS
    if kind == "invoice" and status in ("draft", "open"):
        moment = thing["automatically_finalizes_at"] if status == "draft" else thing["next_payment_attempt"]
        return None if moment is None else int(moment)
    return None


class World:
    """One request's view of Stripe. `now` only moves while time is caught up with."""

    def __init__(self, payments: Payments, now: int, base_url: str, idempotency_key: str | None = None) -> None:
        self.objects = payments.objects
        self.postman = payments.postman
        self.now = now
        self.base_url = base_url
        self.emitted: list[str] = []
        self._key = idempotency_key

    def new_id(self, kind: str) -> str:
        return f"{_PREFIXES[kind]}_Sbx{self.objects.next_number(kind):06d}"

    def page(self, path: str) -> str:
        """The address of a hosted page."""
        return f"{self.base_url}/stripe/{path}"

    def save(self, thing: Body) -> Body:
        self.objects.put(KIND_PREFIX + thing["object"], thing["id"], thing, due_at=due_at(thing))
        return thing

    def find(self, kind: str, object_id: Any, param: str = "id") -> Body:
        """Raises: Refusal when there is no such object."""
        found = self.objects.get(KIND_PREFIX + kind, str(object_id))
        if found is None:
            raise unknown_object(kind, str(object_id), param)
        return found

    def look(self, kind: str, object_id: Any) -> Body | None:
        return self.objects.get(KIND_PREFIX + kind, str(object_id)) if object_id else None

    def every(self, kind: str, **equal: Any) -> list[Body]:
        """The objects of a kind whose fields are these, newest first."""
        found = self.objects.listed(KIND_PREFIX + kind)
        return [one for one in found if all(one.get(name) == value for name, value in equal.items())]

    def private(self, thing: Body) -> Body:
        return self.objects.private(KIND_PREFIX + thing["object"], thing["id"])

    def note(self, thing: Body, **facts: Any) -> None:
        self.objects.note(KIND_PREFIX + thing["object"], thing["id"], **facts)

    def emit(self, kind: str, about: Body, previous: Body | None = None) -> None:
        """Something happened: it is listed, and sent where events are sent."""
        event = stripe_shapes.event(self.new_id("event"), kind, self.now, about, previous, self._key)
        if not self.postman.endpoint("stripe").url:
            event["pending_webhooks"] = 0
        self.save(event)
        self.postman.take("stripe", event["id"], kind, json.dumps(event, indent=2, ensure_ascii=False))
        self.emitted.append(event["id"])

    def change(self, thing: Body, event: str | None = None, **fields: Any) -> Body:
        """Change an object, keep it, and say what changed."""
        previous = {name: thing.get(name) for name, value in fields.items() if thing.get(name) != value}
        thing.update(fields)
        self.save(thing)
        if event is not None:
            self.emit(event, thing, previous)
        return thing


def stripe_time() -> int:
    """Stripe's time in this sandbox, as unix seconds."""
    return int(sandbox().now().timestamp()) + int(sandbox().store.setting(AHEAD) or 0)


def world(base_url: str, idempotency_key: str | None = None) -> World:
    return World(payments(), stripe_time(), base_url.rstrip("/"), idempotency_key)


def wanted(world: World, kind: str, object_id: Any, param: str) -> Body:
    """An object a parameter names: 400 instead of 404, as Stripe answers."""
    try:
        return world.find(kind, object_id, param)
    except Refusal as refusal:
        raise Refusal(400, str(refusal), code="resource_missing", param=param) from refusal
