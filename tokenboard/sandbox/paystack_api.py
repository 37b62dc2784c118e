"""Paystack's API in the sandbox: `/paystack/transaction/…`, `/charge`, `/refund`, `/dispute`.

A key (`sk_test_sandbox-500`, …) may order a fault of payment_faults.py for all its calls, as may the header
`X-Sandbox-Fault` and the control API. Amounts may come as text, as Paystack allows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox import payment_faults, paystack_shapes as shapes, paystack_world as paystack
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.memory import bearer, sandbox
from tokenboard.sandbox.payments import PAYSTACK_KEY, payments
from tokenboard.sandbox.paystack_shapes import Body
from tokenboard.sandbox.paystack_world import Refused, World
from tokenboard.sandbox.stripe_calls import FAULT_HEADER

routes = Blueprint("paystack_api", __name__, url_prefix="/paystack")

_PER_PAGE, _PER_PAGE_MAX = 50, 100
Act = Callable[[World, Body], Body]


def _served(act: Act) -> Response:
    store = sandbox().store
    store.record_call(request.path, request.query_string.decode("ascii", "replace"))
    suffix = bearer().removeprefix(PAYSTACK_KEY)
    if suffix == bearer() or not (suffix == "" or suffix.startswith("-")):
        return payment_faults.refusal("paystack", 401)
    fault = request.headers.get(FAULT_HEADER) or store.take_fault(request.path) or suffix[1:] or None
    if struck := payment_faults.before(fault, "paystack"):
        return struck
    with payments().lock:
        here = paystack.world(request.host_url)
        try:
            told = answer(act(here, _sent()))
        except Refused as refused:
            told = answer(refused.body, refused.status)
    if here.emitted and (fault == "early" or here.postman.endpoint("paystack").is_early):
        here.postman.deliver_now("paystack", event_ids=here.emitted)
    here.postman.ring()
    return payment_faults.after(fault, "paystack") or told


def _sent() -> Body:
    if request.method == "GET":
        return dict(request.args)
    body = request.get_json(silent=True) if request.is_json else dict(request.form)
    if not isinstance(body, dict):
        raise Refused(400, "Invalid JSON in the request body")
    return body


def _told(message: str, about: Any, **more: Any) -> Body:
    return {"status": True, "message": message, "data": about, **more}


@routes.post("/transaction/initialize")
def initialize() -> Response:
    def act(here: World, told: Body) -> Body:
        made = paystack.begin(here, told)
        access_code = f"sbx{made['id']}"
        facts = {"access_code": access_code, "callback_url": told.get("callback_url"), "channels": told.get("channels")}
        here.objects.note(paystack.TRANSACTION, made["reference"], **facts)
        here.objects.put("paystack.access", access_code, {"reference": made["reference"]})
        url = here.page(f"checkout/{access_code}")
        about = {"authorization_url": url, "access_code": access_code, "reference": made["reference"]}
        return _told("Authorization URL created", about)

    return _served(act)


@routes.get("/transaction/verify/<reference>")
def verify(reference: str) -> Response:
    return _served(lambda here, _: _told("Verification successful", here.find(reference)))


@routes.get("/transaction")
def transactions() -> Response:
    def act(here: World, told: Body) -> Body:
        found = _between(here.objects.listed(paystack.TRANSACTION), told, "createdAt")
        found = [one for one in found if told.get("status") in (None, one["status"])]
        meta = {"total_volume": sum(one["amount"] for one in found if one["status"] == "success"), "skipped": 0}
        return _page(
            "Transactions retrieved", [shapes.listed_transaction(one) for one in found], told, "per_page", meta
        )

    return _served(act)


@routes.post("/charge")
def charge() -> Response:
    def act(here: World, told: Body) -> Body:
        money = told.get("mobile_money")
        if not isinstance(money, dict) or money.get("provider") != "mpesa":
            raise Refused(400, "The sandbox charges M-PESA phones only")
        made = paystack.begin(here, told)
        try:
            paystack.ring(here, made, str(money.get("phone", "")))
        except Refused:
            here.objects.remove(paystack.TRANSACTION, made["reference"])
            raise
        words = "Please complete authorization process on your mobile phone"
        return _told(
            "Charge attempted", {"reference": made["reference"], "status": "pay_offline", "display_text": words}
        )

    return _served(act)


@routes.get("/charge/<reference>")
def check_charge(reference: str) -> Response:
    def act(here: World, _: Body) -> Body:
        found = here.find(reference)
        if found["status"] == "success":
            return _told("Charge attempted", found | {"metadata": found["metadata"] or {}, "redirect_url": None})
        about = {"reference": reference, "status": "pending" if found["status"] == "ongoing" else found["status"]}
        if found["status"] == "failed":
            about["message"] = found["message"]
        return _told("Reference check successful", about)

    return _served(act)


@routes.post("/refund")
def create_refund() -> Response:
    return _served(lambda here, told: _told("Refund has been queued for processing", paystack.refund(here, told)))


@routes.get("/refund")
def refunds() -> Response:
    def act(here: World, told: Body) -> Body:
        found = _between(here.objects.listed(paystack.REFUND), told, "createdAt")
        rows = [shapes.listed_refund(one, here.find(one["transaction"]["reference"])) for one in found]
        failed = sum(one["status"] == "failed" for one in rows)
        # Paystack counts pages in numbers and gives their size as text, here.
        told_size = {"skipped": 0, "failedRefundCount": failed, "perPage": str(told.get("perPage", _PER_PAGE))}
        return _page("Refunds retrieved", rows, told, "perPage", told_size)

    return _served(act)


@routes.get("/refund/<refund_id>")
def refund(refund_id: str) -> Response:
    def act(here: World, _: Body) -> Body:
        found = here.objects.get(paystack.REFUND, refund_id)
        if found is None:
            raise Refused(404, "Refund not found")
        return _told("Refund retrieved", shapes.listed_refund(found, here.find(found["transaction"]["reference"])))

    return _served(act)


@routes.get("/dispute")
def disputes() -> Response:
    def act(here: World, told: Body) -> Body:
        found = _between(here.objects.listed(paystack.DISPUTE), told, "created_at")
        found = [one for one in found if told.get("status") in (None, one["status"])]
        wanted = told.get("transaction")
        rows = [one for one in found if wanted in (None, str(one["transaction"]["id"]))]
        return _page(
            "Disputes retrieved", [shapes.listed_dispute(one) for one in rows], told, "perPage", {"skipped": 0}
        )

    return _served(act)


@routes.get("/dispute/<dispute_id>")
def dispute(dispute_id: str) -> Response:
    def act(here: World, _: Body) -> Body:
        found = here.objects.get(paystack.DISPUTE, dispute_id)
        if found is None:
            raise Refused(404, "Dispute not found")
        return _told("Dispute retrieved", shapes.listed_dispute(found))

    return _served(act)


def _between(found: list[Body], told: Body, name: str) -> list[Body]:
    since = datetime.fromisoformat(told["from"]) if told.get("from") else None
    until = datetime.fromisoformat(told["to"]) if told.get("to") else None
    return [
        one
        for one in found
        if (since is None or datetime.fromisoformat(one[name]) >= since)
        and (until is None or datetime.fromisoformat(one[name]) <= until)
    ]


def _page(message: str, rows: list[Body], told: Body, size_name: str, meta: Body) -> Body:
    size = min(int(told.get(size_name) or _PER_PAGE), _PER_PAGE_MAX)
    number = max(1, int(told.get("page") or 1))
    counts = {"total": len(rows), "perPage": size, "page": number, "pageCount": -(-len(rows) // size)}
    return _told(message, rows[(number - 1) * size : number * size], meta=counts | meta)


@routes.route("/<path:path>", methods=["GET", "POST", "PUT", "DELETE"])
def nowhere(path: str) -> Response:
    return answer({"status": False, "message": "Entity not found"}, 404)
