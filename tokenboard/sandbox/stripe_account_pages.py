"""Stripe's hosted pages for a customer who has bought before: the portal and the hosted invoice."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, request

from tokenboard.sandbox import stripe_invoices, stripe_subscriptions, stripe_switching
from tokenboard.sandbox.hosted import gone_to, shown
from tokenboard.sandbox.stripe_catalogue import shown_amount
from tokenboard.sandbox.stripe_form import Refusal
from tokenboard.sandbox.stripe_pages import CARD_WORDS, acted, choose_card
from tokenboard.sandbox.stripe_payments import CARDS
from tokenboard.sandbox.stripe_shapes import Body
from tokenboard.sandbox.stripe_world import World

routes = Blueprint("stripe_account_pages", __name__, url_prefix="/stripe", template_folder="pages")

_ENDED = ("canceled", "incomplete_expired")


@routes.get("/portal/<session_id>")
def portal(session_id: str) -> Response:
    return acted(lambda here: _portal(here, here.find("billing_portal.session", session_id)))


def _portal(here: World, session: Body) -> Response:
    alive = [one for one in here.every("subscription", customer=session["customer"]) if one["status"] not in _ENDED]
    plans = [one for one in here.every("price", active=True, type="recurring") if one["unit_amount"] is not None]
    return shown(
        "stripe_portal.html",
        subscriptions=[_subscription(here, one) for one in alive],
        plans=[{"id": one["id"], "words": _plan_words(here, one)} for one in plans],
        cards=CARD_WORDS,
        return_url=session["return_url"],
    )


def _plan_words(here: World, price: Body) -> str:
    amount = shown_amount(price["unit_amount"], price["currency"])
    return f"{here.find('product', price['product'])['name']}, {amount} a {price['recurring']['interval']}"


def _subscription(here: World, found: Body) -> Body:
    item = found["items"]["data"][0]
    product = here.look("product", item["price"]["product"])
    return {
        "id": found["id"],
        "name": product["name"] if product else item["price"]["product"],
        "amount": shown_amount(item["price"]["unit_amount"], found["currency"]),
        "interval": item["price"]["recurring"]["interval"],
        "status": found["status"],
        "is_ending": found["cancel_at_period_end"],
        "price": item["price"]["id"],
        "period_end": datetime.fromtimestamp(item["current_period_end"], UTC).strftime("%-d %B %Y"),
    }


@routes.post("/portal/<session_id>")
def portal_act(session_id: str) -> Response:
    def page(here: World) -> Response:
        session = here.find("billing_portal.session", session_id)
        _act(here, session["customer"])
        return gone_to(session["url"])

    return acted(page)


def _act(here: World, customer_id: str) -> None:
    act = request.form.get("act")
    if act == "card":
        choose_card(here, customer_id, request.form.get("card", ""))
        return
    found = here.find("subscription", request.form.get("subscription"))
    if found["customer"] != customer_id or found["status"] in _ENDED:
        raise Refusal(404, "There is no such subscription.")
    if act in ("cancel", "resume"):
        stripe_subscriptions.cancel_at_period_end(here, found, act == "cancel")
    elif act == "switch" and request.form.get("price") != found["items"]["data"][0]["price"]["id"]:
        stripe_switching.switch(here, found, {"price": request.form.get("price")}, "always_invoice")


@routes.get("/invoice/<invoice_id>")
def invoice_page(invoice_id: str) -> Response:
    return acted(lambda here: _invoice(here, here.find("invoice", invoice_id)))


def _invoice(_: World, invoice: Body, error: str = "") -> Response:
    currency = invoice["currency"]
    lines = [
        {"description": line["description"], "amount": shown_amount(line["amount"], currency)}
        for line in invoice["lines"]["data"]
    ]
    total = shown_amount(invoice["amount_due"], currency)
    status = 402 if error else 200
    return shown(
        "stripe_invoice.html", status, invoice=invoice, lines=lines, total=total, methods=CARD_WORDS, error=error
    )


@routes.post("/invoice/<invoice_id>")
def pay_invoice(invoice_id: str) -> Response:
    def page(here: World) -> Response:
        invoice = here.find("invoice", invoice_id)
        if invoice["status"] == "open" and not pay(here, invoice, request.form.get("method", "success")):
            return _invoice(here, invoice, "Your card was declined.")
        return gone_to(invoice["hosted_invoice_url"])

    return acted(page)


def pay(here: World, invoice: Body, card: str) -> bool:
    """The customer pays an open invoice with this card, agreeing to what the bank asks; whether it is paid now."""
    method = choose_card(here, invoice["customer"], card)
    is_good = CARDS[card].present in ("pays", "asks")
    is_paid = stripe_invoices.collect(here, invoice, method, is_present=is_good)
    if is_paid:
        stripe_subscriptions.paid(here, invoice)
    return is_paid
