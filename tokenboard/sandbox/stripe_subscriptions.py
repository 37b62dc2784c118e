"""Subscriptions of the sandbox: begun by checkout, renewed by time, switched, cancelled, lost.

Laws: months are counted from the billing anchor (31 January renews on 28 February and 31 March); a switch between
intervals begins a new full period at once, a switch within one is prorated; cancelled at period end means served until
then.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any

from tokenboard.sandbox import stripe_invoices, stripe_long_shapes as shapes, stripe_payments
from tokenboard.sandbox.stripe_catalogue import shown_amount
from tokenboard.sandbox.stripe_invoices import Row
from tokenboard.sandbox.stripe_shapes import DAY_SECONDS, Body
from tokenboard.sandbox.stripe_world import World

_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}
_PERIODS_MAX = 1_200


def nth_period(anchor: int, repeats: Body, count: int) -> int:
    """When the `count`th period after the anchor begins."""
    steps = count * int(repeats["interval_count"])
    if repeats["interval"] in _DAYS:
        return anchor + steps * _DAYS[repeats["interval"]] * DAY_SECONDS
    begun = datetime.fromtimestamp(anchor, UTC)
    index = begun.year * 12 + begun.month - 1 + steps * _MONTHS[repeats["interval"]]
    year, month = index // 12, index % 12 + 1
    day = min(begun.day, calendar.monthrange(year, month)[1])
    return int(begun.replace(year=year, month=month, day=day).timestamp())


def end_of_period(anchor: int, repeats: Body, start: int) -> int:
    """The first period boundary after `start`."""
    for count in range(1, _PERIODS_MAX):
        moment = nth_period(anchor, repeats, count)
        if moment > start:
            return moment
    raise AssertionError("a subscription of the sandbox does not run for a century")


def begin(
    world: World,
    customer_id: str,
    sold: list[tuple[Body, int]],
    metadata: dict[str, str],
    method: Body,
    *,
    trial_days: int | None,
    discount: int,
    is_taxed: bool,
    is_paid: bool = True,
) -> Body:
    """A new subscription and its first invoice. `is_paid` false: it waits, incomplete, for its person."""
    subscription_id = world.new_id("subscription")
    repeats = sold[0][0]["recurring"]
    days = trial_days or repeats["trial_period_days"]
    end = world.now + days * DAY_SECONDS if days else end_of_period(world.now, repeats, world.now)
    items = [
        shapes.subscription_item(
            world.new_id("subscription_item"), world.now, subscription_id, price, quantity, world.now, end
        )
        for price, quantity in sold
    ]
    made = shapes.subscription(subscription_id, world.now, customer_id, sold[0][0]["currency"], items, metadata)
    made["automatic_tax"]["enabled"] = is_taxed
    if days:
        made |= {"status": "trialing", "trial_start": world.now, "trial_end": end, "billing_cycle_anchor": end}
    world.save(made)
    first = _first_invoice(world, made, discount, is_trial=bool(days))
    made["latest_invoice"] = first["id"]
    world.save(made)
    world.emit("customer.subscription.created", made)
    if not is_paid:
        stripe_invoices.collect(world, first, method)
        return made
    stripe_invoices.collect(world, first, method, is_present=True)
    status = "trialing" if days else "active"
    return world.change(made, "customer.subscription.updated", status=status, default_payment_method=method["id"])


def _first_invoice(world: World, subscription: Body, discount: int, *, is_trial: bool) -> Body:
    rows = _period_rows(world, subscription)
    if is_trial:
        rows = [
            Row(row.price, row.quantity, 0, f"Trial period for {row.description}", row.period, row.subscription_item)
            for row in rows
        ]
    return stripe_invoices.draw_up(
        world,
        subscription["customer"],
        "subscription_create",
        rows,
        subscription=subscription,
        discount=0 if is_trial else discount,
        currency=subscription["currency"],
    )


def _period_rows(world: World, subscription: Body) -> list[Row]:
    """One row for each item's running period."""
    return [
        Row(
            price=item["price"],
            quantity=item["quantity"],
            amount=item["price"]["unit_amount"] * item["quantity"],
            description=described(world, item),
            period=(item["current_period_start"], item["current_period_end"]),
            subscription_item=item["id"],
        )
        for item in subscription["items"]["data"]
    ]


def described(world: World, item: Body) -> str:
    """An item as an invoice words it."""
    sold = item["price"]
    amount = shown_amount(sold["unit_amount"], sold["currency"])
    product = world.look("product", sold["product"])
    name = product["name"] if product else sold["product"]
    return f"{item['quantity']} × {name} (at {amount} / {sold['recurring']['interval']})"


def fall_due(world: World, subscription: Body) -> None:
    """The end of a period, of a trial, or of the wait for a first payment."""
    if subscription["status"] == "incomplete":
        _expire(world, subscription)
    elif subscription["cancel_at_period_end"]:
        end(world, subscription)
    else:
        _renew(world, subscription)


def _expire(world: World, subscription: Body) -> None:
    stripe_invoices.close(world, world.find("invoice", subscription["latest_invoice"]), "void")
    world.change(subscription, "customer.subscription.updated", status="incomplete_expired", ended_at=world.now)


def _renew(world: World, subscription: Body) -> None:
    old = [
        {key: item[key] for key in ("id", "current_period_start", "current_period_end")}
        for item in subscription["items"]["data"]
    ]
    previous: Body = {"latest_invoice": subscription["latest_invoice"], "items": {"data": old}}
    if subscription["status"] == "trialing":
        previous["status"], subscription["status"] = "trialing", "active"
    for item in subscription["items"]["data"]:
        start = item["current_period_end"]
        item["current_period_start"] = start
        item["current_period_end"] = end_of_period(
            subscription["billing_cycle_anchor"], item["price"]["recurring"], start
        )
    pending = [_row_of(kept) for kept in world.private(subscription).get("pending", [])]
    world.note(subscription, pending=[])
    drawn = stripe_invoices.draw_up(
        world,
        subscription["customer"],
        "subscription_cycle",
        [*pending, *_period_rows(world, subscription)],
        subscription=subscription,
        currency=subscription["currency"],
        is_draft=True,
    )
    # An invoice's own period is the one that has passed; what is bought stands on its lines.
    drawn |= {"period_start": old[0]["current_period_start"], "period_end": old[0]["current_period_end"]}
    world.save(drawn)
    subscription["latest_invoice"] = drawn["id"]
    world.save(subscription)
    world.emit("customer.subscription.updated", subscription, previous)


def _row_of(kept: Body) -> Row:
    return Row(**(kept | {"period": tuple(kept["period"])}))


def invoice_due(world: World, invoice: Body) -> None:
    """A draft's hour is over, or it is time to try again."""
    subscription = subscription_of(world, invoice)
    paused = subscription["pause_collection"] if subscription else None
    if invoice["status"] == "draft":
        stripe_invoices.finalize(world, invoice)
        if paused:
            stripe_invoices.close(world, invoice, "void" if paused["behavior"] == "void" else "uncollectible")
            return
    method = stripe_payments.default_card(world, invoice["customer"])
    if stripe_invoices.collect(world, invoice, method):
        paid(world, invoice)
    elif subscription:
        _behind(world, subscription, invoice)


def subscription_of(world: World, invoice: Body) -> Body | None:
    parent = invoice["parent"]
    return world.look("subscription", parent["subscription_details"]["subscription"]) if parent else None


def paid(world: World, invoice: Body) -> None:
    """An invoice came right: so does its subscription."""
    subscription = subscription_of(world, invoice)
    if subscription and subscription["status"] in ("past_due", "incomplete", "unpaid"):
        world.change(subscription, "customer.subscription.updated", status="active")


def _behind(world: World, subscription: Body, invoice: Body) -> None:
    if invoice["next_payment_attempt"] is None:
        stripe_invoices.close(world, invoice, "uncollectible")
        end(world, subscription, "payment_failed")
    elif subscription["status"] == "active":
        world.change(subscription, "customer.subscription.updated", status="past_due")


def end(world: World, subscription: Body, reason: str = "cancellation_requested") -> Body:
    """It is over, now."""
    told = {"comment": None, "feedback": None, "reason": reason}
    subscription |= {"status": "canceled", "ended_at": world.now, "cancellation_details": told}
    subscription["canceled_at"] = subscription["canceled_at"] or world.now
    world.save(subscription)
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def cancel_at_period_end(world: World, subscription: Body, wanted: bool) -> Body:
    """Cancel at the end of the period, or take that back."""
    if subscription["cancel_at_period_end"] == wanted:
        return subscription
    fields: dict[str, Any] = {"cancel_at_period_end": wanted, "cancel_at": None, "canceled_at": None}
    if wanted:
        fields |= {"cancel_at": subscription["items"]["data"][0]["current_period_end"], "canceled_at": world.now}
    return world.change(subscription, "customer.subscription.updated", **fields)
