"""Stripe's hosted pages: checkout, the bank's question, invoices, the customer's portal, receipts.

Laws: a completed session only leads back to the shop; a declined card says so and lets one try another; the shop's
`{CHECKOUT_SESSION_ID}` becomes the session's id.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from tokenboard.sandbox import stripe_catalogue, stripe_payments, stripe_sessions, stripe_time
from tokenboard.sandbox.hosted import gone_to, shown
from tokenboard.sandbox.payments import payments
from tokenboard.sandbox.stripe_catalogue import shown_amount
from tokenboard.sandbox.stripe_form import Refusal
from tokenboard.sandbox.stripe_payments import CARDS, Declined
from tokenboard.sandbox.stripe_shapes import Body
from tokenboard.sandbox.stripe_world import World, world

routes = Blueprint("stripe_pages", __name__, url_prefix="/stripe", template_folder="pages")

CARD_WORDS = (
    ("success", "Card 4242: pays"),
    ("declined", "Card 0002: is declined"),
    ("insufficient_funds", "Card 9995: has insufficient funds"),
    ("authentication", "Card 3155: the bank asks first (3-D Secure)"),
    ("fails_later", "Card 0341: pays now, is declined later"),
    ("authenticates_later", "Card 3184: pays now, the bank asks at every later charge"),
)
_DEBIT_WORDS = (
    ("debit_succeeds", "Bank debit: pays in three days"),
    ("debit_fails", "Bank debit: fails in three days"),
)


def acted(act: Callable[[World], Response]) -> Response:
    """Do something on a page, and let its events go out before or after the answer."""
    with payments().lock:
        here = world(request.host_url)
        stripe_catalogue.seed(here)
        stripe_time.catch_up(here)
        try:
            told = act(here)
        except Refusal as refusal:
            told = shown("told.html", refusal.status, title="Something is wrong", lines=[str(refusal)], link="")
    if here.emitted and here.postman.endpoint("stripe").is_early:
        here.postman.deliver_now("stripe", event_ids=here.emitted)
    here.postman.ring()
    return told


@routes.get("/pay/<session_id>")
def pay_page(session_id: str) -> Response:
    return acted(lambda here: _checkout(here, here.find("checkout.session", session_id)))


@routes.post("/pay/<session_id>")
def pay(session_id: str) -> Response:
    return acted(lambda here: _pressed(here, here.find("checkout.session", session_id)))


def _checkout(here: World, session: Body, error: str = "") -> Response:
    if session["status"] != "open":
        return _after(session)
    currency = session["currency"]
    lines = [
        {
            "quantity": line["quantity"],
            "description": line["description"],
            "amount": shown_amount(line["amount_subtotal"], currency),
        }
        for line in here.private(session)["lines"]
    ]
    totals = session["total_details"]
    return shown(
        "stripe_pay.html",
        402 if error else 200,
        session=session,
        lines=lines,
        total=shown_amount(session["amount_total"], currency),
        discount=totals["amount_discount"] and shown_amount(totals["amount_discount"], currency),
        tax=totals["amount_tax"] and shown_amount(totals["amount_tax"], currency),
        methods=CARD_WORDS if session["mode"] == "subscription" else CARD_WORDS + _DEBIT_WORDS,
        error=error,
    )


def _after(session: Body) -> Response:
    if session["status"] == "expired":
        words = "This payment page has expired. Nothing was paid."
        return shown("told.html", 410, title="Expired", lines=[words], link=session["cancel_url"], link_words="Back")
    return gone_to(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _pressed(here: World, session: Body) -> Response:
    method = request.form.get("method", "success")
    if method not in stripe_sessions.METHODS:
        return _checkout(here, session, "Choose how to pay.")
    if request.form.get("act") == "redeem":
        is_known = stripe_sessions.redeem(here, session, request.form.get("promotion_code", ""))
        return _checkout(here, session, "" if is_known else "This code is invalid.")
    if session["status"] == "open" and method in CARDS and CARDS[method].present == "asks":
        return gone_to(here.page(f"authenticate/{session['id']}?method={method}"))
    return _paid(here, session, method)


def _paid(here: World, session: Body, method: str) -> Response:
    try:
        return _after(stripe_sessions.pay(here, session, method))
    except Declined as declined:
        return _checkout(here, session, str(declined))


@routes.get("/authenticate/<session_id>")
def ask(session_id: str) -> Response:
    def page(here: World) -> Response:
        session = here.find("checkout.session", session_id)
        total = shown_amount(session["amount_total"], session["currency"])
        return shown("stripe_authenticate.html", total=total, method=request.args.get("method", "authentication"))

    return acted(page)


@routes.post("/authenticate/<session_id>")
def answered(session_id: str) -> Response:
    def page(here: World) -> Response:
        session = here.find("checkout.session", session_id)
        if request.form.get("act") == "approve" or session["status"] != "open":
            return _paid(here, session, "authentication")
        declined = stripe_sessions.refuse(here, session, "authentication")
        return _checkout(here, session, f"The bank did not confirm this payment. {declined}")

    return acted(page)


@routes.get("/receipts/<charge_id>")
def receipt(charge_id: str) -> Response:
    def page(here: World) -> Response:
        charge = here.find("charge", charge_id)
        paid = shown_amount(charge["amount"], charge["currency"])
        refunded = shown_amount(charge["amount_refunded"], charge["currency"])
        lines = [f"Paid: {paid}", f"Refunded: {refunded}", f"Number: {charge['id']}"]
        return shown("told.html", title="Receipt", lines=lines, link="")

    return acted(page)


def choose_card(here: World, customer_id: str, card: str) -> Body:
    """Save the card picked on a page. Raises: Refusal for one that does not exist."""
    if card not in CARDS:
        raise Refusal(400, f"There is no card called {card}.", param="card")
    return here.find("payment_method", stripe_payments.save_card(here, customer_id, card))
