"""What only Paystack, a buyer or a bank can do, to order. Every call answers `{object, events}`.

| call | body | does |
| --- | --- | --- |
| POST `/_control/paystack/pay` | `{reference, outcome: "success"\\|"failed", channel?: "card"\\|"mobile_money", amount?}` | the buyer pays (another `amount`: the wrong one), or is declined |
| POST `/_control/paystack/phone` | `{reference, answer: "accept"\\|"decline"\\|"expire"}` | the M-Pesa prompt |
| POST `/_control/paystack/refunds` | `{id, status: "processing"\\|"processed"\\|"failed"\\|"needs-attention"}` or `{transaction, amount?}` | how a refund goes on · one made in the dashboard |
| POST `/_control/paystack/disputes` | `{reference, amount?}` or `{id, act: "remind"\\|"merchant-accepted"\\|"auto-accepted"\\|"declined"}` | a customer complains · how that goes on |
| POST `/_control/paystack/settings` | `{currencies?, customer_bears_fees?}` | what the merchant has agreed with Paystack |
"""  # noqa: E501 - a table's rows are lines

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox import paystack_world as paystack
from tokenboard.sandbox.control import Misused, body_of, misused
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.payments import payments
from tokenboard.sandbox.paystack_shapes import Body
from tokenboard.sandbox.paystack_world import Refused, World

routes = Blueprint("paystack_control", __name__, url_prefix="/_control/paystack")
misused(routes)

_REFUND_STATUSES = ("processing", "processed", "failed", "needs-attention")
_DISPUTE_ACTS = ("remind", "merchant-accepted", "auto-accepted", "declined")


@routes.errorhandler(Refused)
def _refused(refused: Refused) -> Response:
    return answer({"error": str(refused)}, 422)


def _served(act: Callable[[World, dict[str, Any]], Body]) -> Response:
    told = body_of()
    with payments().lock:
        here = paystack.world(request.host_url)
        found = act(here, told)
    here.postman.ring()
    return answer({"object": found, "events": here.emitted})


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Misused(f"one of {', '.join(allowed)}")
    return str(value)


@routes.post("/pay")
def pay() -> Response:
    def act(here: World, told: dict[str, Any]) -> Body:
        found = here.find(told["reference"])
        if _one_of(told.get("outcome", "success"), ("success", "failed")) == "failed":
            return paystack.fail(here, found, "Declined")
        channel = _one_of(told.get("channel", "card"), ("card", "mobile_money"))
        return paystack.pay(here, found, channel, phone="254712345678", amount=told.get("amount"))

    return _served(act)


@routes.post("/phone")
def phone() -> Response:
    def act(here: World, told: dict[str, Any]) -> Body:
        said = _one_of(told["answer"], ("accept", "decline", "expire"))
        return paystack.answer_phone(here, here.find(told["reference"]), said)

    return _served(act)


@routes.post("/refunds")
def refunds() -> Response:
    def act(here: World, told: dict[str, Any]) -> Body:
        if "id" not in told:
            return paystack.refund(here, told)
        found = here.objects.get(paystack.REFUND, str(told["id"]))
        if found is None:
            raise Misused(f"no refund {told['id']}")
        return paystack.move_refund(here, found, _one_of(told["status"], _REFUND_STATUSES))

    return _served(act)


@routes.post("/disputes")
def disputes() -> Response:
    def act(here: World, told: dict[str, Any]) -> Body:
        if "id" not in told:
            return paystack.dispute(here, here.find(told["reference"]), told.get("amount"))
        found = here.objects.get(paystack.DISPUTE, str(told["id"]))
        if found is None:
            raise Misused(f"no dispute {told['id']}")
        return paystack.move_dispute(here, found, _one_of(told["act"], _DISPUTE_ACTS))

    return _served(act)


@routes.post("/settings")
def settings() -> Response:
    def act(here: World, told: dict[str, Any]) -> Body:
        here.arrange(told.get("currencies"), told.get("customer_bears_fees"))
        return {"currencies": here.currencies(), "customer_bears_fees": here.customer_bears_fees}

    return _served(act)
