"""The sandbox's own switches, for tests and for a developer's terminal. Loopback only, JSON bodies, no key.

| call | body | does |
| --- | --- | --- |
| GET `/_control/state` | | time, origin, calls so far |
| POST `/_control/reset` | | forgets everything |
| POST `/_control/clock` | `{now}` ISO instant or null | sets or frees the sandbox's time |
| POST `/_control/settings` | `{slow_seconds}` | how long `slow` keeps silent |
| POST `/_control/faults` | `{path, fault, times}` | the next `times` calls whose path begins so fail |
| POST `/_control/openai/revision` | `{day, project_id?, line_item?, factor}` | the bill of a day changes |
| POST `/_control/openai/script` | `{key?, path, pages}` | serves these pages word for word: objects, or JSON texts |

Others have doors of their own: webhooks_control.py, stripe_control.py, paystack_control.py, litellm_control.py.
The payment providers' faults are those of payment_faults.py, ordered here by path: `/stripe/v1/refunds`,
`/paystack/charge`.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, request

from tokenboard.sandbox.chat_faults import FAULT_NAMED
from tokenboard.sandbox.faults import FAULTS, answer
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.payment_faults import PAYMENT_FAULTS
from tokenboard.sandbox.store import Revision

routes = Blueprint("control", __name__, url_prefix="/_control")


class Misused(Exception):
    """A control call that makes no sense."""


def misused(door: Blueprint) -> None:
    """Answer 422 with the reason whenever a call of this door makes no sense."""
    for kind in (Misused, KeyError, ValueError, InvalidOperation):
        door.register_error_handler(kind, _misused)


def _misused(fault: Exception) -> Response:
    return answer({"error": f"{type(fault).__name__}: {fault}"}, 422)


misused(routes)


def body_of() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        raise Misused("the body is a JSON object")
    return body


@routes.get("/state")
def state() -> Response:
    store = sandbox().store
    calls = [{"path": path, "query": query} for path, query in store.calls()]
    return answer({"now": sandbox().now().isoformat(), "origin": sandbox().origin().isoformat(), "calls": calls})


@routes.post("/reset")
def reset() -> Response:
    sandbox().store.reset()
    return answer({})


@routes.post("/clock")
def set_clock() -> Response:
    now = body_of()["now"]
    if now is not None and datetime.fromisoformat(now).tzinfo is None:
        raise Misused("now has no time zone")
    sandbox().store.set("now", now)
    return answer({})


@routes.post("/settings")
def settings() -> Response:
    sandbox().store.set("slow_seconds", str(float(body_of()["slow_seconds"])))
    return answer({})


@routes.post("/faults")
def order_fault() -> Response:
    body = body_of()
    if body["fault"] not in PAYMENT_FAULTS.union(FAULTS, FAULT_NAMED):
        raise Misused(f"no fault is called {body['fault']}")
    sandbox().store.order_fault(str(body["path"]), body["fault"], int(body.get("times", 1)))
    return answer({})


@routes.post("/openai/revision")
def revise() -> Response:
    body = body_of()
    factor = Decimal(str(body["factor"]))
    if not factor.is_finite():
        raise Misused("factor is a finite number")
    revision = Revision(date.fromisoformat(body["day"]), body.get("project_id"), body.get("line_item"), factor)
    sandbox().store.add_revision(revision)
    return answer({})


@routes.post("/openai/script")
def write_script() -> Response:
    body = body_of()
    pages = [page if isinstance(page, str) else json.dumps(page) for page in body["pages"]]
    for page in pages:
        json.loads(page)
    sandbox().store.write_script(str(body.get("key", "*")), str(body["path"]), pages)
    return answer({})
