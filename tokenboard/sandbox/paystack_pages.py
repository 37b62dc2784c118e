"""Paystack's hosted checkout, and the phone that rings for M-Pesa.

Laws: paying leads back to the shop's callback with `trxref` and `reference`; leaving without paying changes nothing,
the transaction stays abandoned; a phone that rings rings on its own page, as it would in a hand.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from tokenboard.sandbox import paystack_world as paystack
from tokenboard.sandbox.hosted import gone_to, shown
from tokenboard.sandbox.payments import payments
from tokenboard.sandbox.paystack_shapes import Body
from tokenboard.sandbox.paystack_world import Refused, World
from tokenboard.sandbox.stripe_catalogue import shown_amount

routes = Blueprint("paystack_pages", __name__, url_prefix="/paystack", template_folder="pages")

_PAID = ("success", "reversed")


def _acted(act: Callable[[World], Response]) -> Response:
    with payments().lock:
        here = paystack.world(request.host_url)
        try:
            told = act(here)
        except Refused as refused:
            told = shown("told.html", refused.status, title="Something is wrong", lines=[str(refused)], link="")
    if here.emitted and here.postman.endpoint("paystack").is_early:
        here.postman.deliver_now("paystack", event_ids=here.emitted)
    here.postman.ring()
    return told


def _by_access_code(here: World, access_code: str) -> Body:
    known = here.objects.get("paystack.access", access_code)
    if known is None:
        raise Refused(404, "There is no such payment page")
    return here.find(known["reference"])


@routes.get("/checkout/<access_code>")
def checkout(access_code: str) -> Response:
    return _acted(lambda here: _checkout(here, _by_access_code(here, access_code)))


def _checkout(here: World, found: Body, error: str = "") -> Response:
    if found["status"] in _PAID:
        return _back(here, found)
    if found["status"] == "ongoing":
        return gone_to(here.page(f"phone/{found['reference']}"))
    facts = here.objects.private(paystack.TRANSACTION, found["reference"])
    channels = facts["channels"] or ["card", "mobile_money"]
    return shown(
        "paystack_pay.html",
        402 if error else 200,
        total=shown_amount(found["amount"], found["currency"].lower()),
        email=found["customer"]["email"],
        takes_card="card" in channels,
        takes_phone="mobile_money" in channels and found["currency"] == "KES",
        back=_address(facts["callback_url"], found),
        error=error or (found["message"] if found["status"] == "failed" else ""),
    )


def _address(callback_url: str | None, found: Body) -> str:
    if not callback_url:
        return ""
    named = urlencode({"trxref": found["reference"], "reference": found["reference"]})
    return f"{callback_url}{'&' if '?' in callback_url else '?'}{named}"


def _back(here: World, found: Body) -> Response:
    address = _address(here.objects.private(paystack.TRANSACTION, found["reference"]).get("callback_url"), found)
    if address:
        return gone_to(address)
    return shown("told.html", title="Payment successful", lines=["You may close this page."], link="")


@routes.post("/checkout/<access_code>")
def press(access_code: str) -> Response:
    return _acted(lambda here: _pressed(here, _by_access_code(here, access_code)))


def _pressed(here: World, found: Body) -> Response:
    act = request.form.get("act")
    if found["status"] in _PAID:
        return _back(here, found)
    if act == "card":
        return _back(here, paystack.pay(here, found, "card"))
    if act == "card_declined":
        paystack.fail(here, found, "Declined")
        return _checkout(here, found, "Your card was declined.")
    if act == "phone":
        try:
            paystack.ring(here, found, request.form.get("phone", ""))
        except Refused as refused:
            return _checkout(here, found, str(refused))
        return gone_to(here.page(f"phone/{found['reference']}"))
    return _checkout(here, found)


@routes.get("/phones")
def phones() -> Response:
    """All phones that ring now."""

    def page(here: World) -> Response:
        ringing = [one for one in here.objects.listed(paystack.TRANSACTION) if one["status"] == "ongoing"]
        return shown("paystack_phones.html", phones=[_phone_facts(here, one) for one in ringing])

    return _acted(page)


def _phone_facts(here: World, found: Body) -> Body:
    private = here.objects.private(paystack.TRANSACTION, found["reference"])
    return {
        "reference": found["reference"],
        "phone": private["phone"],
        "total": shown_amount(found["amount"], found["currency"].lower()),
    }


@routes.get("/phone/<reference>")
def phone(reference: str) -> Response:
    return _acted(lambda here: _phone(here, here.find(reference)))


def _phone(here: World, found: Body) -> Response:
    if found["status"] == "ongoing":
        return shown("paystack_phone.html", **_phone_facts(here, found))
    if found["status"] in _PAID:
        return _back(here, found)
    address = _address(here.objects.private(paystack.TRANSACTION, found["reference"]).get("callback_url"), found)
    words = str(found["message"] or found["gateway_response"])
    return shown("told.html", title="Not paid", lines=[words], link=address, link_words="Back to the shop")


@routes.post("/phone/<reference>")
def answer_phone(reference: str) -> Response:
    def page(here: World) -> Response:
        act = request.form.get("act", "")
        return _phone(here, paystack.answer_phone(here, here.find(reference), act))

    return _acted(page)
