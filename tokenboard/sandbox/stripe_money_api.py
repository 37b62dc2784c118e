"""Stripe's API in the sandbox, second part: invoices, payments, refunds, disputes, events, webhook endpoints."""

from __future__ import annotations

from dataclasses import replace

from tokenboard.sandbox import stripe_payments, stripe_reversals
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.payments import STRIPE_WEBHOOK_SECRET
from tokenboard.sandbox.stripe_calls import Calls
from tokenboard.sandbox.stripe_form import Params, Refusal, flag, missing
from tokenboard.sandbox.stripe_lists import matching, page
from tokenboard.sandbox.stripe_shapes import API_VERSION, Body
from tokenboard.sandbox.stripe_world import World

_TYPES_MAX = 20
EVENTS_DAYS = 30


def register(calls: Calls) -> None:
    """Put these calls beside the others."""
    calls.on("GET", "/invoices", "GET /invoices")(invoices)
    calls.on("GET", "/invoices/<invoice_id>", "expand")(invoice)
    calls.on("GET", "/invoices/<invoice_id>/lines", "GET page")(invoice_lines)
    calls.on("GET", "/invoice_payments", "GET /invoice_payments")(invoice_payments)
    calls.on("POST", "/payment_intents", "POST /payment_intents")(stripe_payments.create_intent)
    calls.on("GET", "/payment_intents", "GET /payment_intents")(payment_intents)
    calls.on("GET", "/payment_intents/<intent_id>", "expand")(payment_intent)
    calls.on("GET", "/charges", "GET /charges")(charges)
    calls.on("GET", "/charges/<charge_id>", "expand")(charge)
    calls.on("POST", "/refunds", "POST /refunds")(create_refund)
    calls.on("GET", "/refunds", "GET /refunds")(refunds)
    calls.on("GET", "/refunds/<refund_id>", "expand")(refund)
    calls.on("GET", "/disputes", "GET /disputes")(disputes)
    calls.on("GET", "/disputes/<dispute_id>", "expand")(dispute)
    calls.on("GET", "/events", "GET /events")(events)
    calls.on("GET", "/events/<event_id>", "expand")(event)
    calls.on("POST", "/webhook_endpoints", "POST /webhook_endpoints")(create_endpoint)


def invoices(world: World, params: Params) -> Body:
    found = matching(world.every("invoice"), params, "customer", "status")
    if wanted := params.get("subscription"):
        found = [
            one for one in found if (one["parent"] or {}).get("subscription_details", {}).get("subscription") == wanted
        ]
    return page(found, params, "/v1/invoices")


def invoice(world: World, _: Params, invoice_id: str) -> Body:
    return world.find("invoice", invoice_id)


def invoice_lines(world: World, params: Params, invoice_id: str) -> Body:
    lines = world.find("invoice", invoice_id)["lines"]
    return page(lines["data"], params, lines["url"])


def invoice_payments(world: World, params: Params) -> Body:
    found = matching(world.every("invoice_payment"), params, "invoice", "status")
    if isinstance(asked := params.get("payment"), dict):
        if asked.get("type") != "payment_intent" or not asked.get("payment_intent"):
            raise missing("payment[payment_intent]")
        found = [one for one in found if one["payment"]["payment_intent"] == asked["payment_intent"]]
    return page(found, params, "/v1/invoice_payments")


def payment_intents(world: World, params: Params) -> Body:
    return page(matching(world.every("payment_intent"), params, "customer"), params, "/v1/payment_intents")


def payment_intent(world: World, _: Params, intent_id: str) -> Body:
    return world.find("payment_intent", intent_id)


def charges(world: World, params: Params) -> Body:
    found = matching(world.every("charge"), params, "customer", "payment_intent")
    return page(found, params, "/v1/charges")


def charge(world: World, _: Params, charge_id: str) -> Body:
    return world.find("charge", charge_id)


def create_refund(world: World, params: Params) -> Body:
    outcome = sandbox().store.setting(stripe_reversals.NEXT_REFUND) or "succeeded"
    made = stripe_reversals.refund(world, params, outcome)
    sandbox().store.set(stripe_reversals.NEXT_REFUND, None)
    return made


def refunds(world: World, params: Params) -> Body:
    return page(matching(world.every("refund"), params, "charge", "payment_intent"), params, "/v1/refunds")


def refund(world: World, _: Params, refund_id: str) -> Body:
    return world.find("refund", refund_id)


def disputes(world: World, params: Params) -> Body:
    return page(matching(world.every("dispute"), params, "charge", "payment_intent"), params, "/v1/disputes")


def dispute(world: World, _: Params, dispute_id: str) -> Body:
    return world.find("dispute", dispute_id)


def events(world: World, params: Params) -> Body:
    types = params.get("types") or []
    if len(types) > _TYPES_MAX:
        raise Refusal(400, "You may only specify up to 20 types.", param="types")
    # Counted on the calendar, not on a clock that was moved ahead: moving it makes nobody forget.
    oldest = int(sandbox().now().timestamp()) - EVENTS_DAYS * 86_400
    found = [one for one in world.every("event") if one["created"] >= oldest]
    found = [one for one in found if not types or one["type"] in types]
    found = matching(found, params, "type")
    asked = flag(params, "delivery_success")
    if asked is not None:
        found = [one for one in found if (world.postman.undelivered(one["id"]) == 0) == asked]
    told = page(found, params, "/v1/events")
    told["data"] = [_shown(world, one) for one in told["data"]]
    return told


def event(world: World, _: Params, event_id: str) -> Body:
    return _shown(world, world.find("event", event_id))


def _shown(world: World, found: Body) -> Body:
    return found | {"pending_webhooks": min(1, world.postman.undelivered(found["id"]))}


def create_endpoint(world: World, params: Params) -> Body:
    """The one endpoint of the sandbox; the answer is the only one that tells its secret."""
    url = params.get("url")
    if not url:
        raise missing("url")
    world.postman.direct("stripe", replace(world.postman.endpoint("stripe"), url=url, secrets=(STRIPE_WEBHOOK_SECRET,)))
    made = {
        "id": world.new_id("webhook_endpoint"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version", API_VERSION),
        "application": None,
        "created": world.now,
        "description": params.get("description"),
        "enabled_events": params.get("enabled_events", ["*"]),
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
    world.save(made)
    return made | {"secret": STRIPE_WEBHOOK_SECRET}
