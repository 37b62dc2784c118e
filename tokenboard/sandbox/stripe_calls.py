"""How a call of Stripe's API is served: key, ordered faults, parameters, idempotency, the act, events, answer.

Laws: an idempotency key gives the first answer again, header `Idempotent-Replayed: true`, and refuses other
parameters; answers of calls that were refused as such (400, 404) are not kept, declines are; an answer lost to a
fault is kept, so that the retry finds it. A key (`sk_test_sandbox-500`, …) may order a fault for all its calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from flask import Blueprint, Response, request

from tokenboard.sandbox import payment_faults, stripe_catalogue, stripe_time
from tokenboard.sandbox.faults import answer
from tokenboard.sandbox.memory import bearer, sandbox
from tokenboard.sandbox.payments import STRIPE_KEY, payments
from tokenboard.sandbox.stripe_form import Params, Refusal, check_known, decoded
from tokenboard.sandbox.stripe_shapes import API_VERSION, Body
from tokenboard.sandbox.stripe_world import World, world

FAULT_HEADER = "X-Sandbox-Fault"
_KEY_LENGTH_MAX = 255
_KEPT_STATUSES = (200, 402)

Act = Callable[..., Body]
Finish = Callable[[World, Body, Params], Body]


class Calls:
    """The calls of one blueprint."""

    def __init__(self, routes: Blueprint, finish: Finish) -> None:
        self._routes = routes
        self._finish = finish

    def on(self, method: str, rule: str, known: str) -> Callable[[Act], Act]:
        """Serve `METHOD rule` with `act(world, params, **ids)`; `known` names its parameters in stripe_form.KNOWN."""

        def register(act: Act) -> Act:
            def view(**ids: str) -> Response:
                return self._served(act, known, ids)

            self._routes.add_url_rule(rule, f"{method} {rule}".replace(".", "_"), view, methods=[method])
            return act

        return register

    def _served(self, act: Act, known: str, ids: dict[str, str]) -> Response:
        store = sandbox().store
        store.record_call(request.path, request.query_string.decode("ascii", "replace"))
        suffix = bearer().removeprefix(STRIPE_KEY)
        if suffix == bearer() or not (suffix == "" or suffix.startswith("-")):
            return payment_faults.refusal("stripe", 401)
        fault = request.headers.get(FAULT_HEADER) or store.take_fault(request.path) or suffix[1:] or None
        if struck := payment_faults.before(fault, "stripe"):
            return struck
        told, emitted = self._acted(act, known, ids)
        payments_ = payments()
        if emitted and (fault == "early" or payments_.postman.endpoint("stripe").is_early):
            payments_.postman.deliver_now("stripe", event_ids=emitted)
        payments_.postman.ring()
        return payment_faults.after(fault, "stripe") or told

    def _acted(self, act: Act, known: str, ids: dict[str, str]) -> tuple[Response, list[str]]:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        with payments().lock:
            here = world(request.host_url, key)
            stripe_catalogue.seed(here)
            stripe_time.catch_up(here)
            try:
                params = decoded(_sent())
                if key is None:
                    return _answer(200, self._done(here, act, known, params, ids)), here.emitted
                return self._once(here, key, act, known, params, ids), here.emitted
            except Refusal as refusal:
                return _answer(refusal.status, {"error": refusal.error}), here.emitted

    def _done(self, here: World, act: Act, known: str, params: Params, ids: dict[str, str]) -> Body:
        check_known(known, params)
        return self._finish(here, act(here, params, **ids), params)

    def _once(self, here: World, key: str, act: Act, known: str, params: Params, ids: dict[str, str]) -> Response:
        if not 1 <= len(key) <= _KEY_LENGTH_MAX:
            raise Refusal(400, "Idempotency keys must be between 1 and 255 characters.")
        fingerprint = hashlib.sha256(f"{request.path} {json.dumps(params, sort_keys=True)}".encode()).hexdigest()
        kept = here.objects.answer(f"stripe|{key}")
        if kept is not None:
            return _replayed(kept, fingerprint, key)
        status, body = 200, Body()
        try:
            body = self._done(here, act, known, params, ids)
        except Refusal as refusal:
            status, body = refusal.status, {"error": refusal.error}
        if status in _KEPT_STATUSES:
            here.objects.keep_answer(f"stripe|{key}", fingerprint, status, json.dumps(body))
        return _answer(status, body)


def _sent() -> list[tuple[str, str]]:
    # A DELETE of the official library carries its parameters in the address, as a GET does.
    fields = request.form if request.method == "POST" else request.args
    return list(fields.items(multi=True))


def _replayed(kept: tuple[str, int, str], fingerprint: str, key: str) -> Response:
    if kept[0] != fingerprint:
        words = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )
        raise Refusal(400, words, kind="idempotency_error")
    told = _answer(kept[1], json.loads(kept[2]))
    told.headers["Idempotent-Replayed"] = "true"
    return told


def _answer(status: int, body: Body) -> Response:
    number = payments().objects.next_number("request")
    headers = {"Request-Id": f"req_Sbx{number:08d}", "Stripe-Version": API_VERSION}
    return answer(json.dumps(body, indent=2, ensure_ascii=False), status, headers)
