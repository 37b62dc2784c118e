"""Stripe's API in the sandbox, for the official library: `/stripe/v1/…`.

Catalogue, customers, checkout sessions, portal sessions, subscriptions; the rest is in stripe_money_api.py. What each
call may carry stands in stripe_form.py, what it answers in stripe_shapes.py and stripe_long_shapes.py.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from tokenboard.sandbox import (
    stripe_catalogue,
    stripe_customers,
    stripe_money_api,
    stripe_sessions,
    stripe_subscriptions,
    stripe_switching,
)
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.stripe_calls import Calls
from tokenboard.sandbox.stripe_form import Params, Refusal
from tokenboard.sandbox.stripe_lists import expanded, matching, page
from tokenboard.sandbox.stripe_shapes import Body, listing
from tokenboard.sandbox.stripe_world import World

routes = Blueprint("stripe_api", __name__, url_prefix="/stripe/v1")


def _fill(world: World, thing: Body, name: str) -> Any:
    """What an object only has when it is asked for."""
    if name == "line_items" and thing.get("object") == "checkout.session":
        return stripe_sessions.line_items(world, thing)
    if name == "payments" and thing.get("object") == "invoice":
        paid = world.every("invoice_payment", invoice=thing["id"])
        return listing(paid, "/v1/invoice_payments")
    if name == "refunds" and thing.get("object") == "charge":
        return listing(world.every("refund", charge=thing["id"]), f"/v1/charges/{thing['id']}/refunds")
    return None


def _finished(world: World, told: Body, params: Params) -> Body:
    return expanded(world, told, params, _fill)


calls = Calls(routes, _finished)
stripe_money_api.register(calls)


@routes.route("/<path:path>", methods=["GET", "POST", "DELETE"])
def nowhere(path: str) -> Response:
    words = f"Unrecognized request URL (/v1/{path}). The sandbox does not know this part of Stripe."
    return answer({"error": {"type": "invalid_request_error", "message": words}}, 404)


@calls.on("POST", "/products", "POST /products")
def create_product(world: World, params: Params) -> Body:
    return stripe_catalogue.create_product(world, params)


@calls.on("GET", "/products", "GET /products")
def products(world: World, params: Params) -> Body:
    found = matching(world.every("product"), params, "active")
    if params.get("ids"):
        found = [one for one in found if one["id"] in params["ids"]]
    return page(found, params, "/v1/products")


@calls.on("GET", "/products/<product_id>", "expand")
def product(world: World, _: Params, product_id: str) -> Body:
    return world.find("product", product_id)


@calls.on("POST", "/products/<product_id>", "POST /products/id")
def update_product(world: World, params: Params, product_id: str) -> Body:
    return stripe_catalogue.update_product(world, params, product_id)


@calls.on("DELETE", "/products/<product_id>", "none")
def delete_product(world: World, _: Params, product_id: str) -> Body:
    return stripe_catalogue.delete_product(world, product_id)


@calls.on("POST", "/prices", "POST /prices")
def create_price(world: World, params: Params) -> Body:
    return stripe_catalogue.create_price(world, params)


@calls.on("GET", "/prices", "GET /prices")
def prices(world: World, params: Params) -> Body:
    found = matching(world.every("price"), params, "active", "product", "currency", "type")
    if params.get("lookup_keys"):
        found = [one for one in found if one["lookup_key"] in params["lookup_keys"]]
    return page(found, params, "/v1/prices")


@calls.on("GET", "/prices/<price_id>", "expand")
def price(world: World, _: Params, price_id: str) -> Body:
    return world.find("price", price_id)


@calls.on("POST", "/prices/<price_id>", "POST /prices/id")
def update_price(world: World, params: Params, price_id: str) -> Body:
    return stripe_catalogue.update_price(world, params, price_id)


@calls.on("POST", "/coupons", "POST /coupons")
def create_coupon(world: World, params: Params) -> Body:
    return stripe_catalogue.create_coupon(world, params)


@calls.on("POST", "/promotion_codes", "POST /promotion_codes")
def create_promotion_code(world: World, params: Params) -> Body:
    return stripe_catalogue.create_promotion_code(world, params)


@calls.on("POST", "/customers", "POST /customers")
def create_customer(world: World, params: Params) -> Body:
    return stripe_customers.create(world, params)


@calls.on("GET", "/customers", "GET /customers")
def customers(world: World, params: Params) -> Body:
    alive = [one for one in world.every("customer") if not one.get("deleted")]
    return page(matching(alive, params, "email"), params, "/v1/customers")


@calls.on("GET", "/customers/<customer_id>", "expand")
def customer(world: World, _: Params, customer_id: str) -> Body:
    return world.find("customer", customer_id)


@calls.on("POST", "/customers/<customer_id>", "POST /customers")
def update_customer(world: World, params: Params, customer_id: str) -> Body:
    return stripe_customers.update(world, params, customer_id)


@calls.on("DELETE", "/customers/<customer_id>", "none")
def delete_customer(world: World, _: Params, customer_id: str) -> Body:
    alive = [one for one in world.every("subscription", customer=customer_id) if one["status"] != "canceled"]
    for subscription in alive:
        stripe_subscriptions.end(world, subscription)
    return stripe_customers.delete(world, customer_id)


@calls.on("GET", "/customers/<customer_id>/payment_methods", "GET methods")
def payment_methods(world: World, params: Params, customer_id: str) -> Body:
    world.find("customer", customer_id)
    found = matching(world.every("payment_method", customer=customer_id), params, "type")
    return page(found, params, f"/v1/customers/{customer_id}/payment_methods")


@calls.on("POST", "/checkout/sessions", "POST /checkout/sessions")
def create_session(world: World, params: Params) -> Body:
    return stripe_sessions.create(world, params)


@calls.on("GET", "/checkout/sessions", "GET /checkout/sessions")
def sessions(world: World, params: Params) -> Body:
    names = ("customer", "payment_intent", "status", "subscription")
    return page(matching(world.every("checkout.session"), params, *names), params, "/v1/checkout/sessions")


@calls.on("GET", "/checkout/sessions/<session_id>", "expand")
def session(world: World, _: Params, session_id: str) -> Body:
    return world.find("checkout.session", session_id)


@calls.on("POST", "/checkout/sessions/<session_id>/expire", "expand")
def expire_session(world: World, _: Params, session_id: str) -> Body:
    return stripe_sessions.expire(world, world.find("checkout.session", session_id))


@calls.on("GET", "/checkout/sessions/<session_id>/line_items", "GET page")
def session_lines(world: World, params: Params, session_id: str) -> Body:
    found = stripe_sessions.line_items(world, world.find("checkout.session", session_id))
    return page(found["data"], params, found["url"])


@calls.on("POST", "/billing_portal/sessions", "POST /billing_portal/sessions")
def open_portal(world: World, params: Params) -> Body:
    return stripe_customers.open_portal(world, params)


@calls.on("GET", "/subscriptions", "GET /subscriptions")
def subscriptions(world: World, params: Params) -> Body:
    found = matching(world.every("subscription"), params, "customer")
    asked = params.get("status")
    if asked is None:
        found = [one for one in found if one["status"] not in ("canceled", "incomplete_expired")]
    elif asked == "ended":
        found = [one for one in found if one["status"] in ("canceled", "incomplete_expired")]
    elif asked != "all":
        found = matching(found, params, "status")
    if params.get("price"):
        found = [one for one in found if params["price"] in [item["price"]["id"] for item in one["items"]["data"]]]
    return page(found, params, "/v1/subscriptions")


@calls.on("GET", "/subscriptions/<subscription_id>", "expand")
def subscription(world: World, _: Params, subscription_id: str) -> Body:
    return world.find("subscription", subscription_id)


@calls.on("POST", "/subscriptions/<subscription_id>", "POST /subscriptions/id")
def update_subscription(world: World, params: Params, subscription_id: str) -> Body:
    return stripe_switching.update(world, params, subscription_id)


@calls.on("DELETE", "/subscriptions/<subscription_id>", "DELETE /subscriptions/id")
def cancel_subscription(world: World, _: Params, subscription_id: str) -> Body:
    found = world.find("subscription", subscription_id)
    if found["status"] in ("canceled", "incomplete_expired"):
        raise Refusal(404, f"No such subscription: '{subscription_id}'", code="resource_missing", param="id")
    return stripe_subscriptions.end(world, found)
