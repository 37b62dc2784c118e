"""Stripe's customers and the sessions of their portal."""

from __future__ import annotations

from typing import Any

from tokenboard.sandbox import stripe_shapes
from tokenboard.sandbox.stripe_form import Params, merged, missing
from tokenboard.sandbox.stripe_shapes import Body
from tokenboard.sandbox.stripe_world import World, wanted


def create(world: World, params: Params) -> Body:
    made = stripe_shapes.customer(
        world.new_id("customer"), world.now, params.get("email"), params.get("name"), merged({}, params)
    )
    made["description"] = params.get("description")
    world.save(made)
    world.emit("customer.created", made)
    return made


def update(world: World, params: Params, customer_id: str) -> Body:
    found = world.find("customer", customer_id)
    fields: Body = {name: params[name] or None for name in ("email", "name", "description") if name in params}
    if "metadata" in params:
        fields["metadata"] = merged(found["metadata"], params)
    settings = params.get("invoice_settings")
    if isinstance(settings, dict) and settings.get("default_payment_method"):
        method = wanted(world, "payment_method", settings["default_payment_method"], "invoice_settings")
        fields["invoice_settings"] = found["invoice_settings"] | {"default_payment_method": method["id"]}
    return world.change(found, "customer.updated", **fields)


def delete(world: World, customer_id: str) -> Body:
    """Gone for good: its subscriptions end, a read gives a stub."""
    from_life = world.find("customer", customer_id)
    stub: Body = {"id": customer_id, "object": "customer", "deleted": True}
    world.save(stub)
    world.emit("customer.deleted", from_life)
    return stub


def open_portal(world: World, params: Params) -> Body:
    customer_id: Any = params.get("customer")
    if not customer_id:
        raise missing("customer")
    wanted(world, "customer", customer_id, "customer")
    session_id = world.new_id("billing_portal.session")
    made = stripe_shapes.portal_session(
        session_id, world.now, customer_id, params.get("return_url"), world.page(f"portal/{session_id}")
    )
    return world.save(made)
