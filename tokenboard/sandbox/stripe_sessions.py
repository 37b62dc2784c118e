"""Checkout sessions of the sandbox: made by the API, paid on the hosted page or by the control API.

Laws: a session is completed once; a declined card leaves it open; a delayed method completes it unpaid and decides
later; a total of zero needs no payment intent.
"""

from __future__ import annotations

from typing import Any

from tokenboard.sandbox import (
    stripe_customers,
    stripe_invoices,
    stripe_long_shapes as shapes,
    stripe_payments,
    stripe_shapes,
    stripe_subscriptions,
)
from tokenboard.sandbox.stripe_catalogue import discount_of, inline_price
from tokenboard.sandbox.stripe_form import Params, Refusal, choice, flag, merged, missing, whole
from tokenboard.sandbox.stripe_payments import CARDS, Declined
from tokenboard.sandbox.stripe_shapes import Body, listing
from tokenboard.sandbox.stripe_world import World, wanted

DELAYED = ("debit_succeeds", "debit_fails")
METHODS = (*CARDS, *DELAYED)
_EXPIRES_LEAST, _EXPIRES_MOST = 30 * 60, 24 * 3_600
_LINES_MAX = 100


def create(world: World, params: Params) -> Body:
    mode = choice(params, "mode", ("payment", "subscription"), "")
    if not params.get("success_url"):
        raise missing("success_url")
    sold = _sold(world, params, mode)
    session_id = world.new_id("checkout.session")
    made = shapes.checkout_session(session_id, world.now, mode, sold[0][0]["currency"], world.page(f"pay/{session_id}"))
    plain = ("success_url", "cancel_url", "client_reference_id", "customer_email", "submit_type", "locale")
    made |= {name: params[name] for name in plain if params.get(name)}
    made["metadata"] = merged({}, params)
    made["allow_promotion_codes"] = flag(params, "allow_promotion_codes")
    made["expires_at"] = _expiry(world, params)
    made["automatic_tax"]["enabled"] = flag(params.get("automatic_tax") or {}, "enabled") is True
    made["invoice_creation"]["enabled"] = flag(params.get("invoice_creation") or {}, "enabled") is True
    if params.get("customer"):
        known = wanted(world, "customer", params["customer"], "customer")
        if known.get("deleted"):
            raise Refusal(400, f"No such customer: '{known['id']}'", code="resource_missing", param="customer")
        made |= {"customer": known["id"], "customer_details": shapes.customer_details(known["email"])}
    given = (params.get("discounts") or [{}])[0]
    if given and made["allow_promotion_codes"]:
        raise Refusal(400, "You may only specify one of these parameters: allow_promotion_codes, discounts.")
    lines = [
        shapes.line_item(world.new_id("item"), price, quantity, 0, 0, _title(world, price)) for price, quantity in sold
    ]
    _priced(world, made, lines, given.get("promotion_code"), given.get("coupon"))
    world.save(made)
    intent_data, subscription_data = params.get("payment_intent_data") or {}, params.get("subscription_data") or {}
    world.note(
        made,
        lines=lines,
        saves_card=bool(intent_data.get("setup_future_usage")),
        intent_metadata=merged({}, intent_data),
        subscription_metadata=merged({}, subscription_data),
        trial_days=whole(subscription_data, "trial_period_days", most=730),
    )
    return made


def _sold(world: World, params: Params, mode: str) -> list[tuple[Body, int]]:
    lines = params.get("line_items")
    if not isinstance(lines, list) or not 1 <= len(lines) <= _LINES_MAX:
        raise missing("line_items")
    return [_one_sold(world, line, number, mode) for number, line in enumerate(lines)]


def _one_sold(world: World, line: Params, number: int, mode: str) -> tuple[Body, int]:
    param = f"line_items[{number}][price]"
    if isinstance(line.get("price_data"), dict):
        price = inline_price(world, line["price_data"])
    else:
        price = wanted(world, "price", line.get("price"), param)
        if not price["active"]:
            words = f"The price specified is inactive. This field only accepts active prices: {price['id']}"
            raise Refusal(400, words, param=param)
    if price["unit_amount"] is None:
        raise Refusal(400, "The sandbox sells prices with a unit amount only.", param=param)
    if mode == "payment" and price["recurring"]:
        raise Refusal(400, "You specified `payment` mode but passed a recurring price.", param=param)
    if mode == "subscription" and not price["recurring"]:
        raise Refusal(400, "You must provide at least one recurring price in `subscription` mode.", param=param)
    quantity = whole(line, "quantity", least=1, most=999_999)
    if quantity is None:
        raise missing(f"line_items[{number}][quantity]")
    return price, quantity


def _title(world: World, price: Body) -> str:
    found = world.look("product", price["product"])
    return str(found["name"]) if found else str(price["product"])


def _expiry(world: World, params: Params) -> int:
    moment = whole(params, "expires_at", most=10_000_000_000)
    if moment is None:
        return world.now + _EXPIRES_MOST
    if not world.now + _EXPIRES_LEAST - 60 <= moment <= world.now + _EXPIRES_MOST + 60:
        words = "The `expires_at` timestamp must be from 30 minutes to 24 hours after Checkout Session creation."
        raise Refusal(400, words, param="expires_at")
    return moment


def _priced(world: World, session: Body, lines: list[Body], code_id: str | None, coupon_id: str | None) -> None:
    """What everything costs, with the discount on the first lines and the tax on what is left."""
    subtotal = sum(line["amount_subtotal"] for line in lines)
    discount = left = discount_of(world, subtotal, code_id, coupon_id)
    for line in lines:
        line["amount_discount"] = min(left, line["amount_subtotal"])
        left -= line["amount_discount"]
        net = line["amount_subtotal"] - line["amount_discount"]
        line["amount_tax"] = stripe_invoices.tax_on(net) if session["automatic_tax"]["enabled"] else 0
        line["amount_total"] = net + line["amount_tax"]
    tax = sum(line["amount_tax"] for line in lines)
    session |= {"amount_subtotal": subtotal, "amount_total": subtotal - discount + tax}
    session["total_details"] = {"amount_discount": discount, "amount_shipping": 0, "amount_tax": tax}
    session["discounts"] = [{"coupon": coupon_id, "promotion_code": code_id}] if code_id or coupon_id else []


def line_items(world: World, session: Body) -> Body:
    lines = world.private(session)["lines"]
    return listing(lines, f"/v1/checkout/sessions/{session['id']}/line_items")


def redeem(world: World, session: Body, code: str) -> bool:
    """Enter a promotion code on the page; whether it is one."""
    found = [one for one in world.every("promotion_code", active=True) if one["code"].lower() == code.strip().lower()]
    if session["status"] != "open" or not session["allow_promotion_codes"] or not found:
        return False
    lines = world.private(session)["lines"]
    _priced(world, session, lines, found[0]["id"], None)
    world.save(session)
    world.note(session, lines=lines)
    return True


def expire(world: World, session: Body) -> Body:
    if session["status"] != "open":
        words = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        raise Refusal(400, f"{words} This Checkout Session has a status of {session['status']}.")
    session |= {"status": "expired", "url": None}
    world.save(session)
    world.emit("checkout.session.expired", session)
    return session


def pay(world: World, session: Body, method: str) -> Body:
    """What pressing *Pay* does, the person having agreed to whatever the bank asked. Raises: Declined."""
    if session["status"] != "open":
        return session  # the second tab and the second click change nothing
    facts = world.private(session)
    is_free = session["amount_total"] == 0
    if not is_free and method not in DELAYED and CARDS[method].present not in ("pays", "asks"):
        raise refuse(world, session, method)
    _customer(world, session, is_needed=session["mode"] == "subscription" or facts["saves_card"])
    if session["mode"] == "subscription":
        return _subscribe(world, session, facts, method)
    if is_free:
        return _complete(world, session, "no_payment_required")
    intent = _intent(world, session)
    if method in DELAYED:
        return _pay_later(world, session, intent, method)
    method_id = stripe_payments.save_card(world, session["customer"], method) if facts["saves_card"] else None
    details = {"type": "card", "card": stripe_shapes.card_facts(CARDS[method].last4)}
    stripe_payments.succeed(world, intent, method_id or world.new_id("payment_method"), details)
    _bill(world, session, intent)
    return _complete(world, session, "paid", payment_intent=intent["id"])


def refuse(world: World, session: Body, method: str) -> Declined:
    """The card is refused: the intent fails, the session stays open."""
    reason = CARDS[method].present
    return stripe_payments.fail(world, _intent(world, session), "generic_decline" if reason == "asks" else reason)


def _intent(world: World, session: Body) -> Body:
    known = world.look("payment_intent", world.private(session).get("intent"))
    if known:
        return known
    metadata = world.private(session)["intent_metadata"]
    made = stripe_payments.new_intent(
        world, session["amount_total"], session["currency"], session["customer"], metadata
    )
    world.note(session, intent=made["id"])
    return made


def _customer(world: World, session: Body, *, is_needed: bool) -> None:
    if session["customer"] is None and is_needed:
        made = stripe_customers.create(world, {"email": session["customer_email"] or "buyer@example.com"})
        session["customer"] = made["id"]
    if session["customer_details"] is None:
        session["customer_details"] = shapes.customer_details(session["customer_email"])


def _complete(world: World, session: Body, payment_status: str, **fields: Any) -> Body:
    session |= {"status": "complete", "payment_status": payment_status, "url": None, **fields}
    world.save(session)
    world.emit("checkout.session.completed", session)
    return session


def _bill(world: World, session: Body, intent: Body) -> None:
    """A paid invoice beside a one-time payment, when the session asks for one: its events must grant nothing."""
    if not session["invoice_creation"]["enabled"]:
        return
    _customer(world, session, is_needed=True)
    rows = [
        stripe_invoices.Row(
            line["price"], line["quantity"], line["amount_total"], line["description"], (world.now, world.now)
        )
        for line in world.private(session)["lines"]
    ]
    drawn = stripe_invoices.draw_up(world, session["customer"], "manual", rows, currency=session["currency"])
    stripe_invoices.settle(world, drawn, intent["id"])
    session["invoice"] = drawn["id"]


def leave_incomplete(world: World, session: Body) -> Body:
    """A first payment that asks its person, who never answers: the subscription waits, incomplete."""
    _customer(world, session, is_needed=True)
    return _begun(world, session, world.private(session), "authenticates_later", is_paid=False)


def _subscribe(world: World, session: Body, facts: Body, method: str) -> Body:
    made = _begun(world, session, facts, "success" if method in DELAYED else method, is_paid=True)
    is_free = made["status"] == "trialing" or session["amount_total"] == 0
    status = "no_payment_required" if is_free else "paid"
    return _complete(world, session, status, subscription=made["id"], invoice=made["latest_invoice"])


def _begun(world: World, session: Body, facts: Body, card: str, *, is_paid: bool) -> Body:
    method_id = stripe_payments.save_card(world, session["customer"], card)
    return stripe_subscriptions.begin(
        world,
        session["customer"],
        [(line["price"], line["quantity"]) for line in facts["lines"]],
        facts["subscription_metadata"],
        world.find("payment_method", method_id),
        trial_days=facts["trial_days"],
        discount=session["total_details"]["amount_discount"],
        is_taxed=session["automatic_tax"]["enabled"],
        is_paid=is_paid,
    )


def _pay_later(world: World, session: Body, intent: Body, method: str) -> Body:
    world.note(session, later=method)
    world.note(intent, session=session["id"])
    world.change(intent, "payment_intent.processing", status="processing")
    return _complete(world, session, "unpaid", payment_intent=intent["id"])


def settle(world: World, intent: Body, outcome: str | None = None) -> None:
    """A delayed method decides: as it was chosen on the page, or as told here (`succeeds`, `fails`)."""
    session = world.find("checkout.session", world.private(intent)["session"])
    chosen = outcome or world.private(session)["later"].removeprefix("debit_")
    if chosen == "fails":
        stripe_payments.fail(world, intent, "generic_decline")
        world.emit("checkout.session.async_payment_failed", session)
        return
    details = {"type": "us_bank_account", "us_bank_account": {"bank_name": "STRIPE TEST BANK", "last4": "6789"}}
    stripe_payments.succeed(world, intent, world.new_id("payment_method"), details)
    world.change(session, payment_status="paid")
    world.emit("checkout.session.async_payment_succeeded", session)
