"""A subscription changes its price, its pause or its metadata: what `POST /v1/subscriptions/{id}` does."""

from __future__ import annotations

from dataclasses import asdict

from tokenboard.sandbox import stripe_invoices, stripe_long_shapes as shapes, stripe_payments
from tokenboard.sandbox.stripe_form import Params, Refusal, choice, flag, merged, whole
from tokenboard.sandbox.stripe_invoices import Row
from tokenboard.sandbox.stripe_shapes import Body
from tokenboard.sandbox.stripe_subscriptions import cancel_at_period_end, described, end_of_period
from tokenboard.sandbox.stripe_world import World, wanted

_PRORATIONS = ("create_prorations", "always_invoice", "none")


def update(world: World, params: Params, subscription_id: str) -> Body:
    found = world.find("subscription", subscription_id)
    if found["status"] in ("canceled", "incomplete_expired"):
        raise Refusal(400, "A canceled subscription can only update its cancellation_details and metadata.")
    if (is_ending := flag(params, "cancel_at_period_end")) is not None:
        cancel_at_period_end(world, found, is_ending)
    if "pause_collection" in params:
        told = params["pause_collection"]
        paused = {"behavior": told["behavior"], "resumes_at": None} if isinstance(told, dict) else None
        world.change(found, "customer.subscription.updated", pause_collection=paused)
    if "metadata" in params:
        world.change(found, "customer.subscription.updated", metadata=merged(found["metadata"], params))
    if "items" in params:
        anchor = choice(params, "billing_cycle_anchor", ("now", "unchanged"), "unchanged")
        prorations = choice(params, "proration_behavior", _PRORATIONS, "create_prorations")
        switch(world, found, params["items"][0], prorations, is_anew=anchor == "now")
    return found


def switch(world: World, subscription: Body, told: Params, prorations: str, *, is_anew: bool = False) -> Body:
    """Another price or quantity for the subscription's item."""
    item = subscription["items"]["data"][0]
    if told.get("id", item["id"]) != item["id"]:
        raise Refusal(400, "No such subscription item.", param="items[0][id]")
    sold = wanted(world, "price", told.get("price", item["price"]["id"]), "items[0][price]")
    if not sold["active"] or not sold["recurring"]:
        raise Refusal(400, "The price specified is inactive or does not recur.", param="items[0][price]")
    quantity = whole(told, "quantity", least=1) or item["quantity"]
    changed = shapes.with_price(item, sold) | {"quantity": quantity}
    is_anew = is_anew or sold["recurring"]["interval"] != item["price"]["recurring"]["interval"]
    is_running = subscription["status"] in ("active", "past_due")
    rows = _credit_rows(world, subscription, item) if prorations != "none" and is_running else []
    if is_anew and is_running:
        changed |= {"current_period_start": world.now}
        changed["current_period_end"] = end_of_period(world.now, sold["recurring"], world.now)
        subscription["billing_cycle_anchor"] = world.now
        rows.append(_row(world, changed, changed["price"]["unit_amount"] * quantity, is_proration=False))
    elif rows:
        rows.append(_row(world, changed, _remaining(world.now, changed), is_proration=True))
    previous = {"items": {"data": [{"id": item["id"], "price": item["price"], "quantity": item["quantity"]}]}}
    subscription["items"]["data"][0] = changed
    world.save(subscription)
    if rows and (is_anew or prorations == "always_invoice"):
        _invoice_now(world, subscription, rows)
    elif rows:
        kept = world.private(subscription).get("pending", [])
        world.note(subscription, pending=[*kept, *(asdict(row) for row in rows)])
    world.emit("customer.subscription.updated", subscription, previous)
    return subscription


def _remaining(now: int, item: Body) -> int:
    """What the rest of the running period costs at an item's price, half up."""
    start, end = item["current_period_start"], item["current_period_end"]
    whole_amount = item["price"]["unit_amount"] * item["quantity"]
    return int((2 * whole_amount * (end - now) + (end - start)) // (2 * (end - start)))


def _row(world: World, item: Body, amount: int, *, is_proration: bool) -> Row:
    words = f"Remaining time on {described(world, item)}" if is_proration else described(world, item)
    period = (world.now, item["current_period_end"])
    return Row(item["price"], item["quantity"], amount, words, period, item["id"], is_proration)


def _credit_rows(world: World, subscription: Body, item: Body) -> list[Row]:
    """What was paid for and is not used any more."""
    unused = _remaining(world.now, item)
    latest = world.find("invoice", subscription["latest_invoice"])
    lines = [line["id"] for line in latest["lines"]["data"]]
    credited = {"invoice": latest["id"], "invoice_line_items": lines}
    words = f"Unused time on {described(world, item)}"
    period = (world.now, item["current_period_end"])
    return [Row(item["price"], item["quantity"], -unused, words, period, item["id"], True, credited)]


def _invoice_now(world: World, subscription: Body, rows: list[Row]) -> None:
    drawn = stripe_invoices.draw_up(
        world,
        subscription["customer"],
        "subscription_update",
        rows,
        subscription=subscription,
        currency=subscription["currency"],
    )
    subscription["latest_invoice"] = drawn["id"]
    world.save(subscription)
    if not stripe_invoices.collect(world, drawn, stripe_payments.default_card(world, subscription["customer"])):
        world.change(subscription, "customer.subscription.updated", status="past_due")
