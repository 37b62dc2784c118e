"""What only Stripe, a bank or time can do, to order. Every call answers `{object, events}`: the object as it is now,
and the ids of the events it caused.

| call | body | does |
| --- | --- | --- |
| POST `/_control/stripe/clock` | `{to: "2027-01-01T00:00:00Z"}` or `{seconds: 3600}` or `{to: "next_renewal", subscription}` | moves Stripe's time on; everything due happens in order. Next renewal: one hour and one minute past it, its invoice collected |
| POST `/_control/stripe/sessions` | `{id, act: "pay", method?, promotion_code?}` · `act: "decline"` · `"settle"` with `outcome: "succeeds"\\|"fails"` · `"expire"` · `"leave_incomplete"` | the buyer's acts without a browser. Methods: the cards of stripe_payments.py, `debit_succeeds`, `debit_fails` |
| POST `/_control/stripe/cards` | `{customer, card}` | the customer's card for coming payments |
| POST `/_control/stripe/subscriptions` | `{id, act: "cancel"\\|"resume"\\|"cancel_now"\\|"switch", price?, proration?}` | what the portal does |
| POST `/_control/stripe/invoices` | `{id, act: "pay"\\|"void"\\|"uncollectible", card?}` | the hosted invoice; giving up |
| POST `/_control/stripe/manual_invoice` | `{customer, amount, currency?}` | a paid invoice without subscription (parent null) |
| POST `/_control/stripe/next_refund` | `{status: "succeeded"\\|"pending"\\|"failed"}` | how the next refund begins |
| POST `/_control/stripe/refunds` | `{payment_intent?\\|charge?, amount?}` or `{id, status: "succeeded"\\|"failed"\\|"canceled"}` | a refund made in the dashboard · how one ends |
| POST `/_control/stripe/disputes` | `{payment_intent?\\|charge?, amount?, reason?, inquiry?}` or `{id, status}` | the bank takes money back · decides (`won`, `lost`, `under_review`, `warning_closed`, `prevented`, `appeal_…`) |
| POST `/_control/stripe/prices/delete` | `{id}` | deletes a price, as the dashboard can |
"""  # noqa: E501 - a table's rows are lines

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox import (
    stripe_account_pages,
    stripe_catalogue,
    stripe_invoices,
    stripe_payments,
    stripe_reversals,
    stripe_sessions,
    stripe_subscriptions,
    stripe_switching,
    stripe_time,
)
from tokenboard.sandbox.control import Misused, body_of, misused
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.payments import payments
from tokenboard.sandbox.stripe_form import Params, Refusal
from tokenboard.sandbox.stripe_payments import CARDS, Declined
from tokenboard.sandbox.stripe_shapes import Body
from tokenboard.sandbox.stripe_world import AHEAD, World, world

routes = Blueprint("stripe_control", __name__, url_prefix="/_control/stripe")
misused(routes)

_AFTER_RENEWAL_SECONDS = stripe_invoices.DRAFT_SECONDS + 60


@routes.errorhandler(Refusal)
def _refused(refusal: Refusal) -> Response:
    return answer({"error": str(refusal)}, 422)


def _served(act: Callable[[World, Params], Body | None]) -> Response:
    told = {name: value if isinstance(value, (dict, bool)) else str(value) for name, value in body_of().items()}
    with payments().lock:
        here = world(request.host_url)
        stripe_catalogue.seed(here)
        stripe_time.catch_up(here)
        found = act(here, told)
    here.postman.ring()
    return answer({"object": found, "events": here.emitted})


@routes.post("/clock")
def clock() -> Response:
    return _served(_moved)


def _moved(here: World, told: Params) -> Body:
    ahead = int(sandbox().store.setting(AHEAD) or 0)
    target = here.now + int(told["seconds"]) if "seconds" in told else _target(here, told)
    if target < here.now:
        raise Misused("time only moves forward")
    sandbox().store.set(AHEAD, str(ahead + target - here.now))
    here.now = target
    return {"now": target, "acts": stripe_time.catch_up(here)}


def _target(here: World, told: Params) -> int:
    if told["to"] != "next_renewal":
        instant = datetime.fromisoformat(told["to"])
        if instant.tzinfo is None:
            raise Misused("to has no time zone")
        return int(instant.timestamp())
    due = here.objects.due_at("stripe.subscription", told["subscription"])
    if due is None:
        raise Misused(f"nothing comes of subscription {told['subscription']} any more")
    return due + _AFTER_RENEWAL_SECONDS


@routes.post("/sessions")
def sessions() -> Response:
    return _served(_session)


def _session(here: World, told: Params) -> Body:
    found = here.find("checkout.session", told["id"])
    act, method = told.get("act", "pay"), told.get("method", "success")
    if method not in stripe_sessions.METHODS:
        raise Misused(f"method is one of {', '.join(stripe_sessions.METHODS)}")
    if act == "expire":
        return stripe_sessions.expire(here, found)
    if act == "leave_incomplete":
        return stripe_sessions.leave_incomplete(here, found)
    if act == "decline":
        stripe_sessions.refuse(here, found, "declined")
    elif act == "settle":
        stripe_sessions.settle(here, here.find("payment_intent", found["payment_intent"]), told.get("outcome"))
    elif act == "pay":
        if "promotion_code" in told and not stripe_sessions.redeem(here, found, told["promotion_code"]):
            raise Misused("this session takes no such code")
        _pay(here, found, method)
    else:
        raise Misused(f"no act is called {act}")
    return here.find("checkout.session", found["id"])


def _pay(here: World, found: Body, method: str) -> None:
    try:
        stripe_sessions.pay(here, found, method)
    except Declined:
        return  # the session stays open, which is what was asked for


@routes.post("/cards")
def cards() -> Response:
    def act(here: World, told: Params) -> Body:
        if told["card"] not in CARDS:
            raise Misused(f"card is one of {', '.join(CARDS)}")
        stripe_payments.save_card(here, here.find("customer", told["customer"])["id"], told["card"])
        return here.find("customer", told["customer"])

    return _served(act)


@routes.post("/subscriptions")
def subscriptions() -> Response:
    def act(here: World, told: Params) -> Body:
        found = here.find("subscription", told["id"])
        if told["act"] in ("cancel", "resume"):
            return stripe_subscriptions.cancel_at_period_end(here, found, told["act"] == "cancel")
        if told["act"] == "cancel_now":
            return stripe_subscriptions.end(here, found)
        if told["act"] != "switch":
            raise Misused(f"no act is called {told['act']}")
        return stripe_switching.switch(here, found, {"price": told["price"]}, told.get("proration", "always_invoice"))

    return _served(act)


@routes.post("/invoices")
def invoices() -> Response:
    def act(here: World, told: Params) -> Body:
        found = here.find("invoice", told["id"])
        if told["act"] == "pay":
            stripe_account_pages.pay(here, found, told.get("card", "success"))
        elif told["act"] in ("void", "uncollectible"):
            stripe_invoices.close(here, found, told["act"])
        else:
            raise Misused(f"no act is called {told['act']}")
        return here.find("invoice", told["id"])

    return _served(act)


@routes.post("/manual_invoice")
def manual_invoice() -> Response:
    def act(here: World, told: Params) -> Body:
        return stripe_invoices.manual(here, told["customer"], int(told["amount"]), told.get("currency", "usd"))

    return _served(act)


@routes.post("/next_refund")
def next_refund() -> Response:
    status: Any = body_of()["status"]
    if status not in stripe_reversals.OUTCOMES:
        raise Misused(f"status is one of {', '.join(stripe_reversals.OUTCOMES)}")
    sandbox().store.set(stripe_reversals.NEXT_REFUND, status)
    return answer({})


@routes.post("/refunds")
def refunds() -> Response:
    def act(here: World, told: Params) -> Body:
        if "id" not in told:
            return stripe_reversals.refund(here, told, told.get("status", "succeeded"))
        if told["status"] not in ("succeeded", "failed", "canceled"):
            raise Misused("a refund ends succeeded, failed or canceled")
        return stripe_reversals.finish_refund(here, here.find("refund", told["id"]), told["status"])

    return _served(act)


@routes.post("/disputes")
def disputes() -> Response:
    def act(here: World, told: Params) -> Body:
        if "id" in told:
            if told["status"] not in stripe_reversals.DISPUTE_STATUSES:
                raise Misused(f"status is one of {', '.join(stripe_reversals.DISPUTE_STATUSES)}")
            return stripe_reversals.decide_dispute(here, here.find("dispute", told["id"]), told["status"])
        amount = int(told["amount"]) if "amount" in told else None
        reason, is_inquiry = told.get("reason", "fraudulent"), told.get("inquiry") is True
        return stripe_reversals.dispute(here, told, amount=amount, reason=reason, is_inquiry=is_inquiry)

    return _served(act)


@routes.post("/prices/delete")
def delete_price() -> Response:
    def act(here: World, told: Params) -> None:
        stripe_catalogue.delete_price(here, told["id"])

    return _served(act)
